import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const readme = await readFile(join(PACKAGE, "README.md"), "utf8");
const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] ?? "");

const TOOL = {
  names: [{ name: "contracts_read", pin: "none" }],
  input_schema: {
    type: "object",
    properties: { customer_id: { type: "string" }, contract_id: { type: "string" } },
    required: ["customer_id", "contract_id"],
    additionalProperties: false,
  },
  effect: "read",
  resource: { type: "Contract", id: "/contract_id" },
  constraints: { customer_id: { argument: "/customer_id" } },
  records: "none",
  data_classes: ["contract_metadata"],
  output: "trusted",
  sends_outside: false,
};
const PURPOSE = "review_customer_contract_for_renewal_risk";
const CONFIGURATION = {
  manifest: { tools: { "contracts.read": TOOL } },
  agents: { agents: { "renewal-reviewer": { trust_zone: "first_party", ceiling: "none" } } },
  purposes: { purposes: { [PURPOSE]: { parent: null, description: "review", tools: ["contracts.read"], data_classes: ["contract_metadata"] } } },
  policies: [{ name: "main.cedar", text: "permit(principal, action, resource);" }],
  log: "decisions.jsonl",
  state: "memory",
  approvals: "none",
};

/** Runs an example as a program of its own; what a comment `// =>` promises, it prints. */
async function outcomes(example: string, folder: string): Promise<readonly string[]> {
  const program = example
    .replaceAll('"./', `"${folder}/`)
    .replaceAll(/^(.*); \/\/ => .*$/gm, (_, expression: string) => `console.log(inspect(${expression}, { breakLength: Infinity }));`);
  const flags = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning", "--input-type=module-typescript"];
  const { stdout } = await run(process.execPath, [...flags, "--eval", `import { inspect } from "node:util";\n${program}`], { cwd: PACKAGE });
  return stdout.split("\n").slice(0, -1);
}

// `await using` needs Node 24.
describe.skipIf(Number.parseInt(process.versions.node, 10) < 24)("the examples of the README", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ambit-readme-"));
    await writeFile(join(folder, "ambit.config.json"), JSON.stringify(CONFIGURATION));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(examples.map((example, index) => [index + 1, example] as const))("number %i does what it says", async (_, example) => {
    const promised = [...example.matchAll(/; \/\/ => (.*)$/gm)].map((match) => match[1]);
    expect(promised.length).toBeGreaterThan(0);
    expect(await outcomes(example, folder)).toStrictEqual(promised);
  });

  it("leave a picture that Graphviz could draw", async () => {
    expect(await readFile(join(folder, "execution.dot"), "utf8")).toContain("denied: argument_not_allowed");
  });
});
