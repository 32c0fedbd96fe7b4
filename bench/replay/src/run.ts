import { readFileSync } from "node:fs";
import { compare } from "./compare.ts";
import { drive } from "./drive.ts";
import type { RecordedCase } from "./figures.ts";
import { listWorkloads, readManifest, workloadsFolder } from "./workloads.ts";
import type { InferredManifest } from "./rules.ts";

const folder = workloadsFolder();
const workloads = listWorkloads(folder);
if (workloads.length === 0) process.stdout.write(`replay: skipped, there are no recorded workloads (${folder})\n`);

for (const workload of workloads) {
  process.stdout.write(`replay: ${workload.name}\n`);
  const cases = readFileSync(workload.casesPath, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as RecordedCase);
  const manifests = new Map<string, InferredManifest>();
  const manifestOf = (dataset: string, suite: string): InferredManifest => {
    const manifest = manifests.get(`${dataset}/${suite}`) ?? readManifest(folder, dataset, suite);
    manifests.set(`${dataset}/${suite}`, manifest);
    return manifest;
  };
  const { lines, isAsExpected } = compare(cases, manifestOf, drive(folder, workload));
  process.stdout.write(`${lines.map((line) => `  ${line}`).join("\n")}\n`);
  if (!isAsExpected) process.exitCode = 1;
}
