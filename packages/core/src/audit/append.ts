import { canonicalJson } from "../data/canonical.ts";
import { copyData } from "../data/json.ts";
import { genesisHash, lineHash } from "./chain.ts";
import { RECORD_VERSION, type Receipt, type RecordBody } from "./record.ts";

/** The end of a chain: what the next record continues. */
export interface ChainEnd {
  readonly log: string;
  readonly seq: number;
  readonly hash: string;
}

export function startOfChain(log: string): ChainEnd {
  return { log, seq: 0, hash: genesisHash(log) };
}

/** The line of the next record, and the chain's new end. Throws when the body is not plain data. */
export function nextLine(end: ChainEnd, body: RecordBody, now: number): { readonly line: string; readonly receipt: Receipt } {
  const record = { ...body, v: RECORD_VERSION, log: end.log, seq: end.seq + 1, ts: new Date(now).toISOString(), prev: end.hash };
  const line = canonicalJson(copyData(record, "log_unavailable", "the record"));
  return { line, receipt: { log: end.log, seq: end.seq + 1, hash: lineHash(line) } };
}
