import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { embeddedSubjects } from "./embedded.ts";
import { enforceFigures } from "./enforce.ts";
import { measure } from "./measure.ts";
import type { Memory } from "./memory.ts";
import { lines, type Report } from "./report.ts";
import { SCALES } from "./scale.ts";
import { measureService } from "./service/measure-service.ts";
import { breakdown } from "./steps.ts";
import { judge } from "./targets.ts";
import { startWorker, type Worker } from "./worker.ts";

const options = {
  json: { type: "boolean", default: false },
  quick: { type: "boolean", default: false },
  tiny: { type: "boolean", default: false },
  rounds: { type: "string" },
} as const;
const { values } = parseArgs({ options });
const chosen = values.tiny ? SCALES.tiny : values.quick ? SCALES.quick : SCALES.full;
const rounds = values.rounds === undefined ? chosen.rounds : Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new TypeError("`--rounds` must be a whole number of at least 1");
const scale = { ...chosen, rounds };
const loadOf = (): number => loadavg()[0] ?? Number.NaN;
const before = loadOf();

const embedded = await measure(await embeddedSubjects(), { rounds, warmUp: Math.ceil(rounds / 2), batchMilliseconds: scale.batchMilliseconds });
const steps = await breakdown(rounds, scale.calls);
const enforce = await enforceFigures(rounds, scale.calls);
const service = await measureService(scale);
const report: Report = {
  node: process.version,
  scale,
  embedded,
  steps,
  enforce,
  service,
  envelopes: [
    await alone((memory) => memory.ask("envelopes", { kind: "handle", count: scale.handles })),
    await alone((memory) => memory.ask("envelopes", { kind: "signed", count: scale.chains })),
  ],
  tuples: await alone((memory) => memory.ask("tuples", scale.tuples)),
  machine: { processors: availableParallelism(), load: [before, loadOf()] },
  targets: [...judge("decision", service.decision, scale.concurrencies), ...judge("evaluation", service.evaluation, scale.concurrencies)],
};
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : `${lines(report).join("\n")}\n`);

/** Each in a process of its own, so that its heap has nothing else in it. */
async function alone<T>(ask: (memory: Worker<Memory>) => Promise<T>): Promise<T> {
  const memory = startWorker<Memory>(new URL("./memory.ts", import.meta.url));
  try {
    return await ask(memory);
  } finally {
    memory.close();
  }
}
