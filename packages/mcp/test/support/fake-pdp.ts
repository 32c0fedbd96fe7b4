import {
  createPep,
  createVocabulary,
  parseEnvelope,
  PDP_CAPABILITY,
  type AccessRequest,
  type Decision,
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
}

export function fakePdp(answers: Partial<Pick<Pdp, "decide" | "redeem" | "settle">> = {}): FakePdp {
  const asked: AccessRequest[] = [];
  const settled: Outcome[] = [];
  return {
    capability: PDP_CAPABILITY,
    asked,
    settled,
    begin: async ({ envelope }) => ({
      decision: true,
      id: "dec_begin",
      issued: {
        envelopeId: "env_1",
        lineage: "lin_1",
        depth: 0,
        envelope: parseEnvelope(envelope, createVocabulary({})),
        holding: { kind: "handle", handle: "handle_1" },
      },
    }),
    handOff: async () => ({ decision: false, id: "dec_hand_off", refusal: { code: "hand_off_denied", message: "not here", retryable: false } }),
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
    end: async () => ({ ended: true }),
  };
}

export function permit(...obligations: readonly Obligation[]): Decision {
  return { decision: true, context: { id: "dec_permit", grant: { id: "grant_1", expiresAt: Date.now() + 60_000 }, obligations } };
}

export function deny(code: RefusalCode = "policy_denied"): Decision {
  return { decision: false, context: { id: "dec_deny", refusal: { code, message: "not within this task", retryable: false } } };
}

/** At most `max` elements of the list `records`. */
export function limitRecords(max: number): Obligation {
  return { id: "ob_1", type: "limit_records", properties: { pointer: "/records", max } };
}

/** An enforcement point with a begun task, in front of `pdp`. */
export async function enforcement(pdp: Pdp): Promise<{ readonly pep: Pep; readonly task: Task }> {
  const pep = createPep({ pdp, agent: "reviewer", deadline: 200 });
  const task = await pep.begin({
    delegatorId: "user_1",
    tenantId: "tenant_1",
    purpose: "review",
    allowedTools: ["contracts.read"],
    resourceConstraints: {},
    expiresIn: "10m",
  });
  return { pep, task };
}
