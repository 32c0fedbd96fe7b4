import { randomText } from "../data/digest.ts";
import { isIdentifier } from "../data/names.ts";
import { copyData, type JsonObject } from "../data/json.ts";
import { AmbitError, type RefusalCode } from "../errors.ts";
import { parseAcknowledgement } from "../pdp/decision.ts";
import { parseIssueAnswer } from "../pdp/issue.ts";
import type { Refusal } from "../pdp/decision.ts";
import { PDP_CAPABILITY, type BeginRequest, type Excerpt, type HandOffRequest, type IssueAnswer, type Pdp } from "../pdp/pdp.ts";
import { admit, type PepSetting } from "./admit.ts";
import { askWithin } from "./ask.ts";
import type { BeginOptions, Enforced, HandOffOptions, Pep } from "./pep.ts";
import { createTask, presentationOf, resolveEnvelope, type Task } from "./task.ts";
import { milliseconds } from "./time.ts";

export interface PepOptions {
  /** An embedded decision point, or a client of the service. */
  readonly pdp: Pdp;
  /** The agent that this enforcement point speaks for; registered in `agents.json`. */
  readonly agent: string;
  /** Milliseconds for one question to the decision point; past it the answer is a deny (`pdp_timeout`). Default 1000. */
  readonly deadline?: number | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

/**
 * The enforcement point of an agent. Default deny: only an explicit permit runs a tool.
 * Refuses (`option_invalid`) a decision point without our capability: a foreign AuthZEN decision point plugs in as a policy engine.
 */
export function createPep(options: PepOptions): Pep {
  const { pdp, agent, deadline = 1000, now = Date.now } = options;
  if (pdp?.capability !== PDP_CAPABILITY) {
    throw new AmbitError("option_invalid", "`pdp` must come from `createPdp` or `pdpClient`; other decision points plug in as policy engines");
  }
  if (!isIdentifier(agent)) throw new AmbitError("option_invalid", "`agent` must be the id of an agent");
  const setting: PepSetting = { pdp, agent, deadline: milliseconds(deadline, "deadline"), now };

  const issue = async (ask: () => Promise<IssueAnswer>, data: readonly Excerpt[]): Promise<Task> => {
    const asked = await askWithin(setting.deadline, undefined, async () => parseIssueAnswer(await ask()));
    if ("refusal" in asked) throw new AmbitError(asked.refusal.code, asked.refusal.message);
    const answer = asked.answer;
    if (answer.decision !== true) throw refusedError(answer.refusal, answer.id);
    const { presentation } = answer.issued;
    return createTask(answer.issued, answer.id, data, async () => {
      const ended = await askWithin(setting.deadline, undefined, async () => parseAcknowledgement(await pdp.end({ presentation, agent }), "ended"));
      if ("refusal" in ended) throw new AmbitError(ended.refusal.code as RefusalCode, "the task could not be ended; its envelope stays valid until it expires");
    });
  };

  return Object.freeze<Pep>({
    agent,
    begin: async (begin) => {
      const request: BeginRequest = { envelope: envelopeOf(begin, agent, now()), agent, instruction: begin.instruction, assertedBy: "app" };
      return issue(() => pdp.begin(request), []);
    },
    handOff: async (source, handOff) => {
      const found = await askWithin(setting.deadline, undefined, () => resolveEnvelope(source));
      if ("refusal" in found) throw new AmbitError(found.refusal.code, found.refusal.message);
      const parent = presentationOf(found.answer);
      if (parent === undefined) throw new AmbitError("envelope_malformed", "there is no envelope to hand off from");
      const data = handOff.data ?? [];
      const excerpts = data.map(({ label, dataClasses }) => ({ label, dataClasses }));
      const request: HandOffRequest = { parent, agent, narrowing: narrowingOf(handOff, now()), excerpts };
      return issue(() => pdp.handOff(request), data);
    },
    as: (other) => createPep({ ...options, agent: other }),
    admit: (call) => admit(setting, call),
    enforce: async <T>(call: Parameters<Pep["admit"]>[0], run: (args: Record<string, unknown>) => T | Promise<T>): Promise<Enforced<T>> => {
      const admission = await admit(setting, call);
      if (!admission.admitted) return { refused: admission.refused };
      let result: T;
      try {
        result = await run(admission.arguments);
      } catch (error) {
        await (call.signal?.aborted === true ? admission.abandon() : admission.fail(error));
        throw error;
      }
      const completion = await admission.complete(result);
      return completion.released ? { result: completion.result, decisionId: admission.decisionId } : { refused: completion.refused };
    },
  });
}

/** The options as the envelope of docs/architecture.md; the decision point parses it like any other. */
function envelopeOf(options: BeginOptions, agent: string, now: number): JsonObject {
  const { expiresIn, expiresAt } = options;
  if ((expiresIn === undefined) === (expiresAt === undefined)) throw new AmbitError("option_invalid", "give one of `expiresIn` and `expiresAt`");
  const end = expiresIn === undefined ? expiresAt : now + milliseconds(expiresIn, "expiresIn");
  const envelope = {
    delegator_id: options.delegatorId,
    tenant_id: options.tenantId,
    session_id: options.sessionId ?? `sess_${randomText(9)}`,
    task_id: options.taskId ?? `task_${randomText(9)}`,
    purpose: options.purpose,
    agent_id: agent,
    allowed_tools: options.allowedTools,
    may_delegate: options.mayDelegate,
    denied_tools: options.deniedTools,
    resource_constraints: options.resourceConstraints,
    budgets: options.budgets,
    approvals: options.approvals,
    max_depth: options.maxDepth,
    expires_at: typeof end === "number" ? isoInstant(end) : end,
  };
  return copyData(envelope, "envelope_malformed", "the envelope") as JsonObject;
}

function isoInstant(time: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw new AmbitError("option_invalid", "`expiresAt` is not a time");
  return date.toISOString();
}

function narrowingOf(options: HandOffOptions, now: number): { readonly agentId: string } & Record<string, unknown> {
  const { data: _, expiresIn, allowedTools = [], ...rest } = options;
  return { ...rest, allowedTools, ...(expiresIn === undefined ? {} : { expiresAt: now + milliseconds(expiresIn, "expiresIn") }) };
}

/** `begin` and `handOff` are called by a developer's code, so what to change is part of the message. */
function refusedError({ code, message, hint }: Refusal, decisionId: string): AmbitError {
  return new AmbitError(code, message, { decisionId, hint });
}
