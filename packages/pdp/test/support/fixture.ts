import { createMemoryLog, verifyLog, type LogRecord, type MemoryLog } from "@ambit/core/audit";
import { createPep, type BeginOptions, type Enforced, type Pdp, type Pep, type Task } from "@ambit/core";
import { createPdp, type EmbeddedPdp, type PdpConfig, type PdpOptions } from "@ambit/pdp";

export const NOW = Date.parse("2026-05-12T18:00:00Z");

const text = { type: "string" } as const;

export const MANIFEST = {
  tools: {
    "contracts.read": {
      names: [
        { name: "contracts_read", pin: "none" },
        { server: "crm", name: "contracts_read", pin: `sha-256:${"A".repeat(43)}` },
      ],
      input_schema: { type: "object", properties: { contract_id: text }, required: ["contract_id"] },
      effect: "read",
      resource: { type: "Contract", id: "/contract_id" },
      constraints: { customer_id: { result: "/customer_id" }, contract_ids: { argument: "/contract_id" } },
      records: { result: "", most: 1 },
      data_classes: { contract_metadata: ["/title"], renewal_terms: ["/terms"], salary: ["/salary"] },
      sends_outside: false,
    },
    "crm.read": {
      names: [{ name: "crm_read", pin: "none" }],
      input_schema: { type: "object", properties: { customer_id: text, limit: { type: "integer" } }, required: ["customer_id"] },
      effect: "read",
      constraints: { customer_id: { argument: "/customer_id", result: "/records/*/customer_id" }, contract_ids: "not_applicable" },
      records: { result: "/records", limit: "/limit", most: 50 },
      data_classes: ["support_summary"],
      output: "trusted",
      sends_outside: false,
    },
    "tickets.create": {
      names: [{ name: "tickets_create", pin: "none" }],
      input_schema: { type: "object", properties: { title: text, cost: { type: "number" } }, required: ["title"] },
      effect: "write",
      constraints: { customer_id: "not_applicable", contract_ids: "not_applicable" },
      records: "none",
      data_classes: [],
      sends_outside: false,
      money: { amount: "/cost", currency: "EUR" },
    },
    "mail.send": {
      names: [{ name: "mail_send", pin: "none" }],
      input_schema: { type: "object", properties: { to: text } },
      effect: "write",
    },
  },
} as const;

const TOOLS = ["contracts.read", "crm.read", "tickets.create"];

export const CONFIG: PdpConfig = {
  manifest: MANIFEST,
  agents: {
    agents: {
      reviewer: { trust_zone: "first_party", ceiling: "none" },
      classifier: { trust_zone: "third_party", ceiling: { allowed_tools: ["contracts.read", "crm.read"], resource_constraints: { max_records: 10 } } },
      coordinator: { trust_zone: "first_party", ceiling: { allowed_tools: [], may_delegate: TOOLS } },
    },
  },
  purposes: {
    purposes: {
      review: { tools: [...TOOLS, "mail.send"], data_classes: ["contract_metadata", "renewal_terms", "support_summary"] },
      classify: { parent: "review", tools: ["contracts.read", "crm.read"] },
      other: { tools: ["crm.read"] },
    },
  },
  policies: [
    {
      name: "main.cedar",
      text: `
@id("lifecycle") permit (principal, action in [Action::"ambit:begin", Action::"ambit:hand_off"], resource);
@id("reads") permit (principal, action in Action::"effect:read", resource);
@id("tickets") permit (principal, action == Action::"tickets.create", resource) unless { principal is Agent && principal.trust_zone == "third_party" };
@id("costly") forbid (principal, action == Action::"tickets.create", resource) when { context.arguments has cost && context.arguments.cost.greaterThan(decimal("1000000.0")) };
@id("suspended") forbid (principal == User::"user_suspended", action in Action::"ambit:call", resource);`,
    },
  ],
  log: "memory",
  state: "memory",
  approvals: "none",
};

export const BEGIN: BeginOptions = {
  delegatorId: "user_1",
  tenantId: "tenant_1",
  purpose: "review",
  allowedTools: TOOLS,
  resourceConstraints: {
    customer_id: "c1",
    contract_ids: ["k1", "k2"],
    max_records: 25,
    data_classes: ["contract_metadata", "renewal_terms", "support_summary"],
  },
  expiresIn: "10m",
};

export interface Fixture {
  readonly pdp: EmbeddedPdp;
  readonly pep: Pep;
  readonly log: MemoryLog;
  readonly now: () => number;
  /** The same agent before another decision point. */
  pepWith(pdp: Pdp): Pep;
  /** Moves the clock, in milliseconds. */
  advance(by: number): void;
  records(): readonly LogRecord[];
}

export async function fixture(config: Partial<PdpConfig> = {}, options: PdpOptions = {}, agent = "reviewer"): Promise<Fixture> {
  let time = NOW;
  const now = (): number => time;
  const log = createMemoryLog({ now });
  const pdp = await createPdp({ ...CONFIG, ...config }, { log, now, ...options });
  return {
    pdp,
    pep: createPep({ pdp, agent, now, deadline: 10_000 }),
    log,
    now,
    pepWith: (other) => createPep({ pdp: other, agent, now, deadline: 10_000 }),
    advance: (by) => void (time += by),
    records: () => {
      const verified = verifyLog(log.text());
      if (!verified.intact) throw new Error(verified.reason);
      return verified.records;
    },
  };
}

/** Calls a tool that answers `result` and tells how it went: `permit`, or the code of the refusal. */
export async function outcomeOf(pep: Pep, envelope: Task, tool: string, args: object, result: unknown = {}): Promise<string> {
  const enforced = await pep.enforce({ envelope, tool, arguments: args }, () => result);
  return codeOf(enforced);
}

export function codeOf(enforced: Enforced<unknown>): string {
  return enforced.refused === undefined ? "permit" : enforced.refused.refusal.code;
}

/** The code with which a promise rejects. */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "resolved",
    (error: { code?: string }) => error.code ?? "no code",
  );
}
