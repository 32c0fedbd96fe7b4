import { writeFileSync } from "node:fs";
import type { Admission } from "@ambit/core";
import { createSuitePep, PURPOSE, type SuitePep } from "./suite-pep.ts";
import { workloadsFolder } from "./workloads.ts";

/** What the driver tells of a case; never its labels. */
export interface CaseContext {
  readonly case_id: string;
  readonly dataset: string;
  readonly suite: string;
  readonly prompt: string;
  /** The tools that the user's task needs; `null` when the driver gives no envelope. */
  readonly envelope: { readonly tools: readonly string[] } | null;
}

export interface RecordedCall {
  readonly name: string;
  readonly args: unknown;
}

/** What the driver asks for each case. */
export interface CaseAdapter {
  decide(call: RecordedCall, index: number): Promise<{ readonly effect: "allow" | "deny"; readonly reason?: string }>;
  observe(call: RecordedCall, output: string | null): Promise<void>;
  close(): Promise<void>;
}

const suites = new Map<string, Promise<SuitePep>>();

/** Steps of cases that were denied for another reason than the envelope's tool list, by suite, tool and code. The driver asks thrice for each. */
const otherDenials = new Map<string, Set<string>>();
const denialsPath = process.env["AMBIT_REPLAY_DENIALS"];
if (denialsPath !== undefined) {
  process.on("exit", () => writeFileSync(denialsPath, JSON.stringify(Object.fromEntries([...otherDenials].map(([what, steps]) => [what, steps.size])))));
}

/**
 * One task for each case, under an envelope with the tools of the user's task and every tool that was judged to only read. Each recorded call
 * takes the whole path: decided, granted, redeemed, settled, logged.
 */
export default async function create(setting: CaseContext): Promise<CaseAdapter> {
  const { dataset, suite, prompt, envelope } = setting;
  const key = `${dataset}/${suite}`;
  const opened = suites.get(key) ?? createSuitePep(workloadsFolder(), dataset, suite);
  suites.set(key, opened);
  const { pep, ids, reads } = await opened;
  const needed = (envelope?.tools ?? []).flatMap((name) => ids.get(name) ?? []);
  const task = await pep.begin({
    delegatorId: "user",
    tenantId: "replay",
    purpose: PURPOSE,
    instruction: prompt,
    allowedTools: [...new Set([...needed, ...reads])],
    resourceConstraints: {},
    expiresIn: "10m",
  });
  let admission: Admission | undefined;
  return {
    decide: async ({ name, args }, index) => {
      const admitted = await pep.admit({ envelope: task, tool: name, arguments: args, callId: String(index), turn: "recorded" });
      admission = admitted.admitted ? admitted : undefined;
      if (admitted.admitted) return { effect: "allow" };
      const { code } = admitted.refused.refusal;
      // Models make names up, and this ends on a terminal.
      const what = `${key} ${name.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 64)}: ${code}`;
      if (code !== "tool_not_allowed") otherDenials.set(what, (otherDenials.get(what) ?? new Set()).add(`${setting.case_id}#${index}`));
      return { effect: "deny", reason: code };
    },
    observe: async (_call, output) => {
      const completion = await admission?.complete(output);
      if (completion?.released !== true) throw new Error("a recorded output was withheld, so what is measured is not what would happen");
    },
    close: () => task.end(),
  };
}
