import { env, stderr } from "node:process";

/*
 * AMBIT_DEEP=short makes a fiftieth of the cases. Every case is made of the seed and its number alone: AMBIT_DEEP_SEED repeats a whole run, and with
 * AMBIT_DEEP_CASE one case of it.
 */
const isShort = env["AMBIT_DEEP"] === "short";

/** A whole number that was given, or `otherwise`. */
function given(name: string, otherwise: number): number {
  const text = env[name];
  if (text === undefined || text === "") return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number of at most nine digits`);
  return Number(text);
}

export const SEED: number = given("AMBIT_DEEP_SEED", 1);

const ONLY = given("AMBIT_DEEP_CASE", -1);

/** `full` cases, or a fiftieth of them. */
export function casesOf(full: number): number {
  return isShort ? Math.ceil(full / 50) : full;
}

/** Whether this is a whole run, whose figures mean something, and no single case of one. */
export const isWhole: boolean = ONLY === -1;

/** How a failure is repeated. */
function repeatBy(index: number): string {
  return `AMBIT_DEEP_SEED=${SEED} AMBIT_DEEP_CASE=${index}${isShort ? " AMBIT_DEEP=short" : ""}`;
}

/** A line to stderr: `console` is not to be used while tests run. */
export function say(line: string): void {
  stderr.write(`${line}\n`);
}

/** Runs every case, says how far it is every few seconds, and lets none of them pass without a name: a failure says how it is repeated. */
export async function forEachCase(what: string, full: number, act: (index: number) => void | Promise<void>): Promise<void> {
  const count = casesOf(full);
  const began = performance.now();
  let spoke = began;
  say(`${what}: ${count} cases, seed ${SEED}`);
  for (let index = isWhole ? 0 : ONLY; index < (isWhole ? count : ONLY + 1); index++) {
    try {
      const result = act(index);
      if (result !== undefined) await result;
    } catch (cause) {
      throw new Error(`case ${index} (${repeatBy(index)}): ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
    if (index % 64 !== 0 || performance.now() - spoke < 5000) continue;
    spoke = performance.now();
    say(`${what}: ${index} of ${count} after ${Math.round((spoke - began) / 1000)} s`);
  }
  say(`${what}: done after ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** Counts, the most frequent first, for the figures at the end. */
export function counted(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .toSorted(([, left], [, right]) => right - left)
    .map(([name, count]) => `  ${String(count).padStart(8)}  ${name}`)
    .join("\n");
}

export function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
