import type { StateStore } from "@ambit/core";
import type { RelationStore, Tuple } from "@ambit/pdp/relations";
import type { Subject } from "./stores.ts";
import { batchOf, inLanes, nextCommit, OPERATIONS, type Batch, type Operation } from "./workload.ts";

export const CONCURRENCIES: readonly number[] = [1, 16, 64];

export interface Measured {
  readonly store: string;
  readonly operation: Operation;
  /** Operations at a time. */
  readonly concurrency: number;
  /** Operations for each bare update of one row that all lanes share: the median over the rounds. */
  readonly ratio: number;
  /** The same to bare updates of a row for each lane, where that makes a difference. */
  readonly spread: number | undefined;
}

export interface Bare {
  readonly store: string;
  readonly concurrency: number;
  /** Microseconds of one bare update: what the machine did today, compared with nothing. */
  readonly microseconds: number;
  /** Transactions that write the rows of a commit, and check nothing, for each bare update. */
  readonly rows: number;
}

export interface MeasureOptions {
  readonly rounds: number;
  /** How long one batch takes, about. */
  readonly batchMilliseconds: number;
}

/** Operations of one batch at most, so that what is live at a time stays small. */
const MOST = 256;

/** Times every operation in every round, each right after the bare updates that it is compared with: what the machine does meanwhile hits both. */
export async function measure(
  { name, store, bare, spread, rows }: Subject,
  { rounds, batchMilliseconds }: MeasureOptions,
): Promise<{ readonly measured: readonly Measured[]; readonly bare: readonly Bare[] }> {
  const measured: Measured[] = [];
  const bares: Bare[] = [];
  for (const concurrency of CONCURRENCIES) {
    const timeOf = await timer([bare, rows, ...(spread === undefined ? [] : [spread])], concurrency, batchMilliseconds);
    const times: number[] = [];
    for (const operation of OPERATIONS) {
      const batch = batchOf(operation, store);
      const timeOfOperation = await timer([batch], concurrency, batchMilliseconds);
      const [ratios, spreads]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        const base = await timeOf(bare);
        const spreadBase = spread === undefined ? Number.NaN : await timeOf(spread);
        const time = await timeOfOperation(batch);
        times.push(base);
        ratios.push(base / time);
        spreads.push(spreadBase / time);
      }
      measured.push({ store: name, operation, concurrency, ratio: median(ratios), spread: spread === undefined ? undefined : median(spreads) });
    }
    const unchecked: number[] = [];
    for (let round = 0; round < rounds; round++) unchecked.push((await timeOf(bare)) / (await timeOf(rows)));
    bares.push({ store: name, concurrency, microseconds: median(times) * 1000, rows: median(unchecked) });
  }
  return { measured, bare: bares };
}

/** Bytes for each envelope that is let in, with a lineage of its own, three accounts and three calls, one of which runs. */
export async function bytesPerEnvelope({ store, size }: Pick<Subject, "store" | "size">, envelopes: number): Promise<number> {
  const before = await size();
  const ids = Array.from({ length: envelopes }, (_, index) => `envelope_live_${String(index).padStart(6, "0")}`);
  await inLanes(ids, 64, (id) => live(store, id));
  return ((await size()) - before) / envelopes;
}

/** Tuples written at a time. */
const CHUNK = 1000;

/** Bytes for each of so many tuples: documents in folders, with an owner each. */
export async function bytesPerTuple(relations: RelationStore, size: () => Promise<number>, tuples: number): Promise<number> {
  const before = await size();
  for (let first = 0; first < tuples; first += CHUNK) {
    const add = Array.from({ length: Math.min(CHUNK, tuples - first) }, (_, index) => tupleOf(first + index));
    await relations.write("tenant_acme", { add, remove: [] });
  }
  return ((await size()) - before) / tuples;
}

function tupleOf(index: number): Tuple {
  const object = { type: "document", id: `document_${Math.floor(index / 2)}` };
  if (index % 2 === 0) return { object, relation: "owner", subject: { type: "user", id: `user_${index % 1000}` } };
  return { object, relation: "parent", subject: { type: "folder", id: `folder_${index % 5000}` } };
}

async function live(store: StateStore, envelopeId: string): Promise<void> {
  const calls = [1, 2, 3].map(() => nextCommit(3, envelopeId, envelopeId.replace("envelope", "lineage")));
  await store.admit(calls[0]?.tenantId ?? "", envelopeId, calls[0]?.keepUntil ?? 0);
  for (const [index, call] of calls.entries()) {
    await store.commit(call);
    await store.redeem(call, call.grant.id, call.callDigest, call.now);
    if (index < 2) await store.settle({ ...call, grantId: call.grant.id, action: "commit", used: {}, observed: true });
  }
}

/** The middle of the figures; between the two in the middle where their number is even; NaN of none. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** Milliseconds of one operation in a batch that takes about as long as it should; the first ones load and compile. */
async function timer(batches: readonly Batch[], concurrency: number, batchMilliseconds: number): Promise<(batch: Batch) => Promise<number>> {
  const counts = new Map<Batch, number>();
  for (const batch of batches) {
    let count = concurrency;
    for (let warm = 0; warm < 4; warm++) {
      const milliseconds = await batch(count, concurrency);
      count = Math.min(MOST, Math.max(concurrency, Math.round((count * batchMilliseconds) / Math.max(milliseconds, 0.01))));
    }
    counts.set(batch, count);
  }
  return async (batch) => {
    const count = counts.get(batch) ?? concurrency;
    let [operations, milliseconds] = [0, 0];
    while (milliseconds < batchMilliseconds) {
      milliseconds += await batch(count, concurrency);
      operations += count;
    }
    return milliseconds / operations;
  };
}
