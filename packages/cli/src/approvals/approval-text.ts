import type { Approval, BudgetLeft, Changes } from "@ambit/pdp";
import { printable } from "../infer/printable.ts";
import type { Paint } from "../output/paint.ts";
import { jsonText, shown } from "../output/shown.ts";

/** One request on a line of its own. */
export function approvalLine({ id, status, request, expiresAt }: Approval): string {
  const { tool, agentId, delegatorId, changes } = request;
  const money = typeof changes.money === "string" ? "" : `, ${moneyText(changes.money)}`;
  return `${printable(id, 80)}  ${printable(status, 16)}  ${shown(tool)}  by ${shown(agentId)} for ${shown(delegatorId)}${money}, until ${timeText(expiresAt)}\n`;
}

/** Everything that a person has to know before they answer, and all that an answer is bound to: who, for whom, why, what exactly, and what it would change. */
export function approvalText({ id, status, request, left, answers, expiresAt }: Approval, paint: Paint): string {
  const { changes, above, demands, server } = request;
  const rows: readonly (readonly [string, string])[] = [
    ["who", `${shown(request.agentId)}${above.length === 0 ? "" : `, sent by ${above.map(shown).join(", then ")}`}`],
    ["key", request.holder === undefined ? "none: it is in the process of the decision point" : shown(request.holder)],
    ["for", `${shown(request.delegatorId)} of ${shown(request.tenantId)}`],
    ["why", `${shown(request.purpose)}, in the task ${shown(request.taskId)} of ${shown(request.lineage)}`],
    ["what", `${shown(request.tool)}, called ${shown(request.name)}${server === undefined ? "" : ` at ${shown(server)}`}`],
    ["defined", request.definition === undefined ? "nobody says how" : shown(request.definition)],
    ["effect", effectText(changes)],
    ["on", `${shown(changes.resource.type)} ${shown(changes.resource.id)}`],
    ...Object.entries(changes.touches).map(([key, values]): readonly [string, string] => ["touches", `${shown(key)}: ${shown(values)}`]),
    ["records", typeof changes.records === "number" ? `${changes.records} at most` : changes.records],
    ["data", shown(changes.dataClasses)],
    ["money", typeof changes.money === "string" ? changes.money : moneyText(changes.money)],
    ["needs", demands.map(({ needed, by, fourEyes }) => `${needed} of ${by.map(shown).join(", ")}${fourEyes ? ", not the delegator" : ""}`).join("; and ")],
  ];
  const besides: readonly (readonly [string, string])[] = [
    ...left.map((each): readonly [string, string] => ["budget", budgetText(each)]),
    ...answers.map(({ approver, decision, at }): readonly [string, string] => ["answer", `${decision} by ${shown(approver)} at ${timeText(at)}`]),
    ["until", timeText(expiresAt)],
  ];
  const head = `${printable(id, 80)}  ${status === "approved" ? paint.good("approved") : paint.bold(status)}\n`;
  return `${head}${rows.map(rowText).join("")}  with\n${jsonText(request.arguments).replaceAll(/^/gm, "    ")}\n${besides.map(rowText).join("")}`;
}

function rowText([name, value]: readonly [string, string]): string {
  return `  ${name.padEnd(7)} ${value}\n`;
}

function effectText({ effect, sendsOutside }: Changes): string {
  const what = effect === "read" ? "reads" : effect === "destructive" ? "cannot be undone" : "changes something";
  return `${what}${sendsOutside ? "; sends data outside" : ""}`;
}

/** Minor units as they are: how many of them are one of the currency differs, and nobody is to guess. */
function moneyText({ amount, currency }: Exclude<Changes["money"], string>): string {
  return `${amount} minor units of ${shown(currency)}`;
}

function budgetText({ unit, takes, left }: BudgetLeft): string {
  return `takes ${takes} of ${shown(unit)} and ${left < 0 ? `${-left} are missing` : `leaves ${left}`}, as it was when it was asked`;
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}
