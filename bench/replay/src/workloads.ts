import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inferManifest, type InferredManifest, type ToolFacts } from "./rules.ts";

/** The recorded cases of one file. */
export interface Workload {
  readonly name: string;
  readonly casesPath: string;
  /** Tool outputs, where there are any. */
  readonly outputsPath: string | undefined;
}

/** Where the recorded workloads are: `AMBIT_WORKLOADS`, else `shared/workloads` beside the repository. */
export function workloadsFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env["AMBIT_WORKLOADS"] ?? fileURLToPath(new URL("../../../../shared/workloads", import.meta.url));
}

export function driverPath(folder: string): string {
  return join(folder, "replay.mjs");
}

/** None when there is no driver. */
export function listWorkloads(folder: string): readonly Workload[] {
  if (!existsSync(driverPath(folder))) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".jsonl"))
    .toSorted()
    .map((file) => {
      const name = file.replace(/\.jsonl$/, "");
      const outputsPath = join(folder, `${name}.outputs.json.gz`);
      return { name, casesPath: join(folder, file), outputsPath: existsSync(outputsPath) ? outputsPath : undefined };
    });
}

/** The manifest of a suite, made by general rules from what its tools say of themselves. Knows nothing of recorded effects. */
export function readManifest(folder: string, dataset: string, suite: string): InferredManifest {
  for (const name of [dataset, suite]) if (!/^[A-Za-z0-9_.-]+$/.test(name)) throw new TypeError(`\`${name}\` is not a name of a dataset or suite`);
  const { tools } = JSON.parse(readFileSync(join(folder, `${dataset}-${suite}-tools.json`), "utf8")) as { readonly tools: readonly RecordedTool[] };
  return inferManifest(tools.map(({ name, description, parameters }) => ({ name, description, inputSchema: parameters })));
}

interface RecordedTool {
  readonly name: string;
  readonly description?: string;
  readonly parameters?: ToolFacts["inputSchema"];
}
