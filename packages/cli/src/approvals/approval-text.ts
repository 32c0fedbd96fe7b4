import { printable } from "../infer/printable.ts";
import type { Paint } from "../output/paint.ts";
import { jsonText, shown } from "../output/shown.ts";

/** A request as the service shows it. */
export interface ShownApproval {
  readonly id: string;
  readonly status: string;
  readonly task_id: string;
  readonly delegator_id: string;
  readonly agent_id: string;
  readonly above: readonly string[];
  readonly purpose: string;
  readonly tool: string;
  readonly effect: string;
  readonly sends_outside: boolean;
  readonly arguments: unknown;
  readonly binding: string;
  readonly demands: readonly { readonly needed: number; readonly by: readonly string[]; readonly four_eyes: boolean }[];
  readonly answers: readonly { readonly approver: string; readonly decision: string; readonly at: string }[];
  readonly expires_at: string;
}

/** One request on a line of its own. */
export function approvalLine({ id, status, tool, agent_id, delegator_id, expires_at }: ShownApproval): string {
  return `${printable(id, 80)}  ${printable(status, 16)}  ${shown(tool)}  by ${shown(agent_id)} for ${shown(delegator_id)}, until ${shown(expires_at)}\n`;
}

/** Everything that a person has to know before they answer: who, for whom, why, what exactly, and what it would change. */
export function approvalText(approval: ShownApproval, paint: Paint): string {
  const { above, demands, answers } = approval;
  const effect = approval.effect === "read" ? "reads" : approval.effect === "destructive" ? "cannot be undone" : "changes something";
  const rows: readonly (readonly [string, string])[] = [
    ["who", `${shown(approval.agent_id)}${above.length === 0 ? "" : `, sent by ${above.map(shown).join(", then ")}`}`],
    ["for", shown(approval.delegator_id)],
    ["why", `${shown(approval.purpose)}, in the task ${shown(approval.task_id)}`],
    ["what", shown(approval.tool)],
    ["effect", `${effect}${approval.sends_outside ? "; sends data outside" : ""}`],
    ["needs", demands.map(({ needed, by, four_eyes }) => `${needed} of ${by.map(shown).join(", ")}${four_eyes ? ", not the delegator" : ""}`).join("; and ")],
    ...answers.map(({ approver, decision, at }): readonly [string, string] => ["answer", `${shown(decision)} by ${shown(approver)} at ${shown(at)}`]),
    ["until", shown(approval.expires_at)],
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(7)} ${value}\n`);
  const head = `${printable(approval.id, 80)}  ${approval.status === "approved" ? paint.good("approved") : paint.bold(printable(approval.status, 16))}\n`;
  return `${head}${lines.join("")}  with\n${jsonText(approval.arguments).replaceAll(/^/gm, "    ")}\n`;
}
