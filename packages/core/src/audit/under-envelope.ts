import { textAt, verdictOf } from "./details.ts";
import type { LogRecord } from "./record.ts";

/** What happened under an envelope, in figures. */
export interface UnderEnvelope {
  readonly permitted: number;
  readonly denied: number;
  readonly approvals: number;
  readonly tools: readonly string[];
}

/** Counts what was asked for under one envelope, without those derived from it. */
export function underEnvelope(records: readonly LogRecord[], tenant: string, envelope: string): UnderEnvelope {
  const own = records.filter((record) => record.kind === "decision" && record.tenant === tenant && record.envelope === envelope);
  const count = (verdict: string): number => own.filter((record) => verdictOf(record) === verdict).length;
  const [permitted, approvals] = [count("permit"), count("approval_required")];
  const tools = [...new Set(own.flatMap(({ details }) => textAt(details, "tool") ?? []))].sort();
  return { permitted, approvals, denied: own.length - permitted - approvals, tools };
}
