import { join, relative, resolve } from "node:path";
import { CliError } from "../cli-error.ts";
import { inferManifest } from "../infer/manifest.ts";
import { printable } from "../infer/printable.ts";
import { readTools } from "../source/read-tools.ts";
import type { Terminal } from "../terminal.ts";
import type { InitOptions, ProposeOptions } from "./options.ts";
import { propose } from "./propose.ts";
import { reportJson, reportText } from "./report.ts";
import { starterFiles } from "./starter.ts";
import { writeFiles } from "./write-files.ts";

/** Writes a configuration that loads and runs, from what tools say of themselves. */
export async function init(options: InitOptions | ProposeOptions, terminal: Terminal): Promise<void> {
  if ("log" in options) return propose(options, terminal);
  const { server, agent, purpose } = options;
  const { tools, flaws: said } = await readTools(options.source, terminal);
  const flaws = said.map((flaw) => printable(flaw));
  const inferred = inferManifest(tools, server);
  if (inferred.tools.length === 0) {
    const reasons = [...flaws, ...inferred.leftOut.map(({ name, reason }) => `\`${name}\`: ${reason}`)];
    throw new CliError("no_tools", ["there is no tool to write a manifest for", ...reasons].join("\n"));
  }
  const origin = server === undefined ? "the application's tools" : `the tools of ${server}`;
  const files = await starterFiles(inferred, { agent, purpose, origin });
  const folder = resolve(terminal.cwd, options.dir);
  await writeFiles(folder, files, options.overwrites);
  const shown = relative(terminal.cwd, folder);
  const written = [...files.keys()].map((path) => join(shown === "" ? "." : shown, path));
  const report = { inferred, flaws, written, server, agent, purpose, isApp: options.source.kind === "app" };
  terminal.out(options.json ? reportJson(report) : reportText(report));
}
