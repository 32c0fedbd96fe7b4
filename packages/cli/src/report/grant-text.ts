import type { GrantUse, ToolUse } from "@ambit/core/audit";
import { shown } from "../output/shown.ts";
import { lengthText } from "../time.ts";
import { paragraph, rows, type Layout } from "./layout.ts";

const MOST_TOOLS = 20;

/** What envelopes of one purpose gave an agent, beside what it used of it. */
export function grantLines(use: GrantUse, layout: Layout): readonly string[] {
  const { purpose, agent, tenant, envelopes, tools, toHandOn, reserved, records, dataClasses, life, neverCalled } = use;
  const title = `${shown(agent)} for ${shown(purpose)} of ${shown(tenant)}: ${envelopes === 1 ? "one envelope" : `${envelopes} envelopes`}`;
  const units = Object.entries(reserved).map(([unit, amount]) => `${shown(unit)} ${amount}`);
  const list: readonly (readonly [label: string, text: string])[] = [
    ...tools.slice(0, MOST_TOOLS).map((tool) => [shown(tool.tool), toolText(tool, envelopes)] as const),
    ...(tools.length > MOST_TOOLS ? [["", `and ${tools.length - MOST_TOOLS} more tools; --json has them all`] as const] : []),
    ...toHandOn.map(({ tool, granted, handedOn }) => [shown(tool), `to hand on, in ${granted} of ${envelopes}; handed on ${timesText(handedOn)}`] as const),
    ...(units.length === 0 ? [] : [["reserved", units.join(", ")] as const]),
    ...(records === 0 ? [] : [["returned", records === 1 ? "1 record" : `${records} records`] as const]),
    ...(dataClasses.length === 0 ? [] : [["read", shown(dataClasses)] as const]),
    ["time", `${lengthText(life.granted)} at most, ${lengthText(life.used)} to the last permitted call`],
    ...(neverCalled.length === 0 ? [] : [["to narrow", `leave ${shown(neverCalled)} out of \`allowedTools\``] as const]),
  ];
  return [...paragraph(title, 2, layout), ...rows(list, layout, 4)];
}

function toolText({ granted, used, calls }: ToolUse, envelopes: number): string {
  if (granted === 0) return `in no envelope that is on the record; ${timesText(calls)} called`;
  const where = granted === envelopes ? "" : `in ${granted} of ${envelopes}; `;
  return calls === 0 ? `${where}never called` : `${where}called ${timesText(calls)}${envelopes === 1 ? "" : `, under ${used}`}`;
}

function timesText(count: number): string {
  return count === 0 ? "never" : count === 1 ? "once" : `${count} times`;
}
