import { parseArgs } from "node:util";
import { bytesPerEnvelope, bytesPerTuple, measure, type Bare, type Measured } from "./measure.ts";
import { lines, type Bytes, type Report } from "./report.ts";
import { STORES, type Subject } from "./stores.ts";
import { judge } from "./targets.ts";

const options = {
  json: { type: "boolean", default: false },
  rounds: { type: "string", default: "9" },
  batch: { type: "string", default: "60" },
  envelopes: { type: "string", default: "2000" },
  tuples: { type: "string", default: "100000" },
  store: { type: "string", multiple: true },
} as const;
const { values } = parseArgs({ options });
const [rounds, batchMilliseconds, envelopes, tuples] = [values.rounds, values.batch, values.envelopes, values.tuples].map(Number) as [
  number,
  number,
  number,
  number,
];
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new TypeError("`--rounds` must be a whole number of at least 1");
if (!(batchMilliseconds > 0)) throw new TypeError("`--batch` must be a number of milliseconds above 0");
if (!Number.isSafeInteger(envelopes) || envelopes < 1) throw new TypeError("`--envelopes` must be a whole number of at least 1");
if (!Number.isSafeInteger(tuples) || tuples < 1) throw new TypeError("`--tuples` must be a whole number of at least 1");
const stores = values.store ?? [...STORES.keys()];
for (const store of stores) if (!STORES.has(store)) throw new TypeError(`\`--store\` must be one of ${[...STORES.keys()].join("; ")}`);

const measured: Measured[] = [];
const bare: Bare[] = [];
const bytes: Bytes[] = [];
const notMeasured: { readonly store: string; readonly reason: string }[] = [];
for (const store of stores) {
  const subject = await STORES.get(store)?.().catch((error: unknown) => void notMeasured.push({ store, reason: reasonOf(error) }));
  if (subject !== undefined) await measureStore(subject);
}
const report: Report = { node: process.version, rounds, bare, measured, bytes, notMeasured, targets: judge(stores, measured) };
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : `${lines(report).join("\n")}\n`);

async function measureStore(subject: Subject): Promise<void> {
  try {
    // First of all, while nothing else is in the store.
    const perEnvelope = await bytesPerEnvelope(subject, envelopes);
    const relations = await subject.relations?.();
    const perTuple = relations === undefined ? undefined : await bytesPerTuple(relations, subject.size, tuples);
    bytes.push({ store: subject.name, perEnvelope, perTuple });
    const figures = await measure(subject, { rounds, batchMilliseconds });
    measured.push(...figures.measured);
    bare.push(...figures.bare);
  } finally {
    await subject.close();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : "no reason given";
}
