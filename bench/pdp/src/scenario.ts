import {
  createPep,
  type AccessRequest,
  type BeginOptions,
  type BeginRequest,
  type Decision,
  type JsonObject,
  type Pdp,
  type Pep,
  type Task,
} from "@ambit/core";
import { createKeyRing } from "@ambit/core/identity";
import { generateKey, generatePrivateJwk, signingKey, type PrivateJwk, type SigningKey } from "@ambit/core/token";
import { createPdp, type EmbeddedPdp, type PdpConfig, type PdpOptions, type PolicyFile } from "@ambit/pdp";
import { createPorts, type Ports } from "./ports.ts";

const AGENT = "renewal-reviewer";
export const AUDIENCE = "https://pdp.acme.example";
export const TENANT = "tenant_acme";
export const TOOL = "contracts.read";
export const ARGS: JsonObject = { contract_id: "contract_7781", limit: 10 };
/** What the tool answers: nothing, in the form that the obligations are about. */
export const NOTHING: JsonObject = { records: [] };

const text = { type: "string" } as const;
const TOOLS = ["contracts.read", "crm.read", "tickets.create"] as const;
const DATA_CLASSES = ["contract_metadata", "renewal_terms", "support_summary"] as const;

export const MANIFEST: JsonObject = {
  tools: {
    "contracts.read": {
      names: [{ name: "contracts_read", pin: "none" }],
      input_schema: { type: "object", properties: { contract_id: text, limit: { type: "integer", minimum: 1 } }, required: ["contract_id"] },
      effect: "read",
      resource: { type: "Contract", id: "/contract_id" },
      constraints: { customer_id: "not_applicable", contract_ids: { argument: "/contract_id" } },
      records: { result: "/records", limit: "/limit", most: 50 },
      data_classes: ["contract_metadata", "renewal_terms"],
      sends_outside: false,
    },
    "crm.read": {
      names: [{ name: "crm_read", pin: "none" }],
      input_schema: { type: "object", properties: { customer_id: text }, required: ["customer_id"] },
      effect: "read",
      constraints: { customer_id: { argument: "/customer_id" }, contract_ids: "not_applicable" },
      records: { result: "/records", most: 50 },
      data_classes: ["support_summary"],
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
  },
};

export const POLICIES: readonly PolicyFile[] = [
  {
    name: "main.cedar",
    text: `
@id("lifecycle") permit (principal, action in [Action::"ambit:begin", Action::"ambit:hand_off"], resource);
@id("reads") permit (principal, action in Action::"effect:read", resource) when { context.tool.sends_outside == false };
@id("tickets") permit (principal, action == Action::"tickets.create", resource) unless { principal is Agent && principal.trust_zone == "third_party" };
@id("costly") forbid (principal, action == Action::"tickets.create", resource) when { context.arguments has cost && context.arguments.cost.greaterThan(decimal("1000000.0")) };
@id("tainted") forbid (principal, action in Action::"effect:write", resource) when { context.labels.integrity == "untrusted" };
@id("tenants") forbid (principal, action in Action::"ambit:call", resource) unless { context.delegator.tenant == context.tenant };
@id("suspended") forbid (principal == User::"user_suspended", action in Action::"ambit:call", resource);`,
  },
];

/** How many purposes there are, one below the other: what one more of them costs is what the step `intent` costs for one. */
export const PURPOSES: readonly string[] = Array.from({ length: 9 }, (_, index) => `review_${index + 1}`);
const purposes = Object.fromEntries(
  PURPOSES.map((id, index) => [id, { ...(index === 0 ? {} : { parent: PURPOSES[index - 1] }), tools: TOOLS, data_classes: DATA_CLASSES }]),
);

/** More than any run uses up, and reserved and counted all the same. */
const PLENTY = 1_000_000_000_000;

export const BEGIN: BeginOptions = {
  delegatorId: "user_7f3a91",
  tenantId: TENANT,
  purpose: PURPOSES[0] ?? "",
  allowedTools: TOOLS,
  resourceConstraints: { customer_id: "cust_acme_1042", contract_ids: ["contract_7781"], max_records: PLENTY, data_classes: DATA_CLASSES },
  budgets: { calls: PLENTY },
  expiresIn: "12h",
};

/** The same call as a question about policy alone. */
export const EVALUATION: JsonObject = {
  subject: { type: "agent", id: AGENT },
  action: { name: TOOL },
  resource: { type: "Contract", id: "contract_7781" },
  context: { tenant: TENANT, purpose: PURPOSES[0] ?? "", delegator: "user_7f3a91", arguments: ARGS },
};

/** A decision point with one agent before it, whose envelopes are behind handles, or signed. */
export interface World {
  readonly pdp: EmbeddedPdp;
  readonly pep: Pep;
  readonly ports: Ports;
  /** The agent's; absent with handles. */
  readonly key: SigningKey | undefined;
  readonly jwk: PrivateJwk | undefined;
  readonly pepBefore: (pdp: Pdp) => Pep;
}

export type Kind = "handle" | "signed";

export async function createWorld(kind: Kind, options: PdpOptions = {}, ports: Ports = createPorts()): Promise<World> {
  const jwk = kind === "signed" ? await generatePrivateJwk("Ed25519") : undefined;
  const key = jwk === undefined ? undefined : await signingKey(jwk);
  const config: PdpConfig = {
    manifest: MANIFEST,
    agents: { agents: { [AGENT]: { trust_zone: "first_party", ceiling: "none", ...(key === undefined ? {} : { keys: [{ ...key.public.jwk }] }) } } },
    purposes: { purposes },
    policies: POLICIES,
    log: "memory",
    state: "memory",
    approvals: "none",
  };
  const signing = { issuer: "https://issuer.acme.example", keys: createKeyRing({ current: await generateKey() }), tenants: new Set([TENANT]) };
  const pdp = await createPdp(config, { state: ports.state, log: ports.log, ...(key === undefined ? {} : { signing, audience: [AUDIENCE] }), ...options });
  const keys = new Map(key === undefined ? [] : [[AGENT, key]]);
  const pepBefore = (before: Pdp): Pep => createPep({ pdp: before, agent: AGENT, keys, deadline: 60_000 });
  return { pdp, pep: pepBefore(pdp), ports, key, jwk, pepBefore };
}

/** What an enforcement point really asks, and is told: to begin a task, and to be allowed one call under it. */
export interface Asked {
  readonly task: Task;
  readonly begin: BeginRequest;
  readonly decide: AccessRequest;
  readonly decision: Decision;
}

export async function asked({ pdp, pepBefore }: World, options: BeginOptions = BEGIN): Promise<Asked> {
  let [begin, decide, decision]: [BeginRequest?, AccessRequest?, Decision?] = [];
  const pep = pepBefore({
    ...pdp,
    begin: (request) => pdp.begin((begin = request)),
    decide: async (request) => (decision = await pdp.decide((decide = request))),
  });
  const task = await pep.begin(options);
  const { refused } = await pep.enforce({ envelope: task, tool: "contracts_read", arguments: ARGS }, () => NOTHING);
  if (refused !== undefined || begin === undefined || decide === undefined || decision === undefined) throw new Error(`refused: ${refused?.refusal.code}`);
  return { task, begin, decide, decision };
}
