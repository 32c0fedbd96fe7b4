import { createMemoryLog, verifyLog, type LogRecord } from "@ambit/core/audit";
import { createPep, type BeginOptions, type Pdp, type Pep, type Task } from "@ambit/core";
import { createKeyRing } from "@ambit/core/identity";
import { generateKey, type SigningKey } from "@ambit/core/token";
import { createPdp, type Approval, type EmbeddedPdp, type PdpConfig, type PdpOptions } from "@ambit/pdp";
import { AGENTS, manifestOf, POLICIES, PURPOSES, TOOLS } from "./configuration.ts";

/** How the envelopes of a world are held. */
export type HoldingKind = "handles" | "signed envelopes";

/** A real decision point with real policies, in a time of its own. */
export interface World {
  readonly pdp: EmbeddedPdp;
  /** Of the agent `reviewer`. */
  readonly pep: Pep;
  begin(change?: Partial<BeginOptions>): Promise<Task>;
  /** The same agent, before a decision point that does something besides. */
  pepBefore(change: (pdp: EmbeddedPdp) => Partial<Pdp>): Pep;
  /** Moves the clock, in milliseconds. */
  advance(by: number): void;
  /** The decision log, once it is verified. */
  records(kind?: string): readonly LogRecord[];
  waiting(): Promise<readonly Approval[]>;
  /** Has everything that waits answered by the delegator. */
  answer(decision: "approve" | "deny"): Promise<void>;
  /** What must be seen nowhere: handles, tokens and proofs of signed envelopes, grants and their receipts. */
  readonly secrets: readonly string[];
}

export interface WorldOptions {
  readonly holding: HoldingKind;
  readonly server?: string | undefined;
  /** Digests that definitions of tools are pinned to, by tool id. */
  readonly pins?: Readonly<Record<string, string>>;
}

const BEGIN: BeginOptions = {
  delegatorId: "user_1",
  tenantId: "tenant_1",
  purpose: "review",
  allowedTools: TOOLS,
  resourceConstraints: {
    customer_id: "c1",
    contract_ids: ["k1", "k2"],
    max_records: 25,
    data_classes: ["contract_metadata", "renewal_terms", "support_summary", "survey"],
  },
  budgets: { tools: { "quota.read": { calls: 0 } } },
  approvals: ["payments.pay"],
  expiresIn: "10m",
};

export async function createWorld({ holding, server, pins = {} }: WorldOptions): Promise<World> {
  let time = Date.parse("2026-05-12T18:00:00Z");
  const now = (): number => time;
  const log = createMemoryLog({ now });
  const keys = new Map<string, SigningKey>();
  if (holding === "signed envelopes") for (const agent of Object.keys(AGENTS)) keys.set(agent, await generateKey());
  const agents = Object.fromEntries(
    Object.entries(AGENTS).map(([id, agent]) => [id, { ...agent, ...(keys.has(id) ? { keys: [keys.get(id)?.public.jwk] } : {}) }]),
  );
  const config: PdpConfig = {
    manifest: manifestOf(server, pins),
    agents: { agents },
    purposes: PURPOSES,
    policies: [{ name: "conformance.cedar", text: POLICIES }],
    log: "memory",
    state: "memory",
    approvals: {},
  };
  const signing: PdpOptions =
    holding === "handles"
      ? {}
      : {
          signing: { issuer: "https://pdp.example", keys: createKeyRing({ current: await generateKey(), now }), tenants: new Set(["tenant_1"]) },
          audience: ["urn:example:pdp"],
        };
  const pdp = await createPdp(config, { log, now, ...signing });
  const secrets: string[] = [];
  const pepBefore: World["pepBefore"] = (change) =>
    createPep({ pdp: remembering({ ...pdp, ...change(pdp) }, secrets), agent: "reviewer", keys, now, deadline: 10_000 });
  const pep = pepBefore(() => ({}));
  const waiting = async (): Promise<readonly Approval[]> => (await pdp.approvals.list("tenant_1")).filter(({ status }) => status === "pending");
  return {
    pdp,
    pep,
    begin: (change) => pep.begin({ ...BEGIN, ...change }),
    pepBefore,
    advance: (by) => void (time += by),
    records: (kind) => {
      const verified = verifyLog(log.text());
      if (!verified.intact) throw new Error(verified.reason);
      return verified.records.filter((record) => kind === undefined || record.kind === kind);
    },
    waiting,
    answer: async (decision) => {
      for (const { id } of await waiting()) await pdp.approvals.answer({ tenantId: "tenant_1", id, approver: "user_1", decision, assertedBy: "conformance" });
    },
    secrets,
  };
}

/** Notes what only the two points may know, so that it can be looked for elsewhere. */
function remembering(pdp: Pdp, secrets: string[]): Pdp {
  return {
    ...pdp,
    decide: async (request) => {
      const { presentation } = request.context;
      secrets.push(...(presentation.kind === "handle" ? [presentation.handle] : [...presentation.chain, presentation.pop]));
      const decision = await pdp.decide(request);
      if (decision.context.grant !== undefined) secrets.push(decision.context.grant.id);
      return decision;
    },
    redeem: async (request) => {
      const answer = await pdp.redeem(request);
      if (answer.redeemed && answer.receipt !== undefined) secrets.push(answer.receipt);
      return answer;
    },
  };
}
