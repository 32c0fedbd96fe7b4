import { createPep, definitionDigest, type Pdp, type Pep, type Task } from "@ambit/core";
import { createMemoryLog, verifyLog } from "@ambit/core/audit";
import { createKeyRing } from "@ambit/core/identity";
import { generateKey, type SigningKey } from "@ambit/core/token";
import { createPdp, type EmbeddedPdp, type PdpConfig } from "@ambit/pdp";
import { createGateway, httpUpstream, serveGateway, type ClientAccess, type Connector, type GatewayOptions, type RunningGateway } from "../../src/index.ts";
import { CANARY, CRM_TOOLS, startCrm, type CrmTool, type IsAdmitted } from "./crm.ts";

export const GATEWAY = "urn:example:gateway";
const text = { type: "string" } as const;

function tool(name: string, properties: object, more: object = {}): object {
  const input_schema = { type: "object", properties };
  return { names: [{ server: "crm", name, pin: "none" }], input_schema, effect: "read", records: "none", data_classes: [], sends_outside: false, ...more };
}

const TOOLS: Readonly<Record<string, object>> = {
  "contracts.read": tool("contracts_read", { customer_id: text }, { records: { result: "/records", most: 2 } }),
  "contracts.delete": tool("contracts_delete", { customer_id: text }, { effect: "destructive" }),
  "crm.read_contact": tool("crm.read_contact", { limit: { type: "integer" } }),
  t: tool("t", {}),
  echo: tool("echo", { text }),
  "resources.read": tool("resources/read", { uri: { enum: ["crm://public"] } }, { records: { result: "/contents", most: 5 } }),
};

/** The credential of the one service account, whatever the action. */
export const BEARER: Connector = {
  name: "crm",
  obtain: async () => {
    const value = new TextEncoder().encode(CANARY);
    return {
      headers: { authorization: `Bearer ${CANARY}` },
      secrets: [value],
      overPrivileged: "one account for all",
      [Symbol.asyncDispose]: async () => void value.fill(0),
    };
  },
};

export interface World extends AsyncDisposable {
  readonly pdp: EmbeddedPdp;
  readonly pep: Pep;
  readonly task: Task;
  readonly key: SigningKey;
  /** A key that no envelope is bound to. */
  anotherKey(): Promise<SigningKey>;
  readonly crm: Awaited<ReturnType<typeof startCrm>>;
  readonly gateway: RunningGateway;
  readonly url: URL;
  /** `[tool, code or decision]` of every decision on the record, in order. */
  decisions(): readonly (readonly [unknown, unknown])[];
  outcomes(): readonly unknown[];
  /** The credential of every outcome on the record. */
  credentials(): readonly unknown[];
  /** The whole record. */
  record(): string;
  /** `asserted_by` of every task that was begun. */
  begun(): readonly unknown[];
  /** How many tasks were ended. */
  ended(): number;
}

/** The same manifest with the definition of one tool pinned. */
const PINNED = {
  ...TOOLS,
  "crm.read_contact": tool(
    "crm.read_contact",
    { limit: { type: "integer" } },
    { names: [{ server: "crm", name: "crm.read_contact", pin: definitionDigest(CRM_TOOLS.find(({ name }) => name === "crm.read_contact") as CrmTool) }] },
  ),
};

export interface WorldOptions extends Partial<GatewayOptions> {
  readonly allowedTools?: readonly string[];
  /** Whether whoever comes is let in as one and the same client, which has an envelope. */
  readonly isLetIn?: boolean;
  readonly isPinned?: boolean;
  /** Clients that are let in, each with an envelope of its own, by what they say of themselves in the header `x-client`. */
  readonly clients?: readonly string[];
  /** Whether the decision point answers no question about a call, for now. */
  readonly isHanging?: () => boolean;
  /** Milliseconds for one question of the enforcement point of those who are let in. */
  readonly pepDeadline?: number;
  /** Entries of the manifest. */
  readonly tools?: Readonly<Record<string, object>>;
  readonly crmTools?: World["crm"]["tools"];
  /** Where the credential comes from, and which requests the crm takes. */
  readonly connector?: Connector;
  readonly crmAdmits?: IsAdmitted;
  /** What the crm says of caching its lists. */
  readonly crmCache?: object;
  /** Where the gateway listens. @defaultValue where there is room */
  readonly port?: number;
  /** The issuers whose tokens prove who a delegator is. */
  readonly identity?: PdpConfig["identity"];
  /** How clients with access tokens get in. */
  readonly access?: (pep: Pep) => ClientAccess;
}

