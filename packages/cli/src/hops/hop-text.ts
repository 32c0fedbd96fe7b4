import { isJsonObject, own, type Json } from "@ambit/core";
import { printable } from "../infer/printable.ts";
import type { Paint } from "../output/paint.ts";
import { shown } from "../output/shown.ts";
import { instantText, lengthText } from "../time.ts";
import { changesOf, type Change } from "./changes.ts";
import { argumentTexts } from "./constraint-text.ts";
import { flatten, type Hop } from "./hop.ts";

type Row = readonly [label: string, text: string];

/** What a token says, a line each: on whose behalf, for what, with which tools and limits, until when. */
export function hopRows(hop: Hop, now: number): readonly Row[] {
  const { claims } = hop;
  return [
    ...(hop.envelope === undefined ? draftRows(hop) : envelopeRows(hop)),
    ["holder key", `${claims.holder.algorithm} ${claims.holder.thumbprint}`],
    ...(claims.audience === undefined ? [] : [["audience", shown(claims.audience)] as const]),
    ["handed on", claims.depth < claims.maxDepth ? `${claims.depth} of at most ${claims.maxDepth} times` : "not further"],
    ["valid", `${instantText(claims.issuedAt)} to ${instantText(claims.expiresAt)}, ${timeLeft(hop, now)}`],
  ];
}

/** Members that have a line of their own or a claim that says the same. */
const TOLD = ["delegator_id", "tenant_id", "task_id", "session_id", "purpose", "agent_id", "allowed_tools", "max_depth", "expires_at"];
const LISTED = [
  ["may delegate", "may_delegate"],
  ["denied", "denied_tools"],
  ["constraints", "resource_constraints"],
  ["budgets", "budgets"],
  ["approvals", "approvals"],
] as const;

function envelopeRows({ envelope = {} }: Hop): readonly Row[] {
  const text = (member: string): string => shown(own(envelope, member) ?? null);
  const others = Object.keys(envelope).filter((member) => !TOLD.includes(member) && !LISTED.some(([, name]) => name === member));
  return [
    ["on behalf of", `${text("delegator_id")} of ${text("tenant_id")}`],
    ["task", `${text("task_id")} in session ${text("session_id")}`],
    ["purpose", text("purpose")],
    ["tools", text("allowed_tools")],
    ...LISTED.flatMap(([label, member]): readonly Row[] => {
      const value = own(envelope, member) ?? [];
      const isEmpty = typeof value === "object" && Object.keys(value).length === 0;
      return isEmpty ? [] : [[label, isJsonObject(value) ? pairsText(value) : shown(value)]];
    }),
    // No envelope has such members, but somebody wrote them.
    ...others.map((member): Row => ["unknown", `${shown(member)} = ${text(member)}`]),
  ];
}

function pairsText(value: Json): string {
  return [...flatten(value)].map(([name, inner]) => `${shown(name)} = ${shown(inner)}`).join("; ");
}

function draftRows({ claims }: Hop): readonly Row[] {
  if (claims.tools === undefined || claims.tools.size === 0) return [["tools", "none"]];
  return [...claims.tools].map(([tool, map], index) => {
    const args = [...argumentTexts(map)].map(([name, text]) => `${shown(name)}: ${printable(text, 2000)}`);
    return [index === 0 ? "tools" : "", `${shown(tool)}(${args.join(", ")})`] as const;
  });
}

function timeLeft({ claims }: Hop, now: number): string {
  const seconds = now / 1000;
  if (claims.issuedAt > seconds) return `begins in ${lengthText(claims.issuedAt - seconds)}`;
  const left = claims.expiresAt - seconds;
  return left > 0 ? `${lengthText(left)} left` : `expired ${lengthText(-left)} ago`;
}

const MARKS = { narrowed: "narrowed", changed: "changed", wider: "WIDER" } as const;

/** What a hop takes away, a line each. */
export function changeRows(parent: Hop, child: Hop, paint: Paint): readonly Row[] {
  const changes = changesOf(parent, child);
  if (changes.length === 0) return [["narrowed", "nothing: the holder may do all that the one before may"]];
  return changes.map((change) => [
    MARKS[change.kind],
    change.kind === "wider" ? paint.bad(`${changeText(change)}: a verifier refuses this`) : changeText(change),
  ]);
}

function changeText({ dimension, from, to }: Change): string {
  const name = shown(dimension).replaceAll('"', "");
  if (isTexts(from) && isTexts(to)) {
    const [dropped, added] = [from.filter((element) => !to.includes(element)), to.filter((element) => !from.includes(element))];
    const parts = [
      ...(dropped.length === 0 ? [] : [`without ${shown(dropped)}`]),
      ...(added.length === 0 ? [] : [`${from.length === 0 ? "" : "also "}${shown(added)}`]),
    ];
    return `${name}: ${parts.join("; ")}`;
  }
  const side = (value: Json): string => {
    if (value === null) return "no limit";
    return dimension === "expires" && typeof value === "number" ? instantText(value) : sideText(value);
  };
  return `${name}: ${side(from)} → ${side(to)}`;
}

function sideText(value: Json): string {
  if (isJsonObject(value)) return pairsText(value) || "nothing";
  return typeof value === "string" ? printable(value, 2000) : shown(value);
}

function isTexts(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((element) => typeof element === "string");
}

/** Rows under one another, labels in a column. */
export function rowLines(rows: readonly Row[], indent: string, paint: Paint): readonly string[] {
  return rows.map(([label, text]) => `${indent}${paint.dim(label.padEnd(13))} ${text}`);
}
