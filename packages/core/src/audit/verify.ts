import { isUtf8 } from "node:buffer";
import { canonicalJson } from "../data/canonical.ts";
import { copyData } from "../data/json.ts";
import { startOfChain, type ChainEnd } from "./append.ts";
import { lineHash } from "./chain.ts";
import { isLogRecord, type LogRecord } from "./record.ts";

export type LogVerification =
  | { readonly intact: true; readonly records: readonly LogRecord[]; readonly end: ChainEnd | undefined }
  | { readonly intact: false; readonly at: number; readonly reason: string };

/**
 * Checks a log offline: every line canonical, numbered without a gap, of one log, and naming the hash of the line before it (I11).
 * Dropping, editing or reordering records in the middle shows; cutting off the end shows only against a receipt or a checkpoint held elsewhere.
 * Takes the bytes of the file, or its text; only the bytes show whether all of it is UTF-8.
 */
export function verifyLog(log: string | Uint8Array): LogVerification {
  const bytes = typeof log === "string" ? Buffer.from(log) : Buffer.from(log.buffer, log.byteOffset, log.byteLength);
  const records: LogRecord[] = [];
  let end: ChainEnd | undefined;
  let start = 0;
  while (start < bytes.length) {
    const at = records.length + 1;
    const stop = bytes.indexOf(0x0a, start);
    if (stop === -1) return { intact: false, at, reason: "the last line is incomplete" };
    const line = bytes.subarray(start, stop);
    const record = parseLine(line);
    if (record === undefined) return { intact: false, at, reason: "not a record in canonical form" };
    end ??= startOfChain(record.log);
    if (record.log !== end.log) return { intact: false, at, reason: "belongs to another log" };
    if (record.seq !== end.seq + 1) return { intact: false, at, reason: `has number ${record.seq} where ${end.seq + 1} is due` };
    if (record.prev !== end.hash) return { intact: false, at, reason: "does not continue the record before it" };
    end = { log: record.log, seq: record.seq, hash: lineHash(line) };
    records.push(record);
    start = stop + 1;
  }
  return { intact: true, records, end };
}

function parseLine(line: Buffer): LogRecord | undefined {
  if (!isUtf8(line)) return undefined;
  const text = line.toString("utf8");
  try {
    const record = copyData(JSON.parse(text), "log_corrupt", "the record");
    return isLogRecord(record) && canonicalJson(record) === text ? record : undefined;
  } catch {
    return undefined; // reported as a line that is not a record
  }
}
