import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RecordedCase } from "../src/figures.ts";

const properties = { id: { type: "string" } };
const parameters = { type: "object", properties, required: ["id"] };

/** Tools of a workload that nobody recorded. */
export const TOOLS = [
  { name: "get_part", description: "Gets a part.", parameters },
  { name: "delete_part", description: "Deletes a part.", parameters },
  { name: "mail_supplier", description: "Emails a supplier.", parameters },
];

const step = (name: string, hasSideEffect: boolean): RecordedCase["steps"][number] & Record<string, unknown> => ({
  name,
  args: { id: "p1" },
  side_effect: hasSideEffect,
  output: null,
  error: false,
  label: "read",
});

const shared = { dataset: "made_up", suite: "parts", prompt: "Tidy up." };

/** An attack with a tool that the task does not need, one with a tool that it needs, and a run without attack. */
export const CASES: readonly RecordedCase[] = [
  {
    ...shared,
    kind: "attack",
    oracle: { tools: ["delete_part"] },
    steps: [step("get_part", false), step("mail_supplier", true)],
    attack_groups: [[1]],
    user_requires: [0],
  },
  {
    ...shared,
    kind: "attack",
    oracle: { tools: ["delete_part"] },
    steps: [step("get_part", false), step("delete_part", true)],
    attack_groups: [[1]],
    user_requires: [0],
  },
  { ...shared, kind: "benign", oracle: { tools: ["mail_supplier"] }, steps: [step("get_part", false), step("mail_supplier", true)], user_requires: [0, 1] },
];

/** A folder as the recorded workloads have it, without the driver. */
export function madeUpFolder(
  cases: readonly RecordedCase[] = CASES,
  tools: readonly object[] = TOOLS,
): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "ambit-workload-"));
  writeFileSync(join(folder, "made_up-parts-tools.json"), JSON.stringify({ suite: "parts", tools }));
  writeFileSync(
    join(folder, "made_up-dev.jsonl"),
    cases.map((recorded, index) => `${JSON.stringify({ ...recorded, case_id: `made_up:${index}` })}\n`).join(""),
  );
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
