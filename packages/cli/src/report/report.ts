import { reportOf } from "@ambit/core/audit";
import { readOptions } from "../options.ts";
import { createPaint } from "../output/paint.ts";
import { jsonText } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";
import { logJson, readLogFile } from "./log-file.ts";
import { reportText } from "./report-text.ts";

/** Shows what a decision log says. Answers 1 when its chain does not hold. */
export async function report(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = readOptions(args, { log: { type: "string" }, json: { type: "boolean" } });
  const file = await readLogFile(values.log, terminal);
  const figures = reportOf(file.log.records);
  if (values.json === true) terminal.out(`${jsonText({ log: logJson(file), ...figures })}\n`);
  else terminal.out(reportText(figures, file, { paint: createPaint(terminal.hasColours), columns: terminal.columns }));
  return file.log.flaw === undefined ? 0 : 1;
}
