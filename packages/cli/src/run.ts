import { readFileSync } from "node:fs";
import { AmbitError } from "@ambit/core";
import { APPROVALS_HELP } from "./approvals/help.ts";
import { ATTENUATE_HELP } from "./attenuate/help.ts";
import { CALLS_HELP } from "./calls/help.ts";
import { CliError, reasonOf, usageError } from "./cli-error.ts";
import { DOCTOR_HELP } from "./doctor/help.ts";
import { EXPORT_HELP } from "./export/help.ts";
import { HELP } from "./help.ts";
import { printable } from "./infer/printable.ts";
import { INIT_HELP } from "./init/help.ts";
import { parseInitOptions } from "./init/options.ts";
import { INSPECT_HELP } from "./inspect/help.ts";
import { KEYS_HELP } from "./keys/help.ts";
import { MINT_HELP } from "./mint/help.ts";
import { PDP_HELP } from "./pdp/help.ts";
import { PROVE_HELP } from "./prove/help.ts";
import { REPORT_HELP } from "./report/help.ts";
import { REVOKE_HELP } from "./revoke/help.ts";
import { STATE_HELP } from "./state/help.ts";
import type { Terminal } from "./terminal.ts";
import { VAULT_HELP } from "./vault/help.ts";
import { VERIFY_HELP } from "./verify/help.ts";
import { WHY_HELP } from "./why/help.ts";

interface Command {
  readonly help: string;
  readonly run: (args: readonly string[], terminal: Terminal) => Promise<number>;
  /** Whether 1 is its answer that tokens are refused; what keeps it from answering is then a 2. */
  readonly refuses: boolean;
}

/** Loaded only where they run: with some comes the decision point, which takes longer to load than to tell of a misspelt option. */
const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["init", { help: INIT_HELP, run: runInit, refuses: false }],
  ["doctor", { help: DOCTOR_HELP, run: async (args, terminal) => (await import("./doctor/doctor.ts")).doctor(args, terminal), refuses: true }],
  ["keys", { help: KEYS_HELP, run: async (args, terminal) => (await import("./keys/keys.ts")).keys(args, terminal), refuses: true }],
  ["mint", { help: MINT_HELP, run: async (args, terminal) => (await import("./mint/mint.ts")).mint(args, terminal), refuses: true }],
  ["attenuate", { help: ATTENUATE_HELP, run: async (args, terminal) => (await import("./attenuate/attenuate.ts")).attenuate(args, terminal), refuses: true }],
  ["export", { help: EXPORT_HELP, run: async (args, terminal) => (await import("./export/export.ts")).exportCommand(args, terminal), refuses: true }],
  ["prove", { help: PROVE_HELP, run: async (args, terminal) => (await import("./prove/prove.ts")).prove(args, terminal), refuses: true }],
  ["inspect", { help: INSPECT_HELP, run: async (args, terminal) => (await import("./inspect/inspect.ts")).inspect(args, terminal), refuses: true }],
  ["verify", { help: VERIFY_HELP, run: async (args, terminal) => (await import("./verify/verify.ts")).verify(args, terminal), refuses: true }],
  ["why", { help: WHY_HELP, run: async (args, terminal) => (await import("./why/why.ts")).why(args, terminal), refuses: true }],
  ["pdp", { help: PDP_HELP, run: async (args, terminal) => (await import("./pdp/serve.ts")).pdp(args, terminal), refuses: true }],
  ["approvals", { help: APPROVALS_HELP, run: async (args, terminal) => (await import("./approvals/approvals.ts")).approvals(args, terminal), refuses: true }],
  ["calls", { help: CALLS_HELP, run: async (args, terminal) => (await import("./calls/calls.ts")).calls(args, terminal), refuses: true }],
  ["revoke", { help: REVOKE_HELP, run: async (args, terminal) => (await import("./revoke/revoke.ts")).revoke(args, terminal), refuses: true }],
  ["state", { help: STATE_HELP, run: async (args, terminal) => (await import("./state/state.ts")).state(args, terminal), refuses: true }],
  ["vault", { help: VAULT_HELP, run: async (args, terminal) => (await import("./vault/vault.ts")).vault(args, terminal), refuses: true }],
  ["report", { help: REPORT_HELP, run: async (args, terminal) => (await import("./report/report.ts")).report(args, terminal), refuses: true }],
]);

/** Runs one command and answers with its exit code. Never throws. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = "", ...rest] = args;
  const command = COMMANDS.get(name);
  try {
    if (command === undefined) return runItself(name, terminal);
    if (rest.some((option) => option === "--help" || option === "-h")) {
      terminal.out(command.help);
      return 0;
    }
    return await command.run(rest, terminal);
  } catch (error) {
    const [code, exitCode] = codeOf(error, command?.refuses === true);
    // Only our own messages have lines; in others they are somebody's words.
    const message = reasonOf(error);
    const lines = command?.refuses === true && !CliError.isInstance(error) ? [message] : message.split("\n");
    terminal.err(`error[${code}]: ${lines.map((line) => printable(line, 1000)).join("\n  ")}\n`);
    if (code === "usage") terminal.err(`run \`ambit ${command === undefined ? "" : `${name} `}--help\` for help\n`);
    return exitCode;
  }
}

function runItself(name: string, terminal: Terminal): number {
  if (["--help", "-h", "help"].includes(name)) terminal.out(HELP);
  else if (["--version", "-v"].includes(name)) terminal.out(`${versionOf()}\n`);
  else throw usageError(name === "" ? "no command" : `there is no command \`${name}\``);
  return 0;
}

async function runInit(args: readonly string[], terminal: Terminal): Promise<number> {
  const options = parseInitOptions(args);
  const { init } = await import("./init/init.ts");
  await init(options, terminal);
  return 0;
}

/** What is wrong with what a person wrote; every other code of an `AmbitError` is a refusal. */
const MISTAKES = new Set<string>(["config_invalid", "manifest_invalid", "policy_invalid", "option_invalid", "log_corrupt"]);

function codeOf(error: unknown, refuses: boolean): readonly [code: string, exitCode: 1 | 2] {
  if (CliError.isInstance(error)) return [error.code, error.exitCode];
  if (AmbitError.isInstance(error)) return [error.code, refuses && MISTAKES.has(error.code) ? 2 : 1];
  return ["unexpected", refuses ? 2 : 1];
}

function versionOf(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { readonly version: string };
  return version;
}
