import { definitionDigest, type JsonObject } from "@ambit/core";
import { closeSchema } from "./close-schema.ts";
import { inferEffect, type InferredEffect } from "./effect.ts";
import { printable } from "./printable.ts";
import { inferRecords } from "./records.ts";
import { aliasesOf, toolIdOf } from "./tool-ids.ts";
import type { ToolFacts } from "./tool-facts.ts";

/** A tool of the manifest and what was guessed about it. */
export interface InferredTool extends InferredEffect {
  readonly id: string;
  /** The name that whoever offers the tool gives it. */
  readonly name: string;
  /** By what name frameworks call it; absent: another tool would go by the same. */
  readonly alias: string | undefined;
  readonly hasRecords: boolean;
  /** What the input schema lost. */
  readonly notes: readonly string[];
  /** The entry of the manifest file. */
  readonly entry: JsonObject;
}

export interface InferredManifest {
  readonly tools: readonly InferredTool[];
  /** Tools that cannot be in a manifest; calls of them are denied. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
  /** The content of the manifest file. */
  readonly manifest: { readonly tools: JsonObject };
}

/**
 * Writes the manifest for tools that describe themselves. With `server`, the operator's name for whoever offers them, their definitions are pinned
 * there. Everything that loosens is left for an operator to say: output is untrusted, constraints are unmapped, data classes unknown.
 */
export function inferManifest(facts: readonly ToolFacts[], server?: string): InferredManifest {
  const leftOut: { readonly name: string; readonly reason: string }[] = [];
  const named = new Map<string, ToolFacts>();
  const times = Map.groupBy(facts, ({ name }) => name);
  // Names that are ids keep them; a mapped name gives way.
  const byExactness = facts.toSorted((one, other) => Number(isOwnId(other)) - Number(isOwnId(one)));
  for (const tool of byExactness) {
    const answer = toolIdOf(tool.name);
    const reason =
      "refused" in answer
        ? answer.refused
        : times.get(tool.name)?.length !== 1
          ? "two tools have its name"
          : named.has(answer.id)
            ? `its name would become \`${answer.id}\`, which another tool is called`
            : server !== undefined && digest(tool) === undefined
              ? "its definition is too large, or not plain data"
              : undefined;
    if (reason === undefined && "id" in answer) named.set(answer.id, tool);
    else if (reason !== undefined) leftOut.push({ name: printable(tool.name), reason });
  }
  const aliases = aliasesOf([...named.keys()]);
  const tools = [...named].sort(([one], [other]) => (one < other ? -1 : 1)).map(([id, tool]) => inferTool(id, tool, aliases.get(id), server));
  return { tools, leftOut, manifest: { tools: Object.fromEntries(tools.map(({ id, entry }) => [id, entry])) } };
}

function isOwnId({ name }: ToolFacts): boolean {
  const answer = toolIdOf(name);
  return "id" in answer && answer.id === name;
}

function digest({ name, description, inputSchema, outputSchema, annotations }: ToolFacts): string | undefined {
  return definitionDigest({ name, description, inputSchema, outputSchema, annotations });
}

function inferTool(id: string, tool: ToolFacts, alias: string | undefined, server: string | undefined): InferredTool {
  const { effect, sendsOutside, ...guess } = inferEffect(tool);
  const { schema, ...closed } = closeSchema(tool.inputSchema, tool.document);
  // Both quote names that somebody else made up.
  const [reasons, notes] = [guess.reasons.map((reason) => printable(reason)), closed.notes.map((note) => printable(note))];
  const records = inferRecords(tool);
  const guessed = `guessed to be a ${effect}${sendsOutside ? ", sends outside" : ""}, because ${reasons.join("; ")}`;
  const entry: JsonObject = {
    description: `review: ${guessed}${records === undefined ? "" : "; `records` is guessed from the output schema"}`,
    names: namesOf(tool, alias, server),
    input_schema: schema,
    effect,
    ...(records === undefined ? {} : { records: { ...records } }),
    output: "untrusted",
    sends_outside: sendsOutside,
  };
  return { effect, sendsOutside, reasons, id, name: tool.name, alias, hasRecords: records !== undefined, notes, entry };
}

/** At its server the tool is pinned; what a framework makes of a definition differs from one to the next, so there it is not. */
function namesOf(tool: ToolFacts, alias: string | undefined, server: string | undefined): readonly JsonObject[] {
  const framework = [...new Set([...(server === undefined ? [tool.name] : []), ...(alias === undefined ? [] : [alias])])];
  const atServer = server === undefined ? [] : [{ name: tool.name, server, pin: digest(tool) ?? "none" }];
  return [...atServer, ...framework.map((name) => ({ name, pin: "none" }))];
}
