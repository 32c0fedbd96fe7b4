import { createMemoryLog } from "../../src/audit/memory-log.ts";
import type { LogRecord, RecordBody } from "../../src/audit/record.ts";
import { verifyLog } from "../../src/audit/verify.ts";

export function body(change: Partial<RecordBody> = {}): RecordBody {
  return {
    kind: "decision",
    tenant: "t",
    task: "k",
    lineage: "l",
    envelope: "e",
    agent: "a",
    decision_id: "d",
    details: { tool: "contracts.read", decision: "permit" },
    ...change,
  };
}

/** Records as a log has them. */
export async function recordsOf(bodies: readonly Partial<RecordBody>[]): Promise<readonly LogRecord[]> {
  let now = Date.UTC(2026, 4, 12, 12);
  const log = createMemoryLog({ now: () => (now += 1000) });
  for (const change of bodies) await log.append(body(change));
  const verified = verifyLog(log.text());
  if (!verified.intact) throw new Error(verified.reason);
  return verified.records;
}