/** An agent with a signed envelope, the end service, and the gateway between them, which has the credential. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const {
    allowedTools = ["contracts.read", "echo", "resources.read"],
    isLetIn = false,
    isPinned = false,
    clients = [],
    pepDeadline = 5000,
    isHanging = () => false,
    connector = BEARER,
    tools = isPinned ? PINNED : TOOLS,
    crmTools,
    crmAdmits,
    crmCache,
    port = 0,
    identity,
    access: accessOf,
    ...rest
  } = options;
  const [key, root] = [await generateKey(), await generateKey()];
  const log = createMemoryLog({ now: Date.now });
  const signing = { issuer: "https://pdp.example", keys: createKeyRing({ current: root, now: Date.now }), tenants: new Set(["tenant_1"]) };
  const config: PdpConfig = {
    manifest: { tools },
    agents: { agents: { reviewer: { trust_zone: "first_party", ceiling: "none", keys: [key.public.jwk] } } },
    purposes: { purposes: { review: { tools: Object.keys(tools) } } },
    policies: [{ name: "main.cedar", text: '@id("all") permit (principal, action, resource);' }],
    log: "memory",
    state: "memory",
    approvals: "none",
    ...(identity === undefined ? {} : { identity }),
  };
  const pdp = await createPdp(config, { log, signing, audience: ["urn:example:pdp", GATEWAY] });
  const asked: Pdp = { ...pdp, decide: (request) => (isHanging() ? new Promise(() => undefined) : pdp.decide(request)) };
  const pep = createPep({ pdp: asked, agent: "reviewer", keys: new Map([["reviewer", key]]), deadline: pepDeadline });
  const begin = { delegatorId: "user_1", tenantId: "tenant_1", purpose: "review", resourceConstraints: { max_records: 25 }, expiresIn: "10m" };
  const task = await pep.begin({ ...begin, allowedTools });
  const crm = await startCrm(crmCache, crmAdmits);
  if (crmTools !== undefined) crm.tools = crmTools;
  const others = new Map(await Promise.all(clients.map(async (id) => [id, await pep.begin({ ...begin, delegatorId: id, allowedTools })] as const)));
  const known = async (request: Request) => {
    const id = request.headers.get("x-client") ?? "";
    const other = others.get(id);
    return other === undefined ? undefined : { id, pep, task: other };
  };
  const letIn = clients.length > 0 ? { authenticate: known } : isLetIn ? { authenticate: async () => ({ id: "client_1", pep, task }) } : {};
  const hosts: string[] = [];
  const upstreams = [httpUpstream({ name: "crm", url: crm.url, allowPrivate: ["127.0.0.1"], connector })];
  const access = accessOf?.(pep);
  const withAccess = access === undefined ? {} : { authenticate: access.authenticate };
  const made = createGateway({ pdp, audience: GATEWAY, upstreams, hosts, deadline: 5000, ...letIn, ...withAccess, ...rest });
  const fetch = async (request: Request): Promise<Response> => (await access?.fetch(request)) ?? made.fetch(request);
  const gateway = await serveGateway({ ...made, fetch }, { port, grace: 500 });
  hosts.push(`127.0.0.1:${gateway.port}`);
  const kinds = (kind: string) => {
    const verified = verifyLog(log.text());
    if (!verified.intact) throw new Error(verified.reason);
    return verified.records.filter((record) => record.kind === kind);
  };
  return {
    pdp,
    pep,
    task,
    key,
    anotherKey: generateKey,
    crm,
    gateway,
    url: new URL(`http://127.0.0.1:${gateway.port}/mcp`),
    decisions: () => kinds("decision").map(({ details }) => [details["tool"], details["code"] ?? details["decision"]] as const),
    record: () => log.text(),
    outcomes: () => kinds("outcome").map(({ details }) => details["status"]),
    credentials: () => kinds("outcome").map(({ details }) => details["credential"]),
    begun: () => kinds("begin").flatMap(({ details }) => details["asserted_by"] ?? []),
    ended: () => kinds("end").length,
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      await access?.close();
      await crm.close();
      await pdp.close();
    },
  };
}
