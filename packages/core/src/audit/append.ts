import { canonicalJson } from "../data/canonical.ts";
import { copyData } from "../data/json.ts";
import { AmbitError } from "../errors.ts";
import { genesisHash, lineHash } from "./chain.ts";
import { isLogRecord, RECORD_VERSION, type Receipt, type RecordBody } from "./record.ts";

/** The end of a chain: what the next record continues. */
export interface ChainEnd {
  readonly log: string;
  readonly seq: number;
  readonly hash: string;
}

export function startOfChain(log: string): ChainEnd {
  return { log, seq: 0, hash: genesisHash(log) };
}

/** The line of the next record, and the chain's new end. Refuses (`log_unavailable`) a body that is not plain data or lacks a member. */
export function nextLine(end: ChainEnd, body: RecordBody, now: number): { readonly line: string; readonly receipt: Receipt } {
  const { agent, decision_id, details, envelope, kind, lineage, task, tenant, ...rest } = body;
  const [{ log, hash: prev }, seq, ts] = [end, end.seq + 1, new Date(now).toISOString()];
  // In the order of the line, which then need not be found.
  const data = { ...rest, agent, decision_id, details, envelope, kind, lineage, log, prev, seq, task, tenant, ts, v: RECORD_VERSION };
  const record = copyData(data, "log_unavailable", "the record");
  if (!isLogRecord(record)) throw new AmbitError("log_unavailable", "the record lacks a member that every record has");
  const line = canonicalJson(record);
  return { line, receipt: { log, seq, hash: lineHash(line) } };
}
