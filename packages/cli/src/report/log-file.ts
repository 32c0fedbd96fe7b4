import { readLog, type ReadLog } from "@ambit/core/audit";
import { own, type Json, type JsonObject } from "@ambit/core";
import { createReadStream, existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileError, usageError } from "../cli-error.ts";
import { printable } from "../infer/printable.ts";
import { createInputs } from "../input/inputs.ts";
import { shown } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";

/** A decision log, as far as it can be read and believed. */
export interface LogFile {
  readonly path: string;
  readonly log: ReadLog;
}

const CONFIG = "ambit.config.json";
const MOST_BYTES = 1_073_741_824;

/**
 * Reads the log that `--log` names, else that of the configuration in this folder, else `decisions.jsonl`; all of it, once. Refuses (`file_unreadable`, `file_malformed`) what is
 * not there, larger than a gigabyte, or no decision log from its first line on.
 */
export async function readLogFile(option: string | undefined, terminal: Terminal): Promise<LogFile> {
  if (option === "") throw usageError("`--log` is empty");
  const path = option ?? (await configuredLog(terminal));
  const log = readLog(await bytesOf(path, terminal));
  if (log.records.length === 0 && (log.unreadable > 0 || log.isTorn)) throw fileError("malformed", `\`${path}\` is no decision log`);
  return { path, log };
}

async function configuredLog(terminal: Terminal): Promise<string> {
  if (!existsSync(resolve(terminal.cwd, CONFIG))) return "decisions.jsonl";
  const config = await createInputs(terminal).json(CONFIG, { mostBytes: 8_388_608 });
  const log = typeof config === "object" && config !== null && !Array.isArray(config) ? own(config as JsonObject, "log") : undefined;
  if (log === "memory") throw usageError(`the decision log of \`${CONFIG}\` ends with its process; give the file with \`--log\``);
  return typeof log === "string" && log !== "" ? log : "decisions.jsonl";
}

async function bytesOf(path: string, terminal: Terminal): Promise<Buffer> {
  const chunks: AsyncIterable<Uint8Array> =
    path === "-" ? terminal.stdin : (createReadStream(resolve(terminal.cwd, path), { highWaterMark: 1_048_576 }) as AsyncIterable<Uint8Array>);
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > MOST_BYTES) break; // a device never ends
      parts.push(chunk);
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no reason given";
    throw fileError("unreadable", `the decision log \`${path}\` cannot be read (${code}); give its file with \`--log\``);
  }
  if (size > MOST_BYTES) throw fileError("unreadable", `\`${path}\` is larger than ${MOST_BYTES} bytes`);
  return Buffer.concat(parts);
}

/** How far a log is to be believed, a line each; none when all of it holds. */
export function doubtsAbout({ path, log }: LogFile): readonly string[] {
  const { flaw, verified, unreadable, isTorn } = log;
  const broken =
    flaw === undefined
      ? []
      : [
          `the log ${shown(path)} is BROKEN at line ${flaw.at}: ${printable(flaw.reason)}; the first ${verified} records hold, whatever is behind them may be anybody's`,
        ];
  const lines =
    unreadable === 0 ? [] : [unreadable === 1 ? "one line is no record and was passed over" : `${unreadable} lines are no records and were passed over`];
  return [...broken, ...lines, ...(isTorn ? ["its last line is half written, and was passed over"] : [])];
}

/** The same for programs. */
export function logJson({ path, log }: LogFile): JsonObject {
  const { records, verified, flaw, unreadable, isTorn } = log;
  const members: { readonly [name: string]: Json } = { file: path, records: records.length, intact: flaw === undefined, verified, unreadable, torn: isTorn };
  return flaw === undefined ? members : { ...members, flaw: { line: flaw.at, reason: flaw.reason } };
}
