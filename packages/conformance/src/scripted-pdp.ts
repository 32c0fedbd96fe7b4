import {
  createPep,
  createVocabulary,
  parseEnvelope,
  PDP_CAPABILITY,
  type AccessRequest,
  type Decision,
  type HandOffRequest,
  type IssueAnswer,
  type Obligation,
  type Outcome,
  type Pdp,
  type Pep,
  type Redemption,
  type RefusalCode,
  type Task,
  type Terms,
} from "@ambit/core";
import { parsePurposes } from "@ambit/pdp";

type Answers = { readonly [method in "begin" | "handOff" | "decide" | "redeem" | "settle" | "terms"]?: (...request: Parameters<Pdp[method]>) => unknown };

/**
 * A decision point that writes down what it is asked and answers what a test says, however broken that is; unless told otherwise, it permits, and every name is one of the
 * tool that the envelopes of `enforcement` allow.
 */
export interface ScriptedPdp extends Pdp {
  readonly asked: AccessRequest[];
  readonly redeemed: Redemption[];
  readonly settled: Outcome[];
  readonly handedOff: HandOffRequest[];
  /** Handles that were ended. */
  readonly ended: string[];
}

export function scriptedPdp(answers: Answers = {}): ScriptedPdp {
  const notes = {
    asked: [] as AccessRequest[],
    redeemed: [] as Redemption[],
    settled: [] as Outcome[],
    handedOff: [] as HandOffRequest[],
    ended: [] as string[],
  };
  let issued = 0;
  const issue = (envelope: unknown, depth: number): IssueAnswer => {
    const id = `env_${++issued}`;
    const parsed = parseEnvelope(envelope, createVocabulary({}));
    return { decision: true, id: `dec_${id}`, issued: { envelopeId: id, lineage: "lin_1", depth, envelope: parsed, holding: { kind: "handle", handle: id } } };
  };
  const child = ({ narrowing }: HandOffRequest): IssueAnswer =>
    issue({ ...WIRE, agent_id: narrowing.agentId, allowed_tools: [...(narrowing.allowedTools ?? [])] }, 1);
  // Not `async`: an answer that throws must throw, not reject.
  const answer =
    <R = void>(list: R[] | undefined, given: ((request: never) => unknown) | undefined, usual: (request: R) => unknown) =>
    (request: R): never => {
      list?.push(request);
      return (given === undefined ? Promise.resolve(usual(request)) : given(request as never)) as never;
    };
  return {
    capability: PDP_CAPABILITY,
    ...notes,
    begin: answer(undefined, answers.begin, ({ envelope }: Parameters<Pdp["begin"]>[0]) => issue(envelope, 0)),
    handOff: answer(notes.handedOff, answers.handOff, child),
    decide: answer(notes.asked, answers.decide, () => permit()),
    redeem: answer(notes.redeemed, answers.redeem, () => ({ redeemed: true, receipt: "receipt_1" })),
    settle: answer(notes.settled, answers.settle, () => ({ recorded: true })),
    terms: answer(undefined, answers.terms, () => naming(() => true)),
    introduce: () => Promise.reject(new Error("there are no signed envelopes here")),
    end: async ({ presentation }) => {
      notes.ended.push(presentation.kind === "handle" ? presentation.handle : "");
      return { ended: true };
    },
  };
}

export function permit(...obligations: readonly Obligation[]): Decision {
  return { decision: true, context: { id: "dec_permit", grant: { id: "grant_1", expiresAt: Date.now() + 60_000 }, obligations } };
}

export function deny(code: RefusalCode = "policy_denied"): Decision {
  return { decision: false, context: { id: "dec_deny", refusal: { code, message: "not within this task", retryable: false } } };
}

/** Terms by which those names are the tool's that the envelopes of `enforcement` allow. */
export function naming(isName: (name: string, server: string | undefined) => boolean): Terms {
  const order = { vocabulary: createVocabulary({}), purposes: parsePurposes({ purposes: { review: { tools: [TOOL] } } }) };
  return {
    order,
    audience: ["urn:example:pdp"],
    toolId: (name, server) => (isName(name, server) ? TOOL : undefined),
    pinOf: (name, server) => (isName(name, server) ? "none" : undefined),
  };
}

const TOOL = "contracts.read";

const WIRE = {
  delegator_id: "user_1",
  tenant_id: "tenant_1",
  session_id: "sess_1",
  task_id: "task_1",
  purpose: "review",
  agent_id: "reviewer",
  allowed_tools: [TOOL],
  resource_constraints: {},
  expires_at: "2999-01-01T00:00:00Z",
};

/** An enforcement point with a begun task, in front of `pdp`; `deadline` in milliseconds. */
export async function enforcement(pdp: Pdp, deadline = 200): Promise<{ readonly pep: Pep; readonly task: Task }> {
  const pep = createPep({ pdp, agent: "reviewer", deadline });
  const begin = { delegatorId: "user_1", tenantId: "tenant_1", purpose: "review", allowedTools: [TOOL], resourceConstraints: {}, expiresIn: "10m" };
  return { pep, task: await pep.begin(begin) };
}
