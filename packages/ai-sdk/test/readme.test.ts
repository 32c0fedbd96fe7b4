import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compile } from "./support/compile.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] ?? "");

/** What an example takes for granted. */
const GIVEN = `
import { coverage, holdFor, protect } from "@ambit/ai-sdk";
import type { BeginOptions, Pep, Task } from "@ambit/core";
import { generateText, isStepCount, streamText, tool, type LanguageModel } from "ai";
import { z } from "zod";
declare const pep: Pep, task: Task, model: LanguageModel, prompt: string;
declare const whatIsAskedFor: (request: Request) => Promise<BeginOptions>;
const send_mail = tool({ inputSchema: z.object({}), execute: async () => "sent" });
const contracts_read = tool({ inputSchema: z.object({ contract_id: z.string() }), execute: async () => "read" });
const tools = { contracts_read };
void [coverage, holdFor, protect, generateText, isStepCount, streamText, pep, task, model, prompt, whatIsAskedFor, send_mail, tools];
`;

test("what the README shows compiles", async () => {
  const [first = "", ...rest] = examples;
  expect(rest).toHaveLength(3);
  // Within the package, so that its imports are found.
  const folder = fileURLToPath(new URL("readme-examples/", import.meta.url));
  await mkdir(folder, { recursive: true });
  try {
    const model = 'import type { LanguageModel } from "ai";\ndeclare const model: LanguageModel;\n';
    const programs = [`${model}${first}`, ...rest.map((example) => `${GIVEN}${example}`)];
    const files = programs.map((_, at) => join(folder, `example-${at}.ts`));
    for (const [at, program] of programs.entries()) await writeFile(files[at] ?? "", program);
    expect(await compile(files, "ai/dist/index.d.ts")).toBe("");
  } finally {
    await rm(folder, { recursive: true });
  }
});
