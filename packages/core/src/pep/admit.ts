import { randomText, saltedDigestOf } from "../data/digest.ts";
import { copyData, type JsonObject } from "../data/json.ts";
import type { AccessRequest } from "../pdp/access-request.ts";
import { parseAcknowledgement, parseRedemption, type Decision, type Grant, type Refusal } from "../pdp/decision.ts";
import { SUPPORTED_OBLIGATIONS, type Obligation } from "../pdp/obligation.ts";
import type { CredentialUse, Outcome, OutcomeStatus } from "../pdp/pdp.ts";
import type { Holding, Presentation } from "../pdp/presentation.ts";
import { askDecision, askWithin, deny, refusal } from "./ask.ts";
import { carryOut, holdsResult, unsupportedObligation, type Carried } from "./obligations.ts";
import type { Admission, Asked, Completion } from "./pep.ts";
import { isShown, modeOf, present, proveTo, type PepSetting } from "./present.ts";
import { readArguments } from "./read-arguments.ts";
import { findTask, holdingOf, type Task } from "./task.ts";
import { callDigest, type ToolCall } from "./tool-call.ts";
import { goAlong, isWithinCall, underWay } from "./under-way.ts";
import type { Refused, Verdict } from "./verdict.ts";

type Admitted = Admission | { readonly admitted: false; readonly refused: Refused };

/**
 * The enforcement point's half of the one path: ask, check the obligations, spend the grant. Never throws.
 * INVARIANT I1: `admitted: true` is built in one place, after every step has said yes.
 */
export async function admit(setting: PepSetting, call: ToolCall): Promise<Admitted> {
  return (await ask(setting, call)).admit(call.signal);
}

/** All of it but spending the grant, for a framework that has to know before it runs a tool whether it will have to wait for somebody. Never throws. */
export async function ask(setting: PepSetting, call: ToolCall): Promise<Asked> {
  const found = await findTask(setting.deadline, call.signal, call.envelope);
  if ("refusal" in found) return refuse(deny(found.refusal, found.decisionId));
  const task = found.answer;
  const holding = holdingOf(task);
  if (task === undefined || holding === undefined) {
    return refuse(deny(refusal("envelope_malformed", "there is no envelope to act under")));
  }

  const along = isWithinCall() ? await goAlong(setting, call, task, readArguments(call.arguments)) : undefined;
  if (along !== undefined) return { admit: async () => along };
  const described = await tryDescribe(setting, call, task, holding);
  if ("refusal" in described) return refuse(deny(described.refusal));
  const request = described.answer;
  const decision = await askDecision(
    setting.deadline,
    call.signal,
    () => setting.pdp.decide(request),
    // INVARIANT I6: a permit that nobody waited for must not hold what it reserved.
    (late) => {
      if (late.decision) void createSettlement(setting, request, late)("not_run");
    },
  );
  const verdict = conclude(decision, request);
  if (verdict.kind !== "permit") return refusing(verdict);

  const spent: { receipt?: string | undefined } = {};
  const settle = createSettlement(setting, request, decision, () => spent.receipt);
  const giveUp = async (reason: Refusal): Promise<Asked> => {
    await settle("not_run");
    return refuse(deny(reason, verdict.decisionId));
  };
  const unsupported = unsupportedObligation(verdict.obligations);
  if (unsupported !== undefined) return giveUp(refusal("obligation_unsupported", `the answer demands \`${unsupported}\`, which is not supported here`));
  const { grant } = decision.context;
  const isUsable = (): boolean => grant !== undefined && grant.expiresAt > setting.now();
  if (grant === undefined || !isUsable()) return giveUp(refusal("grant_invalid", "the decision came without a usable grant"));

  const spend = async (signal: AbortSignal | undefined): Promise<Admitted> => {
    const redeemed = await redeem(setting, signal, request, grant);
    if ("refusal" in redeemed) return (await giveUp(redeemed.refusal)).admit();
    spent.receipt = redeemed.receipt;
    const { arguments: args } = verdict;
    // INVARIANT I10: a handle is a capability of this process. What somebody else has shown is not ours to show on.
    const own = holding.kind === "chain" && !isShown(holding) ? holding : undefined;
    const show: Admission["show"] = own && (async (audience) => proveTo(setting, own, { name: call.tool, server: call.server, args, audience }));
    return underWay(
      { ...admission(verdict, settle), under: { envelope: task.envelope, until: grant.expiresAt }, ...(show === undefined ? {} : { show }) },
      { setting, task, call, arguments: args, until: grant.expiresAt },
    );
  };
  let isTaken = false;
  return {
    admit: async (signal) => {
      // INVARIANT I5: whoever comes second must not settle the call of whoever came first.
      if (isTaken) return refuse(deny(refusal("grant_replayed", "this call has run already"), verdict.decisionId)).admit();
      isTaken = true;
      // A grant that ran out while the framework was busy holds nothing any longer, so the call is a new question.
      return isUsable() ? spend(signal) : admit(setting, { ...call, signal });
    },
  };
}

