import { AmbitError } from "@ambit/core";
import { migrateState, type MigratedState } from "@ambit/pdp";
import { resolve } from "node:path";
import { CliError, usageError } from "../cli-error.ts";
import { readOptions } from "../options.ts";
import { jsonText } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";

const OPTIONS = { config: { type: "string", default: "ambit.config.json" }, check: { type: "boolean" }, json: { type: "boolean" } } as const;

/** Brings the state of a configuration up to date, or tells what is missing. */
export async function state(args: readonly string[], terminal: Terminal): Promise<number> {
  const [action, ...rest] = args;
  if (action !== "migrate") throw usageError("`ambit state` has the one command `migrate`");
  const { check = false, config, json } = readOptions(rest, OPTIONS).values;
  if (config === "") throw usageError("`--config` is empty");
  const { kind, steps } = await asked(migrateState(resolve(terminal.cwd, config), { check, env: terminal.env }));
  if (json === true) terminal.out(`${jsonText({ kind, [check ? "missing" : "applied"]: steps })}\n`);
  else terminal.out(steps.length === 0 ? `${kind}: ${NOTHING[kind]}\n` : steps.map((step) => `${kind}: ${check ? "missing" : "applied"} ${step}\n`).join(""));
  return check && steps.length > 0 ? 1 : 0;
}

const NOTHING: { readonly [kind in MigratedState["kind"]]: string } = {
  memory: "there is nothing to migrate",
  redis: "there is nothing to migrate",
  sqlite: "up to date",
  postgres: "up to date",
};

/** What could not be asked is no answer. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (AmbitError.isInstance(error)) throw new CliError(error.code, error.message, { exitCode: 2, cause: error });
    throw error;
  }
}
