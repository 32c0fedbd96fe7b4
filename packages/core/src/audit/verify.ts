import { canonicalJson } from "../data/canonical.ts";
import { copyData } from "../data/json.ts";
import { startOfChain, type ChainEnd } from "./append.ts";
import { lineHash } from "./chain.ts";
import { RECORD_VERSION, type LogRecord } from "./record.ts";

export type LogVerification =
  | { readonly intact: true; readonly records: readonly LogRecord[]; readonly end: ChainEnd | undefined }
  | { readonly intact: false; readonly at: number; readonly reason: string };

/**
 * Checks a log offline: every line canonical, numbered without a gap, of one log, and naming the hash of the line before it (I11).
 * Dropping, editing or reordering records in the middle shows; cutting off the end shows only against a receipt or a checkpoint held elsewhere.
 */
export function verifyLog(text: string): LogVerification {
  const records: LogRecord[] = [];
  let end: ChainEnd | undefined;
  if (text !== "" && text.at(-1) !== "\n") return { intact: false, at: text.split("\n").length, reason: "the last line is incomplete" };
  for (const line of text.split("\n").slice(0, -1)) {
    const at = records.length + 1;
    const record = parseLine(line);
    if (record === undefined) return { intact: false, at, reason: "not a record in canonical form" };
    end ??= startOfChain(record.log);
    if (record.log !== end.log) return { intact: false, at, reason: "belongs to another log" };
    if (record.seq !== end.seq + 1) return { intact: false, at, reason: `has number ${record.seq} where ${end.seq + 1} is due` };
    if (record.prev !== end.hash) return { intact: false, at, reason: "does not continue the record before it" };
    end = { log: record.log, seq: record.seq, hash: lineHash(line) };
    records.push(record);
  }
  return { intact: true, records, end };
}

const TEXT_MEMBERS = ["kind", "tenant", "task", "lineage", "envelope", "agent", "decision_id", "log", "ts", "prev"] as const;

function parseLine(line: string): LogRecord | undefined {
  try {
    const record = copyData(JSON.parse(line), "log_corrupt", "the record") as unknown as LogRecord;
    const isRecord = TEXT_MEMBERS.every((member) => typeof record[member] === "string") && record.v === RECORD_VERSION && Number.isSafeInteger(record.seq);
    return isRecord && canonicalJson(record as never) === line ? record : undefined;
  } catch {
    return undefined; // reported as a line that is not a record
  }
}
