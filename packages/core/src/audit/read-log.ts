import { copyData } from "../data/json.ts";
import { isLogRecord, type LogRecord } from "./record.ts";
import { verifyLog } from "./verify.ts";

/** What can be read of a log, and how much of it holds. */
export interface ReadLog {
  /** Every line that is a record, in the order of the file. */
  readonly records: readonly LogRecord[];
  /** How many records, from the first, are vouched for by an unbroken chain. What comes behind them may have been written by anybody. */
  readonly verified: number;
  /** Where the chain breaks first, by line, and how; absent when it holds. */
  readonly flaw?: { readonly at: number; readonly reason: string };
  /** Lines that are no records. */
  readonly unreadable: number;
  /** Whether the last line is half written: a crash left it, or it is being written. Nothing that was acknowledged is in it, so it breaks nothing. */
  readonly isTorn: boolean;
}

/** Verifies a log and reads it, also where it does not hold: for people who want to know what it says, and how far to believe it. Decides nothing. */
export function readLog(bytes: Uint8Array): ReadLog {
  const log = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const complete = log.lastIndexOf(0x0a) + 1;
  const isTorn = complete < log.length;
  const whole = log.subarray(0, complete);
  const verified = verifyLog(whole);
  if (verified.intact) return { records: verified.records, verified: verified.records.length, unreadable: 0, isTorn };
  const { at, reason } = verified;
  // What is right before the break may be what was edited: only the record behind it could tell.
  return { ...readLines(whole), verified: Math.max(0, at - 2), flaw: { at, reason }, isTorn };
}

function readLines(log: Buffer): Pick<ReadLog, "records" | "unreadable"> {
  const records: LogRecord[] = [];
  let unreadable = 0;
  let start = 0;
  while (start < log.length) {
    const stop = log.indexOf(0x0a, start);
    const record = readLine(log.subarray(start, stop).toString("utf8"));
    if (record === undefined) unreadable += 1;
    else records.push(record);
    start = stop + 1;
  }
  return { records, unreadable };
}

function readLine(text: string): LogRecord | undefined {
  try {
    const record = copyData(JSON.parse(text), "log_corrupt", "the record");
    return isLogRecord(record) ? record : undefined;
  } catch {
    return undefined; // counted
  }
}
