import type { BeginOptions } from "@ambit/core";
import type { LogRecord } from "@ambit/core/audit";
import type { Screen } from "./screen.ts";

interface Row {
  readonly what: string;
  readonly granted: string;
  readonly used: string;
}

/** Shows what the envelope of a task granted beside what the decision log says was used of it. */
export function showUsage({ line, paint }: Screen, envelope: BeginOptions, records: readonly LogRecord[]): void {
  const rows = usageOf(envelope, records);
  line(paint("dim", `  ${"".padEnd(16)} ${"granted".padEnd(52)} used`));
  for (const { what, granted, used } of rows) line(`  ${what.padEnd(16)} ${granted.padEnd(52)} ${used}`);
}

function usageOf(envelope: BeginOptions, records: readonly LogRecord[]): readonly Row[] {
  const begin = records.find(({ kind }) => kind === "begin");
  const own = records.filter(({ lineage }) => lineage === begin?.lineage);
  const permits = own.filter(({ kind, details }) => kind === "decision" && details["decision"] === "permit");
  const outcomes = own.filter(({ kind, details }) => kind === "outcome" && details["status"] === "done");
  const calls = (tool: string): number => permits.filter(({ details }) => details["tool"] === tool).length;
  const shown = outcomes.reduce((sum, { details }) => sum + ((details["records"] as number | undefined) ?? 0), 0);
  const read = new Set(outcomes.flatMap(({ details }) => details["data_classes"] as readonly string[]));
  const handOffs = own.filter(({ kind, details }) => kind === "hand_off" && details["decision"] === "permit").length;
  const constraints = envelope.resourceConstraints;
  const classes = constraints["data_classes"] as readonly string[];
  const beyond = [...new Set(own.filter(({ details }) => details["code"] === "tool_not_allowed").map(({ details }) => String(details["tool"])))];
  const seconds = own.length === 0 ? 0 : (Date.parse((own.at(-1) as LogRecord).ts) - Date.parse((own[0] as LogRecord).ts)) / 1000;
  return [
    ...envelope.allowedTools.map((tool) => ({ what: tool, granted: boundsOf(tool, envelope), used: times(calls(tool)) })),
    ...(envelope.mayDelegate ?? []).map((tool) => ({
      what: tool,
      granted: "to hand on only",
      used: `${times(calls(tool))}, in ${handOffs === 1 ? "one hand-off" : `${handOffs} hand-offs`}`,
    })),
    { what: "records", granted: `${String(constraints["max_records"])} in all`, used: String(shown) },
    { what: "data classes", granted: classes.join(", "), used: `${classes.filter((name) => read.has(name)).length} of ${classes.length}` },
    { what: "time", granted: String(envelope.expiresIn), used: `${seconds.toFixed(1)}s, then revoked` },
    { what: "other tools", granted: "none", used: beyond.length === 0 ? "none asked for" : `refused: ${beyond.join(", ")}` },
  ];
}

function boundsOf(tool: string, { resourceConstraints: { customer_id, contract_ids } }: BeginOptions): string {
  switch (tool) {
    case "contracts.read":
      return (contract_ids as readonly string[]).join(", ");
    case "files.read":
      return "below the playbook's directory";
    default:
      return String(customer_id);
  }
}

function times(count: number): string {
  return count === 0 ? "never" : count === 1 ? "one call" : `${count} calls`;
}
