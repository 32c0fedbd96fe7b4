import { readFileSync } from "node:fs";
import { AmbitError } from "@ambit/core";
import { CliError, reasonOf, usageError } from "./cli-error.ts";
import { printable } from "./infer/printable.ts";
import { INIT_HELP } from "./init/help.ts";
import { parseInitOptions } from "./init/options.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `ambit: execution-centric authorization for AI agents

Usage
  ambit init [options]     write a first configuration from the tools of an MCP server or a list
  ambit --help             show this text; \`ambit init --help\` tells more
  ambit --version

Examples
  ambit init --mcp "npx -y @modelcontextprotocol/server-filesystem ./data" --server files
  ambit init --mcp-url http://localhost:3000/mcp --server crm --dir ./authz
  ambit init --tools tools.json --agent assistant --purpose answer_questions

Exit codes: 0 done, 1 failed, 2 called wrongly.
`;

/** Runs one command and answers with its exit code. Never throws. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(args, terminal);
  } catch (error) {
    const [code, exitCode] = codeOf(error);
    const lines = reasonOf(error)
      .split("\n")
      .map((line) => printable(line, 400));
    terminal.err(`error[${code}]: ${lines.join("\n  ")}\n`);
    if (exitCode === 2) terminal.err("run `ambit --help` for help\n");
    return exitCode;
  }
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<number> {
  const [command, ...rest] = args;
  const isAsking = (options: readonly string[], ...names: readonly string[]): boolean => options.some((option) => names.includes(option));
  if (command === "init") {
    if (isAsking(rest, "--help", "-h")) terminal.out(INIT_HELP);
    else await runInit(rest, terminal);
    return 0;
  }
  if (isAsking([command ?? ""], "--help", "-h", "help")) terminal.out(HELP);
  else if (isAsking([command ?? ""], "--version", "-v")) terminal.out(`${versionOf()}\n`);
  else throw usageError(command === undefined ? "no command" : `there is no command \`${command}\``);
  return 0;
}

async function runInit(args: readonly string[], terminal: Terminal): Promise<void> {
  const options = parseInitOptions(args);
  // Loaded only here: with it comes the decision point, which takes longer to load than to tell of a misspelt option.
  const { init } = await import("./init/init.ts");
  await init(options, terminal);
}

function codeOf(error: unknown): readonly [code: string, exitCode: 1 | 2] {
  if (CliError.isInstance(error)) return [error.code, error.exitCode];
  return AmbitError.isInstance(error) ? [error.code, 1] : ["unexpected", 1];
}

function versionOf(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { readonly version: string };
  return version;
}
