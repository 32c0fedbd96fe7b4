import { parseArgs } from "node:util";
import { isIdentifier } from "@ambit/core";
import { reasonOf, usageError } from "../cli-error.ts";
import { splitCommand } from "../input/split-command.ts";

/** Where the tools are described. */
export type Source =
  | { readonly kind: "mcp-command"; readonly command: readonly [string, ...string[]]; readonly passedEnv: readonly string[] }
  | { readonly kind: "mcp-url"; readonly url: URL }
  | { readonly kind: "file"; readonly path: string }
  /** A module of the application that exports its tools. */
  | { readonly kind: "app"; readonly path: string };

export interface InitOptions {
  readonly source: Source;
  /** The operator's name for the server; absent for tools that the application defines itself. */
  readonly server: string | undefined;
  readonly dir: string;
  readonly agent: string;
  readonly purpose: string;
  readonly overwrites: boolean;
  readonly json: boolean;
}

/** What a run has shown, as a configuration. */
export interface ProposeOptions {
  /** The decision log. */
  readonly log: string;
  readonly config: string;
  readonly dir: string;
  readonly overwrites: boolean;
  readonly json: boolean;
}

const OPTIONS = {
  mcp: { type: "string" },
  "mcp-url": { type: "string" },
  tools: { type: "string" },
  app: { type: "string" },
  observed: { type: "string" },
  config: { type: "string" },
  server: { type: "string" },
  env: { type: "string", multiple: true },
  dir: { type: "string" },
  agent: { type: "string" },
  purpose: { type: "string" },
  force: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

/** Reads the options of `ambit init`. Throws a usage error for what is unknown, missing or contradictory. */
export function parseInitOptions(args: readonly string[]): InitOptions | ProposeOptions {
  const values = readValues(args);
  if (values.observed !== undefined) return proposeOptions(values, values.observed);
  if (values.config !== undefined) throw usageError("`--config` is for `--observed`");
  const source = sourceOf(values);
  const server = values.server ?? (source.kind === "file" || source.kind === "app" ? undefined : "mcp");
  const { agent = "assistant", dir = "." } = values;
  const purpose = values.purpose ?? `use_${(server ?? "tools").replaceAll(/[^A-Za-z0-9_]/g, "_")}`;
  for (const [name, value] of Object.entries({ server, agent, purpose })) {
    if (value !== undefined && !isIdentifier(value)) throw usageError(`\`--${name}\` must be visible ASCII without spaces, at most 256 characters`);
  }
  return { source, server, dir, agent, purpose, overwrites: values.force, json: values.json };
}

function proposeOptions(values: Values, log: string): ProposeOptions {
  const others = (["mcp", "mcp-url", "tools", "app", "server", "env", "agent", "purpose"] as const).filter((name) => values[name] !== undefined);
  if (others.length > 0) throw usageError(`\`--${others[0]}\` is not for \`--observed\``);
  const { config = "ambit.config.json", dir = "ambit.proposal", force, json } = values;
  return { log, config, dir, overwrites: force, json };
}

type Values = ReturnType<typeof parseArgs<{ readonly options: typeof OPTIONS }>>["values"];

function readValues(args: readonly string[]): Values {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw usageError(reasonOf(error));
  }
}

function sourceOf(values: Values): Source {
  const { mcp, "mcp-url": url, tools, app, env = [] } = values;
  if ([mcp, url, tools, app].filter((value) => value !== undefined).length !== 1)
    throw usageError("give one of `--app`, `--mcp`, `--mcp-url`, `--tools` and `--observed`");
  if (env.length > 0 && mcp === undefined) throw usageError("`--env` is for `--mcp`");
  if (mcp !== undefined) return { kind: "mcp-command", command: splitCommand(mcp, "mcp"), passedEnv: env };
  if (app !== undefined) return { kind: "app", path: app };
  return url === undefined ? { kind: "file", path: tools ?? "" } : { kind: "mcp-url", url: httpUrl(url) };
}

function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw usageError("`--mcp-url` must be an http or https address");
  return url;
}
