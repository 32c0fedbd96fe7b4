import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { generatePrivateJwk, signingKey } from "@ambit/core/token";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const readme = await readFile(join(PACKAGE, "README.md"), "utf8");
const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] ?? "");

const properties = { customer_id: { type: "string" }, limit: { type: "integer" } };
const TOOL = {
  names: [{ server: "crm", name: "contracts_read", pin: "none" }],
  input_schema: { type: "object", properties, required: ["customer_id"] },
  effect: "read",
  constraints: { customer_id: { argument: "/customer_id" } },
  records: { result: "", limit: "/limit", most: 25 },
  data_classes: [],
  sends_outside: false,
};
const PURPOSE = "review_customer_contract_for_renewal_risk";
const SERVER = `
  import { Server } from "@modelcontextprotocol/sdk/server/index.js";
  import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
  import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
  const server = new Server({ name: "crm", version: "1.0.0" }, { capabilities: { tools: {}, resources: {} } });
  const tools = ["contracts_read", "contracts_delete"].map((name) => ({ name, inputSchema: { type: "object" } }));
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
  server.setRequestHandler(CallToolRequestSchema, () => ({ content: [{ type: "text", text: "[]" }] }));
  await server.connect(new StdioServerTransport());`;

/** Runs an example as a program of its own; what a comment `// =>` promises, it prints. */
async function outcomes(example: string, folder: string): Promise<readonly string[]> {
  const program = example
    .replaceAll('"./', `"${folder}/`)
    .replace('command: "crm-server"', `command: process.execPath, args: ["--input-type=module", "--eval", ${JSON.stringify(SERVER)}]`)
    .replaceAll(/^(.*); \/\/ => .*$/gm, (_, expression: string) => `console.log(inspect(${expression}, { breakLength: Infinity }));`);
  const flags = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning", "--input-type=module-typescript"];
  const { stdout } = await run(process.execPath, [...flags, "--eval", `import { inspect } from "node:util";\n${program}`], { cwd: PACKAGE });
  return stdout.split("\n").slice(0, -1);
}

// `await using` needs Node 24.
describe.skipIf(Number.parseInt(process.versions.node, 10) < 24)("the examples of the README", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ambit-readme-mcp-"));
    const [agent, root] = [await generatePrivateJwk("Ed25519"), await generatePrivateJwk("Ed25519")];
    const [agentKey, rootKey] = [await signingKey(agent), await signingKey(root)];
    const [issuer, tenants] = ["https://pdp.example", ["tenant_acme"]];
    const plain = {
      manifest: { tools: { "contracts.read": TOOL } },
      agents: { agents: { "renewal-reviewer": { trust_zone: "first_party", ceiling: "none", keys: [agentKey.public.jwk] } } },
      purposes: { purposes: { [PURPOSE]: { tools: ["contracts.read"] } } },
      policies: [{ name: "main.cedar", text: "permit(principal, action, resource);" }],
      log: "memory",
      state: "memory",
      approvals: "none",
    };
    const write = (name: string, data: object): Promise<void> => writeFile(join(folder, name), JSON.stringify(data));
    await write("ambit.config.json", plain);
    await write("agent.config.json", { ...plain, signing: { issuer, key: root, tenants }, audience: ["urn:example:pdp", "urn:example:crm"] });
    await write("server.config.json", { ...plain, anchors: [{ kind: "ambit", issuer, jwk: rootKey.public.jwk, tenants }], audience: ["urn:example:crm"] });
    await write("renewal-reviewer.jwk", agent);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(examples.map((example, index) => [index + 1, example] as const))("number %i does what it says", async (_, example) => {
    const promised = [...example.matchAll(/; \/\/ => (.*)$/gm)].map((match) => match[1]);
    expect(promised.length).toBeGreaterThan(0);
    expect(await outcomes(example, folder)).toStrictEqual(promised);
  });
});
