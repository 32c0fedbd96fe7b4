import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { createScrubber, type Scrubber } from "@ambit/gateway/scrub";

export interface Report {
  readonly node: string;
  readonly measured: readonly Measured[];
}

interface Measured {
  readonly name: string;
  readonly megabytesPerSecond: number;
  /** Times that `JSON.parse` of the same bytes takes in the same round; parsing text that is no JSON is not timed. */
  readonly parses: number | undefined;
}

const { values } = parseArgs({ options: { json: { type: "boolean", default: false }, rounds: { type: "string", default: "21" } } });
const rounds = Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new TypeError("`--rounds` must be a whole number of at least 1");

const rows = Array.from({ length: 4000 }, (_, id) => ({
  id,
  name: `Customer number ${id}`,
  email: `customer.${id}@example.com`,
  notes: 'said "no", twice',
  tags: ["renewal"],
}));
const json = JSON.stringify({ rows });
const prose = "The renewal clause says ninety days, and the customer has been told of them in June.\n".repeat(6000);

/** A bearer token, and what one call of several connectors has leased. */
const one = [Buffer.from(randomBytes(30).toString("base64url"))];
const several = [...one, randomBytes(32), randomBytes(48), Buffer.from("postgres://app:p%40ss w0rd@db/app")];

const subjects: readonly {
  readonly name: string;
  readonly text: string;
  readonly isJson: boolean;
  readonly secrets: readonly Uint8Array[];
  readonly run: (scrubber: Scrubber) => unknown;
}[] = [
  ...[one, several].flatMap((secrets) => {
    const count = secrets.length === 1 ? "1 secret" : `${secrets.length} secrets`;
    return [
      { name: `prose, ${count}`, text: prose, isJson: false, secrets, run: (scrubber: Scrubber) => scrubber.text(prose) },
      { name: `JSON as text, ${count}`, text: json, isJson: true, secrets, run: (scrubber: Scrubber) => scrubber.text(json) },
      { name: `JSON as a value, ${count}`, text: json, isJson: true, secrets, run: (scrubber: Scrubber) => scrubber.value(JSON.parse(json)) },
    ];
  }),
  ...[JSON.stringify({ text: json })].map((text) => ({
    name: "JSON in JSON, 1 secret",
    text,
    isJson: true,
    secrets: one,
    run: (scrubber: Scrubber) => scrubber.text(text),
  })),
  ...[randomBytes(400_000).toString("base64")].map((text) => ({
    name: "base64, 1 secret",
    text,
    isJson: false,
    secrets: one,
    run: (scrubber: Scrubber) => scrubber.text(text),
  })),
];

const measured = subjects.map(({ name, text, isJson, secrets, run }): Measured => {
  using scrubber = createScrubber(secrets);
  const [times, parses]: [number[], number[]] = [[], []];
  for (let round = -Math.ceil(rounds / 2); round < rounds; round++) {
    const parse = isJson ? milliseconds(() => JSON.parse(text)) : Number.NaN;
    const time = milliseconds(() => run(scrubber));
    if (round >= 0) [times, parses].forEach((figures, index) => figures.push(index === 0 ? time : time / parse));
  }
  return { name, megabytesPerSecond: Buffer.byteLength(text) / 1000 / median(times), parses: isJson ? median(parses) : undefined };
});

const report: Report = { node: process.version, measured };
const lines = measured.map(({ name, megabytesPerSecond, parses }) =>
  `${name.padEnd(30)} ${megabytesPerSecond.toFixed(0).padStart(6)} MB/s  ${parses === undefined ? "" : `${parses.toFixed(1)} × JSON.parse`}`.trimEnd(),
);
process.stdout.write(
  values.json
    ? `${JSON.stringify(report, null, 2)}\n`
    : `scrub bench on node ${report.node}: medians of ${rounds} rounds, processor time\n${lines.join("\n")}\n`,
);

function milliseconds(run: () => unknown): number {
  const start = process.cpuUsage();
  for (let time = 0; time < 4; time++) run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 4000;
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? Number.NaN;
}
