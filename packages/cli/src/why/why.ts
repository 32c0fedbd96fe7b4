import { explain } from "@ambit/core/audit";
import { CliError, usageError } from "../cli-error.ts";
import { printable } from "../infer/printable.ts";
import { readOptions } from "../options.ts";
import { createPaint } from "../output/paint.ts";
import { jsonText } from "../output/shown.ts";
import { doubtsAbout, logJson, readLogFile, type LogFile } from "../report/log-file.ts";
import type { Terminal } from "../terminal.ts";
import { whyText } from "./why-text.ts";

/** Explains what a decision log says of an id. Answers 1 when it says nothing of it. */
export async function why(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = readOptions(args, { log: { type: "string" }, json: { type: "boolean" } }, 1);
  const [id] = words;
  if (id === undefined || id === "") throw usageError("give the id of a decision, an envelope, an approval or a call");
  const file = await readLogFile(values.log, terminal);
  const explanation = explain(file.log.records, id);
  if (explanation === undefined) throw notFound(id, file);
  const isBelieved = file.log.records.indexOf(explanation.record) < file.log.verified;
  if (values.json === true) terminal.out(`${jsonText({ log: logJson(file), verified: isBelieved, ...explanation })}\n`);
  else terminal.out(whyText(explanation, file, isBelieved, { paint: createPaint(terminal.hasColours), columns: terminal.columns }));
  return 0;
}

function notFound(id: string, file: LogFile): CliError {
  const doubts = doubtsAbout(file).map((doubt) => `\n${doubt}`);
  return new CliError("not_found", `nothing in \`${printable(file.path)}\` has the id \`${printable(id)}\`${doubts.join("")}`);
}
