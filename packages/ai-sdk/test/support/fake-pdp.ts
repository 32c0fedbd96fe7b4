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
  type RefusalCode,
  type Task,
} from "@ambit/core";

/** A decision point that writes down what it is asked and answers what the test says; unless told otherwise, it permits. */
export interface FakePdp extends Pdp {
  readonly asked: AccessRequest[];
  readonly settled: Outcome[];
  readonly handedOff: HandOffRequest[];
  readonly ended: string[];
}

export function fakePdp(answers: Partial<Omit<Pdp, "capability">> = {}): FakePdp {
  const asked: AccessRequest[] = [];
  const settled: Outcome[] = [];
  const handedOff: HandOffRequest[] = [];
  const ended: string[] = [];
  let issued = 0;
  const issue = (envelope: unknown, depth: number): IssueAnswer => {
    const id = `env_${++issued}`;
    return {
      decision: true,
      id: `dec_${id}`,
      issued: {
        envelopeId: id,
        lineage: "lin_1",
        depth,
        envelope: parseEnvelope(envelope, createVocabulary({})),
        holding: { kind: "handle", handle: id },
      },
    };
  };
  return {
    capability: PDP_CAPABILITY,
    asked,
    settled,
    handedOff,
    ended,
    begin: answers.begin ?? (async (request) => issue(request.envelope, 0)),
    handOff: async (request) => {
      handedOff.push(request);
      if (answers.handOff !== undefined) return answers.handOff(request);
      return issue({ ...WIRE, agent_id: request.narrowing.agentId, allowed_tools: [...(request.narrowing.allowedTools ?? [])] }, 1);
    },
    decide: async (request) => {
      asked.push(request);
      return (answers.decide ?? (async () => permit()))(request);
    },
    redeem: answers.redeem ?? (async () => ({ redeemed: true }) as const),
    settle: async (outcome) => {
      settled.push(outcome);
      return (answers.settle ?? (async () => ({ recorded: true }) as const))(outcome);
    },
    terms: () => Promise.reject(new Error("there are no signed envelopes here")),
    introduce: () => Promise.reject(new Error("there are no signed envelopes here")),
    end: async ({ presentation }) => {
      ended.push(presentation.kind === "handle" ? presentation.handle : "");
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

const WIRE = {
  delegator_id: "user_1",
  tenant_id: "tenant_1",
  session_id: "sess_1",
  task_id: "task_1",
  purpose: "review",
  agent_id: "reviewer",
  allowed_tools: ["notes.read"],
  resource_constraints: {},
  expires_at: "2999-01-01T00:00:00Z",
};

/** An enforcement point with a begun task, in front of `pdp`. */
export async function enforcement(pdp: Pdp): Promise<{ readonly pep: Pep; readonly task: Task }> {
  const pep = createPep({ pdp, agent: "reviewer", deadline: 200 });
  const task = await pep.begin({
    delegatorId: "user_1",
    tenantId: "tenant_1",
    purpose: "review",
    allowedTools: ["notes.read"],
    resourceConstraints: {},
    expiresIn: "10m",
  });
  return { pep, task };
}
