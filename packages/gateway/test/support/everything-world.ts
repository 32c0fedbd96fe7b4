import { createPep } from "@ambit/core";
import { createPdp, type PdpConfig } from "@ambit/pdp";
import { createGateway, httpUpstream, serveGateway } from "../../src/index.ts";
import { startEverything } from "./everything.ts";

/** Methods that are decided under their own names. */
const METHODS = ["resources/read", "resources/subscribe", "resources/unsubscribe", "prompts/get", "completion/complete", "logging/setLevel"];
const OF_THE_SERVER = ["sampling/createMessage", "elicitation/create", "roots/list"];

const [string, object] = [{ type: "string" }, { type: "object" }];
/** Of all of them together. */
const ARGUMENTS = {
  ...{ prompt: string, message: string, uri: string, name: string, level: string, mode: string },
  ...{ arguments: object, ref: object, argument: object, context: object, requestedSchema: object },
  ...{ messages: { type: "array", items: object }, maxTokens: { type: "integer" } },
};

/** The conformance suite's server behind a gateway that lets one client in, which may do all of it. */
export async function startEverythingWorld(tools: readonly string[]) {
  const everything = await startEverything();
  const names = [...tools, ...METHODS, ...OF_THE_SERVER];
  const entries = names.map((name) => [
    name.replaceAll("/", "."),
    {
      names: [{ server: "everything", name, pin: "none" }],
      input_schema: { type: "object", properties: ARGUMENTS },
      effect: "read",
      records: "none",
      data_classes: [],
      sends_outside: false,
    },
  ]);
  const config: PdpConfig = {
    manifest: { tools: Object.fromEntries(entries) as object },
    agents: { agents: { suite: { trust_zone: "first_party", ceiling: "none" } } },
    purposes: { purposes: { conformance: { tools: entries.map(([id]) => id) } } },
    policies: [{ name: "main.cedar", text: '@id("all") permit (principal, action, resource);' }],
    log: "memory",
    state: "memory",
    approvals: "none",
  } as never;
  const pdp = await createPdp(config);
  const pep = createPep({ pdp, agent: "suite", deadline: 5000 });
  const allowedTools = entries.map(([id]) => id as string);
  const task = await pep.begin({ delegatorId: "user_1", tenantId: "tenant_1", purpose: "conformance", allowedTools, resourceConstraints: {}, expiresIn: "1h" });
  const hosts: string[] = [];
  const gateway = await serveGateway(
    createGateway({
      pdp,
      audience: "urn:example:gateway",
      upstreams: [httpUpstream({ name: "everything", url: everything.url, allowPrivate: ["127.0.0.1"] })],
      hosts,
      authenticate: async () => ({ id: "suite", pep, task }),
    }),
    { port: 0, grace: 500 },
  );
  hosts.push(`localhost:${gateway.port}`, `127.0.0.1:${gateway.port}`);
  const close = async (): Promise<void> => {
    await gateway.close();
    await everything.close();
    await pdp.close();
  };
  return { url: `http://localhost:${gateway.port}/mcp`, close };
}
