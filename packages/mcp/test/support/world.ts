import { createPep, definitionDigest, type Pep, type Task } from "@ambit/core";
import { createMemoryLog, verifyLog, type LogRecord } from "@ambit/core/audit";
import { createKeyRing } from "@ambit/core/identity";
import { generateKey, type SigningKey } from "@ambit/core/token";
import { createPdp, type EmbeddedPdp, type PdpConfig } from "@ambit/pdp";
import { CONTRACTS_READ } from "./crm.ts";

export const PDP = "urn:example:pdp";
export const CRM = "urn:example:crm";
const SIGNER = "https://pdp.example";

const text = { type: "string" } as const;

/** A tool without constraints that returns nothing to count, under each of its names at the server `crm`. */
function tool(name: string, properties: object, more: object = {}): object {
  const input_schema = { type: "object", properties };
  return { names: [{ server: "crm", name, pin: "none" }], input_schema, effect: "read", records: "none", data_classes: [], sends_outside: false, ...more };
}

/** Tools of the manifest; `prompts.get` and `tasks.get` are in no envelope, and what is not here is mapped to nothing. */
const TOOLS: Readonly<Record<string, object>> = {
  "contracts.read": tool("contracts_read", { customer_id: text }, { records: { result: "/records", most: 2 } }),
  "contracts.delete": tool("contracts_delete", { customer_id: text }),
  "crm.read_contact": tool("crm.read_contact", { limit: { type: "integer" } }),
  echo: tool("echo", { n: { type: "integer" }, text }),
  "resources.read": tool("resources/read", { uri: { enum: ["crm://public"] } }, { records: { result: "/contents", most: 5 } }),
  "completion.complete": tool("completion/complete", { ref: { type: "object" }, argument: { type: "object" } }),
  "prompts.get": tool("prompts/get", { name: text }),
  "tasks.get": tool("tasks/get", { taskId: text }),
  "roots.list": tool("roots/list", {}),
  "elicitation.create": tool("elicitation/create", { message: { enum: ["which year?"] }, requestedSchema: { type: "object" }, mode: text }),
};
const OUTSIDE: ReadonlySet<string> = new Set(["prompts.get", "tasks.get", "contracts.delete"]);
const ALLOWED: readonly string[] = Object.keys(TOOLS).filter((id) => !OUTSIDE.has(id));

/** The same manifest with the definition of `contracts_read` pinned. */
const PINNED = {
  ...TOOLS,
  "contracts.read": tool(
    "contracts_read",
    { customer_id: text },
    { names: [{ server: "crm", name: "contracts_read", pin: definitionDigest(CONTRACTS_READ) }] },
  ),
};

export interface World {
  readonly pdp: EmbeddedPdp;
  readonly pep: Pep;
  readonly task: Task;
  /** Of the agent `reviewer`, where it has one. */
  readonly key: SigningKey;
  /** Signs the envelopes. */
  readonly root: SigningKey;
  readonly now: () => number;
  /** Moves the clock, in milliseconds. */
  advance(by: number): void;
  /** `[tool, decision or code]` of every decision on the record, in order. */
  decisions(): readonly (readonly [unknown, unknown])[];
  /** How the permitted calls ended. */
  outcomes(): readonly unknown[];
}

export interface WorldOptions {
  readonly isSigned?: boolean;
  readonly isPinned?: boolean;
  readonly mode?: "observe";
  readonly allowedTools?: readonly string[];
  /** In the real time, for servers in other processes. */
  readonly isNow?: boolean;
  /** Other pins of definitions, by tool id; each tool goes by its id. */
  readonly pins?: Readonly<Record<string, string>>;
}

export async function createWorld({
  isSigned = false,
  isPinned = false,
  isNow = false,
  pins = {},
  mode,
  allowedTools = ALLOWED,
}: WorldOptions = {}): Promise<World> {
  let time = isNow ? Date.now() : Date.parse("2026-05-12T18:00:00Z");
  const now = (): number => time;
  const [key, root] = [await generateKey(), await generateKey()];
  const log = createMemoryLog({ now });
  const signing = { issuer: SIGNER, keys: createKeyRing({ current: root, now }), tenants: new Set(["tenant_1"]) };
  const repinned = Object.entries(pins).map(([id, pin]) => [id, { ...TOOLS[id], names: [{ server: "crm", name: id, pin }] }]);
  const config = configOf(key, { ...(isPinned ? PINNED : TOOLS), ...Object.fromEntries(repinned) });
  const pdp = await createPdp(config, { log, now, ...(isSigned ? { signing, audience: [PDP, CRM] } : {}) });
  const keys = new Map(isSigned ? [["reviewer", key] as const] : []);
  const pep = createPep({ pdp, agent: "reviewer", keys, now, deadline: 5000, ...(mode === undefined ? {} : { mode }) });
  const begin = { delegatorId: "user_1", tenantId: "tenant_1", purpose: "review", resourceConstraints: { max_records: 25 }, expiresIn: "10m" };
  const task = await pep.begin({ ...begin, allowedTools });
  return { pdp, pep, task, key, root, now, advance: (by) => void (time += by), ...recordsOf(log) };
}

/** The decision point of a server, which takes what the other one has signed and shares nothing else with it. */
export async function createServerWorld({ key, root, now }: World) {
  const log = createMemoryLog({ now });
  const config = serverConfigOf(key, root);
  const pdp = await createPdp(config, { log, now, audience: [CRM] });
  return { pdp, config, ...recordsOf(log) };
}

function serverConfigOf(key: SigningKey, root: SigningKey): PdpConfig {
  const anchors = [{ kind: "ambit", issuer: SIGNER, jwk: root.public.jwk, tenants: ["tenant_1"] }];
  return { ...configOf(key, TOOLS), anchors } as PdpConfig;
}

function recordsOf(log: ReturnType<typeof createMemoryLog>) {
  const recordsOfKind = (kind: string): readonly LogRecord[] => {
    const verified = verifyLog(log.text());
    if (!verified.intact) throw new Error(verified.reason);
    return verified.records.filter((record) => record.kind === kind);
  };
  return {
    decisions: () => recordsOfKind("decision").map(({ details }) => [details["tool"], details["code"] ?? details["decision"]] as const),
    /** What was refused, by whom as far as anybody knows. */
    attempts: () =>
      recordsOfKind("decision").flatMap(({ decision_id: id, agent, details }) =>
        details["decision"] === "permit" ? [] : [{ id, agent, tool: details["tool"] }],
      ),
    outcomes: () => recordsOfKind("outcome").map(({ details }) => details["status"]),
  };
}

function configOf(key: SigningKey, tools: Readonly<Record<string, object>>): PdpConfig {
  return {
    manifest: { tools },
    agents: { agents: { reviewer: { trust_zone: "first_party", ceiling: "none", keys: [key.public.jwk] } } },
    purposes: { purposes: { review: { tools: Object.keys(TOOLS) } } },
    policies: [{ name: "main.cedar", text: '@id("all") permit (principal, action, resource);' }],
    log: "memory",
    state: "memory",
    approvals: "none",
  };
}
