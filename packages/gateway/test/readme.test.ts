import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { randomText } from "@ambit/core";
import { keyFile, sealedFile } from "@ambit/gateway/vault";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const readme = await readFile(join(PACKAGE, "README.md"), "utf8");
const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] ?? "");

/** What the examples need that is not theirs: a service that "encrypts" by turning bits. */
const KMS =
  "const turn = async (bytes: Uint8Array): Promise<Uint8Array> => bytes.map((byte) => byte ^ 255);\nexport const kms = { encrypt: turn, decrypt: turn };\n";

async function writeConfig(folder: string): Promise<void> {
  const config = {
    manifest: { tools: {} },
    agents: { agents: {} },
    purposes: { purposes: {} },
    policies: [{ name: "main.cedar", text: '@id("all") permit (principal, action, resource);' }],
    log: "memory",
    state: "memory",
    approvals: "none",
  };
  await writeFile(join(folder, "ambit.config.json"), JSON.stringify(config));
}

// `await using` needs Node 24.
describe.skipIf(Number.parseInt(process.versions.node, 10) < 24)("the examples of the README", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ambit-readme-"));
    await writeFile(join(folder, "vault.key"), randomText(32), { mode: 0o600 });
    await writeFile(join(folder, "kms.ts"), KMS);
    await writeConfig(folder);
    await writeFile(join(folder, "credential.ts"), "export const crmCredential = undefined;\n");
    const vault = sealedFile({ path: join(folder, "ambit.vault"), key: keyFile(join(folder, "vault.key")) });
    await vault.set({ tenant: "tenant_acme", connector: "crm", id: "api_key" }, Buffer.from("hunter2-s3cret"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each(examples.map((example, index) => [index + 1, example] as const))("number %i does what it says", async (_, example) => {
    const program = example
      .replaceAll('"./', `"${folder}/`)
      .replaceAll(/^(.*); \/\/ => .*$/gm, (__, expression: string) => `console.log(inspect(${expression}, { breakLength: Infinity }));`);
    const flags = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning", "--input-type=module-typescript"];
    const { stdout } = await run(process.execPath, [...flags, "--eval", `import { inspect } from "node:util";\n${program}`], { cwd: PACKAGE });
    expect(stdout.split("\n").slice(0, -1)).toEqual([...example.matchAll(/; \/\/ => (.*)$/gm)].map((match) => match[1]));
  });
});