/** Refuses what no adapter makes (a tool name that is not text, an envelope without members), and a call that cannot be proven. */
async function tryDescribe(
  setting: PepSetting,
  call: ToolCall,
  task: Task,
  holding: Holding,
): Promise<{ readonly answer: AccessRequest } | { readonly refusal: Refusal }> {
  const malformed = { refusal: refusal("envelope_malformed", "the call or its envelope cannot be read") };
  if (typeof call.tool !== "string") return malformed;
  if (holding.kind === "chain" && !isShown(holding) && !setting.keys.has(setting.agent))
    return { refusal: refusal("holder_mismatch", `there is no key of \`${setting.agent}\` to prove the call with`) };
  const { args, flaw } = readArguments(call.arguments);
  const proof = await askWithin(setting.deadline, call.signal, () => present(setting, holding, { name: call.tool, server: call.server, args }));
  if ("refusal" in proof) return proof;
  try {
    return { answer: describe(setting, call, task, proof.answer, args, flaw) };
  } catch {
    return malformed; // INVARIANT I1: refused by the caller
  }
}

function describe(setting: PepSetting, call: ToolCall, task: Task, presentation: Presentation, args: JsonObject, flaw: Refusal | undefined): AccessRequest {
  const turn = call.callId !== undefined && call.turn !== undefined ? `${call.turn}/${call.callId}` : `once/${randomText()}`;
  return {
    subject: { type: "user", id: task.envelope.delegatorId },
    action: {
      name: call.tool,
      properties: { ...(call.server === undefined ? {} : { server: call.server }), ...(call.definition === undefined ? {} : { definition: call.definition }) },
    },
    resource: { type: "tool", id: call.tool },
    context: {
      presentation,
      agent: setting.agent,
      call_id: `${task.envelopeId}/${turn}`,
      call_digest: callDigest(call.tool, call.server, args),
      arguments: args,
      supported_obligations: SUPPORTED_OBLIGATIONS,
      ...(flaw === undefined ? {} : { refusal: flaw }),
      ...modeOf(setting),
    },
  };
}

function conclude(decision: Decision, request: AccessRequest): Verdict {
  const { id, refusal: reason, obligations } = decision.context;
  if (decision.decision !== true || request.context.refusal !== undefined) {
    const why = reason ?? request.context.refusal ?? refusal("pdp_response_invalid", "the decision point denies without a reason");
    return { kind: why.code === "approval_required" ? "approval_required" : "deny", decisionId: id, refusal: why };
  }
  return { kind: "permit", decisionId: id, arguments: request.context.arguments, obligations: obligations ?? [] };
}

/** INVARIANT I5: the last look before the tool runs, and the only one that a revocation or expiry since the decision can be seen by. */
async function redeem(
  setting: PepSetting,
  signal: AbortSignal | undefined,
  request: AccessRequest,
  grant: Grant,
): Promise<{ readonly receipt?: string } | { readonly refusal: Refusal }> {
  const { presentation, agent, call_id: callId, call_digest: digest } = request.context;
  const redemption = { presentation, agent, callId, grantId: grant.id, callDigest: digest };
  const asked = await askWithin(setting.deadline, signal, async () => parseRedemption(await setting.pdp.redeem(redemption)));
  return "refusal" in asked ? asked : asked.answer;
}

