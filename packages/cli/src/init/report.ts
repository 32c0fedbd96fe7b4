import type { InferredManifest, InferredTool } from "../infer/manifest.ts";

export interface InitReport {
  readonly inferred: InferredManifest;
  /** Of the list itself. */
  readonly flaws: readonly string[];
  readonly written: readonly string[];
  readonly server: string | undefined;
  readonly agent: string;
  readonly purpose: string;
  /** Whether the tools are those of an application that runs without Ambit until now. */
  readonly isApp: boolean;
}

/** The same for programs. */
export function reportJson({ inferred, flaws, written, server, agent, purpose }: InitReport): string {
  const tools = inferred.tools.map(({ id, name, alias, effect, sendsOutside, reasons, hasRecords, notes }) => ({
    id,
    name,
    alias: alias ?? null,
    effect,
    sends_outside: sendsOutside,
    reasons,
    records_known: hasRecords,
    notes,
  }));
  return `${JSON.stringify({ written, server: server ?? null, agent, purpose, tools, left_out: inferred.leftOut, flaws }, null, 2)}\n`;
}

/** What was written, what was guessed and why, and what is denied until somebody says more. */
export function reportText(report: InitReport): string {
  const { inferred, flaws, written, server } = report;
  const { tools, leftOut } = inferred;
  const origin = server === undefined ? "" : ` of \`${server}\``;
  const sections = [
    [`${tools.length} tools${origin}. Every effect is a guess; review it in the manifest, where each entry says why.`, ...table(tools)],
    section("Left out, so that calls are denied (tool_unmapped):", [...leftOut.map(({ name, reason }) => `${name}: ${reason}`), ...flaws]),
    section(
      "Without a name for frameworks, because another tool would go by the same; calls are denied (tool_unmapped) until you add one to `names`:",
      tools.filter(({ alias }) => alias === undefined).map(({ id }) => id),
    ),
    section(
      "Called by another name than their own where a model allows no dots:",
      tools.filter(({ id, alias }) => alias !== undefined && alias !== id).map(({ id, alias }) => `${id}: ${alias ?? ""}`),
    ),
    section(
      "Changed in the input schemas:",
      tools.flatMap(({ id, notes }) => notes.map((note) => `${id}: ${note}`)),
    ),
    recordsSection(tools),
    [
      "Denied until the manifest says more:",
      "  envelopes with `data_classes`: no entry has `data_classes` (constraint_unmapped)",
      "  envelopes with other resource constraints, as `customer_id`: no entry has `constraints` (constraint_unmapped)",
      '  results count as untrusted: no entry has `"output": "trusted"`',
    ],
    ["Written:", ...written.map((path) => `  ${path}`)],
    nextSteps(report),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function table(tools: readonly InferredTool[]): readonly string[] {
  const width = Math.min(48, Math.max(...tools.map(({ id }) => id.length)));
  return tools.map(({ id, effect, sendsOutside, reasons }) => {
    const what = `${effect}${sendsOutside ? ", sends outside" : ""}`;
    return `  ${id.padEnd(width)}  ${what.padEnd(26)}  ${reasons.join("; ")}`;
  });
}

function recordsSection(tools: readonly InferredTool[]): readonly string[] {
  const unknown = tools.filter(({ hasRecords }) => !hasRecords);
  if (unknown.length === 0) return [];
  return section("Records unknown: envelopes with `max_records` or a budget of records deny these (constraint_unmapped) until their entries say `records`:", [
    unknown.length === tools.length ? "all of them" : unknown.map(({ id }) => id).join(", "),
  ]);
}

function nextSteps({ inferred, written, agent, purpose, isApp }: InitReport): readonly string[] {
  const readable = inferred.tools.find(({ effect, sendsOutside }) => effect === "read" && !sendsOutside);
  const allowed = readable === undefined ? "" : JSON.stringify(readable.id);
  return [
    "Next:",
    `  const pdp = await createPdp(${JSON.stringify(written[0])});`,
    `  const pep = createPep({ pdp, agent: ${JSON.stringify(agent)}${isApp ? ', mode: "observe"' : ""} });${isApp ? " // refuses nothing; everything is recorded" : ""}`,
    `  const task = await pep.begin({ delegatorId, tenantId, purpose: ${JSON.stringify(purpose)}, allowedTools: [${allowed}], resourceConstraints: {}, expiresIn: "10m" });`,
  ];
}
