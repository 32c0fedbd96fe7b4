import { dirname, join, relative, resolve } from "node:path";
import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { reportOf, type LogReport } from "@ambit/core/audit";
import { createPdp, type PdpConfig } from "@ambit/pdp";
import { CliError, fileError } from "../cli-error.ts";
import { printable } from "../infer/printable.ts";
import { createInputs } from "../input/inputs.ts";
import { jsonText, shown } from "../output/shown.ts";
import { doubtsAbout, readLogFile } from "../report/log-file.ts";
import type { Terminal } from "../terminal.ts";
import type { ProposeOptions } from "./options.ts";
import { proposalOf, type Proposal } from "./proposal.ts";
import { writeFiles } from "./write-files.ts";

/**
 * Writes what a run has used as the agents and purposes of a configuration that enforces, beside the present one. Refuses to take a log for true whose chain does not
 * hold, and to write what no decision point loads.
 */
export async function propose(options: ProposeOptions, terminal: Terminal): Promise<void> {
  const file = await readLogFile(options.log, terminal);
  const [doubt] = doubtsAbout(file);
  if (file.log.flaw !== undefined) throw fileError("malformed", doubt ?? "the log is broken");
  const report = reportOf(file.log.records);
  if (report.calls.permitted + report.calls.observed === 0) throw new CliError("proposal_impossible", "no call ran in this log, so there is nothing to go by");
  const config = await readConfig(options.config, terminal);
  const folder = dirname(resolve(terminal.cwd, options.config));
  const [agents, purposes] = [await partOf(config, "agents", folder, terminal), await partOf(config, "purposes", folder, terminal)];
  const proposal = proposalOf(agents, purposes, report);
  await load(config, folder, proposal);

  const files = new Map([
    ["agents.json", `${JSON.stringify(proposal.agents, null, 2)}\n`],
    ["purposes.json", `${JSON.stringify(proposal.purposes, null, 2)}\n`],
  ]);
  const target = resolve(terminal.cwd, options.dir);
  await writeFiles(target, files, options.overwrites);
  const written = [...files.keys()].map((name) => join(relative(terminal.cwd, target), name));
  const { taken, unseen } = proposal;
  if (options.json) terminal.out(`${jsonText({ written, taken, unseen, would_be_denied: report.wouldBeDenied } as unknown as Json)}\n`);
  else terminal.out(textOf(proposal, report, written));
}

async function readConfig(path: string, terminal: Terminal): Promise<JsonObject> {
  const config = (await createInputs(terminal).json(path, { mostBytes: 8_388_608 })) as Json;
  if (!isJsonObject(config)) throw fileError("malformed", `\`${path}\` is no configuration`);
  return config;
}

async function partOf(config: JsonObject, part: string, folder: string, terminal: Terminal): Promise<unknown> {
  const value = own(config, part);
  return typeof value === "string" ? createInputs(terminal).json(resolve(folder, value), { mostBytes: 67_108_864 }) : value;
}

/** Throws the `AmbitError` of a configuration that cannot be loaded. */
async function load(config: JsonObject, folder: string, { agents, purposes }: Proposal): Promise<void> {
  const at = (path: Json): Json => (typeof path === "string" ? resolve(folder, path) : path);
  const policies = own(config, "policies");
  const proposed = {
    ...config,
    manifest: at(own(config, "manifest") ?? null),
    policies: Array.isArray(policies) ? (policies as readonly Json[]).map(at) : policies,
    ...Object.fromEntries(["users", "relations"].flatMap((part) => (Object.hasOwn(config, part) ? [[part, at(own(config, part) ?? null)]] : []))),
    agents,
    purposes,
    log: "memory",
    state: "memory",
  };
  for (const part of ["signing", "anchors", "audience", "identity"]) delete (proposed as { [member: string]: unknown })[part];
  await (await createPdp(proposed as unknown as PdpConfig)).close();
}

function textOf({ taken, unseen }: Proposal, { wouldBeDenied, calls }: LogReport, written: readonly string[]): string {
  const list = (tools: readonly string[]): string => (tools.length === 0 ? "none" : tools.map((tool) => printable(tool)).join(", "));
  const blocks = [
    [`${calls.permitted + calls.observed} calls ran. What they used, and nothing else, is the proposal.`],
    taken.flatMap(({ kind, id, kept, removed }) => [
      `${kind} ${shown(id)}`,
      `  keeps    ${list(kept)}`,
      ...(removed.length === 0 ? [] : [`  loses    ${list(removed)}`]),
    ]),
    unseen.length === 0 ? [] : ["Left as they are, because the log says nothing of them:", ...unseen.map(({ kind, id }) => `  ${kind} ${shown(id)}`)],
    wouldBeDenied.length === 0
      ? []
      : [
          "Would have been refused, and will be once it is enforced, until somebody decides otherwise:",
          ...wouldBeDenied.flatMap(({ code, tool, count, changes }) => [
            `  ${shown(code)}: ${shown(tool)}, ${count === 1 ? "once" : `${count} times`}`,
            ...changes.map(({ change }) => `    → ${printable(change, 3000)}`),
          ]),
        ],
    ["Written:", ...written.map((path) => `  ${path}`)],
    ['Next: compare them with yours, put them in their place, and leave out `mode: "observe"`.'],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}
