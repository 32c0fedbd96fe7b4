import { own, type Json } from "@ambit/core";
import type { Explanation } from "@ambit/core/audit";
import { printable } from "../infer/printable.ts";
import { shown } from "../output/shown.ts";
import { paragraph, rows, textOf, type Layout } from "../report/layout.ts";
import { doubtsAbout, type LogFile } from "../report/log-file.ts";
import { eventText, outcomeWords } from "./event-text.ts";
import { ladder } from "./ladder.ts";

type Row = readonly [label: string, text: string];

/** An explanation as a person reads it. Whatever the log says is made printable here. */
export function whyText(explanation: Explanation, file: LogFile, isBelieved: boolean, layout: Layout): string {
  const { paint } = layout;
  const doubts = doubtsAbout(file).flatMap((doubt) => paragraph(doubt, 0, layout).map(paint.bad));
  const section = (title: string, lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : [paint.bold(title), ...lines]);
  const { about, because, sameCall, afterwards, omitted, change } = explanation;
  const events = (list: Explanation["afterwards"]): readonly Row[] => list.map((record) => [printable(record.ts.slice(11, 23)), eventText(record)]);
  return textOf([
    doubts,
    [titleOf(explanation, layout), ...rows(askedRows(explanation), layout)],
    section("Steps", ladder(explanation, layout)),
    section("Evidence", rows([...evidenceRows(explanation, file, isBelieved), ...events(because)], layout)),
    section(about === "call" ? "Other decisions that go by this id" : "The same call, at other times", rows(events(sameCall), layout)),
    section("Afterwards", [...rows(events(afterwards), layout), ...(omitted === 0 ? [] : paragraph(`and ${omitted} more records`, 2, layout))]),
    section("Smallest change that makes it legal", change === undefined ? unknownChange(explanation, layout) : paragraph(printable(change, 3000), 2, layout)),
  ]);
}

function titleOf({ about, record, verdict, isObserved }: Explanation, { paint }: Layout): string {
  const id = paint.bold(shown(record.decision_id));
  if (verdict === undefined) return `${id} ${about === "approval" ? "request for approval" : printable(record.kind)}`;
  if (verdict === "permit") return `${id} ${paint.good("permitted")}`;
  const code = own(record.details, "code") ?? null;
  if (isObserved) return `${id} ${paint.bad(`would be denied: ${shown(code)}`)}, and ran all the same: nothing was enforced`;
  return verdict === "deny" ? `${id} ${paint.bad(`denied: ${shown(code)}`)}` : `${id} ${paint.bad("not yet: it waits for an approval")}`;
}

function askedRows({ record, asked, about }: Explanation): readonly Row[] {
  const { details, tenant, task, agent, envelope, ts } = record;
  const at = (member: string): Json | undefined => own(details, member);
  const list: Row[] = [];
  const add = (label: string, value: Json | undefined, text: (value: Json) => string = shown): void =>
    void (value === undefined ? undefined : list.push([label, text(value)]));
  const tools = at("allowed_tools");
  if (asked?.kind === "begin") list.push(["asked", `to begin a task with ${shown(tools ?? [])}`]);
  else if (asked?.kind === "hand_off") list.push(["asked", `to hand ${shown(tools ?? [])} on to ${shown(at("to") ?? "unknown")}`]);
  else
    add("asked", at("tool"), (tool) =>
      [`${asked === undefined ? "" : "to call "}${shown(tool)}`, words("as", at("effect")), words("at", at("server"))].filter(Boolean).join(" "),
    );
  list.push(["by", shown(agent)]);
  if (asked !== undefined && asked.kind !== "begin") {
    const known = asked.chain.length > 0;
    const above = asked.above.map((link) => shown(link.agent)).join(", then ");
    list.push(["above it", known ? above || "nobody: it has the task from the delegator" : "not on the record"]);
  }
  if (asked !== undefined)
    list.push(["on behalf of", `${asked.delegator === undefined ? "somebody who is not on the record" : shown(asked.delegator)} of ${shown(tenant)}`]);
  list.push(["task", shown(task)]);
  add("purpose", asked?.purpose);
  list.push(["at", printable(ts)]);
  add("call", at("call_id"));
  if (about !== "record") list.push(["under", shown(envelope)]);
  return list;
}

function words(before: string, value: Json | undefined): string {
  return value === undefined ? "" : `${before} ${shown(value)}`;
}

const EVIDENCE: readonly (readonly [label: string, member: string])[] = [
  ["policies", "policies"],
  ["policy digest", "policy_digest"],
  ["reserved", "reserved"],
  ["data classes", "data_classes"],
  ["child", "child_envelope"],
  ["demands", "demands"],
  ["expires", "expires_at"],
  ["vouched by", "asserted_by"],
];

function evidenceRows({ record, asked, under }: Explanation, { log, path }: LogFile, isBelieved: boolean): readonly Row[] {
  const { details } = record;
  const sentences = (["code", "message", "hint"] as const).flatMap((member): readonly Row[] => {
    const value = own(details, member);
    return typeof value === "string" ? [[member, printable(value, 3000)]] : [];
  });
  const facts = EVIDENCE.flatMap(([label, member]): readonly Row[] => {
    const value = own(details, member);
    return value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [[label, shown(value)]];
  });
  const others = asked === undefined ? Object.keys(details).filter((name) => name !== "tool" && !EVIDENCE.some(([, member]) => member === name)) : [];
  const used: readonly Row[] = under === undefined ? [] : [["under it", outcomeWords(under)]];
  const holds = isBelieved ? "verified" : "NOT verified: it stands behind the break";
  return [
    ...sentences,
    ...facts,
    ...others.map((name): Row => [printable(name, 14), shown(own(details, name) ?? null)]),
    ...used,
    ["record", `${record.seq} of ${log.records.length} in ${shown(path)}, ${holds}`],
  ];
}

function unknownChange({ verdict }: Explanation, layout: Layout): readonly string[] {
  if (verdict === undefined || verdict === "permit") return [];
  return paragraph("this version does not know the code; ask the one that decided", 2, layout);
}
