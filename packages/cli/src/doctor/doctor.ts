import { CliError, usageError } from "../cli-error.ts";
import { readOptions } from "../options.ts";
import { createPaint } from "../output/paint.ts";
import { jsonText } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";
import { coverageText, isOpen, type Found } from "./coverage-text.ts";
import { loadCoverage } from "./load.ts";
import { parseCoverage } from "./parse-coverage.ts";

const MOST_FILES = 100;
const MOST_SECONDS = 3600;

/** Lists what adapters found in an application. Answers 1 when any of it is open, or when there is nothing: nobody has found out anything then. */
export async function doctor(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = readOptions(args, { json: { type: "boolean" }, timeout: { type: "string" } }, MOST_FILES);
  if (words.length === 0) throw usageError("give a module of the application that exports `coverage`");
  const patience = secondsOf(values.timeout) * 1000;
  const found: Found[] = [];
  // One after the other: two may start the same server.
  for (const file of words) found.push(...(await foundIn(file, patience, terminal)));
  const open = found.filter(isOpen).length;
  if (values.json === true) terminal.out(`${jsonText({ found: found.length, open, items: found })}\n`);
  else terminal.out(coverageText(found, { paint: createPaint(terminal.hasColours), columns: terminal.columns }));
  return open === 0 && found.length > 0 ? 0 : 1;
}

async function foundIn(file: string, patience: number, terminal: Terminal): Promise<readonly Found[]> {
  const parsed = parseCoverage(await loadCoverage(file, patience, terminal));
  if (typeof parsed === "string") throw new CliError("coverage_malformed", `\`coverage\` of \`${file}\` is no coverage: ${parsed}`, { exitCode: 2 });
  return parsed.flatMap(({ adapter, items }) => items.map((item): Found => ({ ...item, adapter, file })));
}

function secondsOf(value: string | undefined): number {
  const seconds = value === undefined ? 60 : /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (seconds < 1 || seconds > MOST_SECONDS) throw usageError(`\`--timeout\` must be a number of seconds from 1 to ${MOST_SECONDS}`);
  return seconds;
}
