/**
 * The quickstart demo as a command. Exit codes: 0 everything came out as it must, 1 something did not, 2 wrong usage.
 *
 * @module
 */
import process, { argv, env, stderr, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { demo } from "./demo.ts";
import { SettingError } from "./model/models.ts";
import { createScreen } from "./show/screen.ts";

const USAGE = `Usage: npm run demo [-- --unprotected]

A contract-renewal review by two agents, over two MCP servers. The contract carries instructions for whoever reads it.

  --unprotected   the same review without Ambit, to see what becomes of the data
  --help          this text

AMBIT_MODEL_URL, AMBIT_MODEL and AMBIT_MODEL_KEY name an OpenAI-compatible endpoint; without them a script plays the model that
obeys whatever it reads. NO_COLOR turns colours off. The decision log and the picture go to apps/quickstart/out.
`;

const OUT = fileURLToPath(new URL("../out", import.meta.url));

async function main(args: readonly string[]): Promise<number> {
  let options: { readonly unprotected?: boolean; readonly help?: boolean };
  try {
    options = parseArgs({ args: [...args], options: { unprotected: { type: "boolean" }, help: { type: "boolean", short: "h" } } }).values;
  } catch (error) {
    return complain(error, 2);
  }
  if (options.help === true) {
    stdout.write(USAGE);
    return 0;
  }
  try {
    const isProtected = options.unprotected !== true;
    return (await demo({ isProtected, environment: env, screen: createScreen(stdout), out: OUT })) ? 0 : 1;
  } catch (error) {
    return complain(error, error instanceof SettingError ? 2 : 1);
  }
}

/** What went wrong, in a line. */
function complain(error: unknown, exitCode: number): number {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  stderr.write(`${typeof code === "string" ? `${code}: ` : ""}${String(message ?? error)}\n${exitCode === 2 ? `\n${USAGE}` : ""}`);
  return exitCode;
}

process.exitCode = await main(argv.slice(2));