type Settle = (status: OutcomeStatus, more?: Pick<Outcome, "records" | "money" | "resultDigest" | "redeemed" | "credential">) => Promise<Refusal | undefined>;

/** Records an outcome once; later calls change nothing. Answers why it could not be recorded. */
function createSettlement(
  setting: PepSetting,
  request: AccessRequest,
  { context: { id: decisionId, grant } }: Decision,
  receipt: () => string | undefined = () => undefined,
): Settle {
  let first: Promise<Refusal | undefined> | undefined;
  const send: Settle = async (status, more) => {
    const { presentation, agent, call_id: callId } = request.context;
    const outcome: Outcome = { presentation, agent, callId, decisionId, grantId: grant?.id ?? "", status, receipt: receipt(), ...more };
    const asked = await askWithin(setting.deadline, undefined, async () => parseAcknowledgement(await setting.pdp.settle(outcome), "recorded"));
    return "refusal" in asked ? asked.refusal : undefined;
  };
  return (status, more) => (first ??= send(status, more));
}

function admission(verdict: Extract<Verdict, { kind: "permit" }>, end: Settle): Omit<Admission, "run"> {
  const { decisionId, obligations } = verdict;
  let completion: Promise<Completion<unknown>> | undefined;
  let credential: CredentialUse | undefined;
  const settle: Settle = (status, more) => end(status, { ...more, ...(credential === undefined ? {} : { credential }) });
  const release = async (result: unknown): Promise<Completion<unknown>> => {
    const carried = tryCarryOut(result, obligations);
    if (carried === undefined) {
      await settle("withheld");
      return withhold(decisionId, refusal("obligation_unsupported", "the tool ran, but its answer lacks what must be checked in it; the answer is withheld"));
    }
    const flaw = await settle(carried.isError ? "failed" : "done", {
      records: carried.records,
      money: carried.money,
      resultDigest: digestResult(carried.result),
    });
    if (flaw !== undefined)
      return withhold(decisionId, { ...flaw, message: "the tool ran, but its outcome could not be recorded; the answer is withheld", retryable: false });
    return { released: true, result: carried.result };
  };
  const close = async (...outcome: Parameters<Settle>): Promise<void> => {
    completion ??= Promise.resolve(withhold(decisionId, refusal("grant_replayed", "the call has already ended; the answer is withheld")));
    await settle(...outcome);
  };
  return {
    admitted: true,
    decisionId,
    arguments: structuredClone(verdict.arguments) as Record<string, unknown>,
    holdsResult: holdsResult(obligations),
    // INVARIANT I10: what it is called, and no more of it.
    uses: ({ connector, overPrivileged }) => void (credential = { connector, ...(overPrivileged === undefined ? {} : { overPrivileged }) }),
    // INVARIANT I5: a call ends once, and only the result that was recorded is ever shown.
    complete: <T>(result: T) => (completion ??= release(result)) as Promise<Completion<T>>,
    fail: () => close("failed"),
    abandon: () => close("unknown"),
    pause: () => close("paused"),
    cancel: () => close("not_run", { redeemed: true }),
  };
}

function withhold<T>(decisionId: string, reason: Refusal): Completion<T> {
  return { released: false, refused: { kind: "deny", decisionId, refusal: reason } };
}

/** Whatever a result makes the check do, it is not shown unchecked. */
function tryCarryOut<T>(result: T, obligations: readonly Obligation[]): Carried<T> | undefined {
  try {
    return carryOut(result, obligations);
  } catch {
    return undefined;
  }
}

/**
 * A commitment: salted, because a result may be guessable and the record is not secret. None of a result that is not plain data, or that is larger than
 * arguments may be: nothing else runs while it is computed.
 */
function digestResult(result: unknown): string | undefined {
  try {
    return saltedDigestOf(copyData(result ?? null, "obligation_unsupported", "the result"), randomText());
  } catch {
    return undefined;
  }
}

function refuse(decision: Decision, decisionId = decision.context.id): Asked {
  const reason = decision.context.refusal ?? refusal("pdp_response_invalid", "no reason");
  return refusing({ kind: "deny", decisionId, refusal: reason });
}

function refusing(refused: Refused): Asked {
  return { refused, admit: async () => ({ admitted: false, refused }) };
}
