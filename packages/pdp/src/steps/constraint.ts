import { rulesOf, valuesAt, type ConstraintValue, type Json, type JsonObject, type Obligation, type ResourceConstraints, type Vocabulary } from "@ambit/core";
import type { Ceiling } from "../config/agents.ts";
import { leafOf, type Chain } from "../envelopes/chain.ts";
import type { ConstraintMapping, ToolEntry } from "../manifest/manifest.ts";
import { Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { recordsOf, statedLimit } from "./records.ts";

/** What the enforcement point must do with the result so that the constraints hold there, too. */
export type ResultObligation = Extract<Obligation, { readonly type: "filter_records" | "redact_fields" }>;

/**
 * Step 2: the tool is allowed by the envelope and by the ceiling of every agent of the chain, and every argument is inside the constraints of both.
 * Children were checked to be narrower when they were issued, so the last envelope speaks for the chain.
 */
export function checkConstraints(setting: Setting, chain: Chain, tool: ToolEntry, args: JsonObject): readonly ResultObligation[] {
  const { envelope } = leafOf(chain);
  checkTools(setting, chain, tool);
  const flaw = setting.argumentChecks.get(tool.id)?.(args);
  if (flaw !== undefined) throw new Refused("constraint", "argument_not_allowed", flaw);
  const ceilings = chain.links.map((link) => ceilingOf(setting, link.envelope.agentId)?.resourceConstraints ?? {});
  const bounds = [envelope.resourceConstraints, ...ceilings];
  return bounds.flatMap((constraints, index) => checkBound(`c${index}`, constraints, setting.order.vocabulary, tool, args));
}

function checkTools(setting: Setting, chain: Chain, tool: ToolEntry): void {
  const { envelope } = leafOf(chain);
  if (!envelope.allowedTools.includes(tool.id) || envelope.deniedTools.includes(tool.id)) {
    throw new Refused("constraint", "tool_not_allowed", `the envelope does not allow \`${tool.id}\`; it allows ${listed(envelope.allowedTools)}`);
  }
  for (const { envelope: link } of chain.links) {
    // What an agent was given to hand on only, it cannot hand to itself, by whatever way round.
    if (link.agentId === envelope.agentId && !link.allowedTools.includes(tool.id))
      throw new Refused("constraint", "tool_not_allowed", `the agent \`${link.agentId}\` may hand \`${tool.id}\` on, not use it`);
    const ceiling = ceilingOf(setting, link.agentId);
    if (ceiling === undefined) continue;
    const isHolder = link === envelope;
    // Whoever handed a tool on need not be able to use it, only to hand it on.
    if (ceiling.allowedTools.has(tool.id) || (!isHolder && ceiling.mayDelegate.has(tool.id))) continue;
    throw new Refused("constraint", "tool_not_allowed", `\`${tool.id}\` is above the ceiling of the agent \`${link.agentId}\``);
  }
}

/** The ceiling of an agent, where it has one. */
export function ceilingOf(setting: Setting, agentId: string): Ceiling | undefined {
  const ceiling = setting.agents.get(agentId)?.ceiling;
  return ceiling === "none" ? undefined : ceiling;
}

function checkBound(id: string, constraints: ResourceConstraints, vocabulary: Vocabulary, tool: ToolEntry, args: JsonObject): readonly ResultObligation[] {
  const obligations: ResultObligation[] = [];
  for (const [key, constraint] of Object.entries(constraints)) {
    if (key === "max_records") checkLimit(tool, args, constraint);
    else if (key === "data_classes") obligations.push(...checkDataClasses(`${id}-${key}`, tool, new Set(constraint as readonly string[]), "constraint"));
    else obligations.push(...checkKey(`${id}-${key}`, key, constraint, vocabulary, tool, args));
  }
  return obligations;
}

function checkKey(
  id: string,
  key: string,
  constraint: ConstraintValue,
  vocabulary: Vocabulary,
  tool: ToolEntry,
  args: JsonObject,
): readonly ResultObligation[] {
  const kind = vocabulary.kinds.get(key);
  const mapping: ConstraintMapping | undefined = tool.constraints.get(key);
  if (kind === undefined || mapping === undefined) {
    throw new Refused(
      "constraint",
      "constraint_unmapped",
      `\`${key}\` cannot be checked for \`${tool.id}\``,
      `say in the manifest where it shows: \`constraints.${key}\` of its entry, as {"argument": "/…"}, {"result": "/…"} or "not_applicable"`,
    );
  }
  if (mapping === "not_applicable") return [];
  const rules = rulesOf(kind);
  if (mapping.argument !== undefined && !isAdmitted(mapping.argument, args, mapping.result !== undefined, rules.admits(constraint)))
    throw new Refused("constraint", "argument_not_allowed", `the argument \`${mapping.argument}\` must be within \`${key}\`: ${rules.describe(constraint)}`);
  return mapping.result === undefined ? [] : [{ id, type: "filter_records", properties: { pointer: mapping.result, kind, constraint } }];
}

/** What is not there is within a constraint that is checked in the result. */
function isAdmitted(pointer: string, args: JsonObject, isCheckedInResult: boolean, admits: (value: Json) => boolean): boolean {
  const values = valuesAt(args, pointer);
  if (values === undefined || values.length === 0) return isCheckedInResult;
  return values.some((value) => value !== undefined) && values.every(admits);
}

function checkLimit(tool: ToolEntry, args: JsonObject, max: ConstraintValue): void {
  const rule = recordsOf(tool);
  if (rule !== "none") statedLimit(rule, args, max as number);
}

/** Data classes that are not allowed: the fields that carry them are redacted, or the call is refused where the whole result carries them. */
export function checkDataClasses(id: string, tool: ToolEntry, allowed: ReadonlySet<string>, step: "constraint" | "intent"): readonly ResultObligation[] {
  const { dataClasses } = tool;
  if (dataClasses === undefined) {
    throw new Refused(
      step,
      "constraint_unmapped",
      `it is not known which data classes \`${tool.id}\` returns`,
      "add `data_classes` to its entry in the manifest",
    );
  }
  if (dataClasses instanceof Map) {
    const pointers = [...dataClasses].filter(([name]) => !allowed.has(name)).flatMap(([, fields]: readonly [string, readonly string[]]) => fields);
    return pointers.length === 0 ? [] : [{ id, type: "redact_fields", properties: { pointers } }];
  }
  const excess = (dataClasses as readonly string[]).find((name) => !allowed.has(name));
  if (excess === undefined) return [];
  throw new Refused(
    step,
    step === "intent" ? "purpose_mismatch" : "data_class_not_allowed",
    `\`${tool.id}\` returns data of the class \`${excess}\`, which is not allowed here`,
  );
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.slice(0, 16).join(", ");
}
