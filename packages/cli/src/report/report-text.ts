import type { Counts, LogReport, TaskCounts, WouldBeDenied } from "@ambit/core/audit";
import { printable } from "../infer/printable.ts";
import { shown } from "../output/shown.ts";
import { grantLines } from "./grant-text.ts";
import { paragraph, rows, textOf, type Layout } from "./layout.ts";
import { doubtsAbout, type LogFile } from "./log-file.ts";

/** Entries of a list that fit on a screen; `--json` has them all. */
const MOST = 10;

/** A report as a person reads it. Whatever the log says is made printable here. */
export function reportText(report: LogReport, file: LogFile, layout: Layout): string {
  const { paint } = layout;
  const doubts = doubtsAbout(file).flatMap((doubt) => paragraph(doubt, 0, layout).map(paint.bad));
  const list = <Entry>(title: string, entries: readonly Entry[], lines: (shownHere: readonly Entry[]) => readonly string[]): readonly string[] => {
    if (entries.length === 0) return [];
    const rest = entries.length - MOST;
    return [paint.bold(title), ...lines(entries.slice(0, MOST)), ...(rest > 0 ? paragraph(`and ${rest} more; --json has them all`, 2, layout) : [])];
  };
  const named = (entries: LogReport["tools"]): readonly string[] =>
    rows(
      entries.map((entry) => [shown(entry.name), countsText(entry)]),
      layout,
    );
  const { from, until, policyDigests, calls } = report;
  return textOf([
    doubts,
    [
      paint.bold(`${report.records === 1 ? "1 record" : `${report.records} records`} in ${shown(file.path)}`),
      ...rows(
        [
          ...(from === undefined || until === undefined ? [] : [["from", `${printable(from)} to ${printable(until)}`] as const]),
          ...(policyDigests.length < 2 ? [] : [["policies", `${policyDigests.length} sets of them, one after the other`] as const]),
          ["calls", countsText(calls)],
        ],
        layout,
      ),
    ],
    list("Tasks", report.tasks, (tasks) =>
      rows(
        tasks.map((task) => [shown(task.task), `${countsText(task)}; ${aboutText(task)}`]),
        layout,
      ),
    ),
    list("Agents", report.agents, named),
    list("Tools", report.tools, named),
    list("Granted and used", report.granted, (uses) => uses.flatMap((use) => grantLines(use, layout))),
    list("Refused or held back", report.refusals, (refusals) =>
      rows(
        refusals.map(({ code, count, tools, example }) => {
          const about = tools.length === 0 ? "" : ` of ${shown(tools.slice(0, 5))}${tools.length > 5 ? " and others" : ""}`;
          return [shown(code), `${times(count)}${about}; ambit why ${shown(example)}`];
        }),
        layout,
      ),
    ),
    list("Would have been refused, and ran because nothing was enforced", report.wouldBeDenied, (entries) =>
      entries.flatMap((entry) => wouldBeLines(entry, layout)),
    ),
  ]);
}

function wouldBeLines({ code, tool, count, agents, changes, others, example }: WouldBeDenied, layout: Layout): readonly string[] {
  const who = `${shown(agents.slice(0, 5))}${agents.length > 5 ? " and others" : ""}`;
  return [
    ...paragraph(`${shown(code)}: ${shown(tool)}, ${times(count)}, by ${who}; ambit why ${shown(example)}`, 2, layout).map(layout.paint.bad),
    ...changes.flatMap((entry) => paragraph(`→ ${printable(entry.change, 3000)}${entry.count === count ? "" : ` (${times(entry.count)})`}`, 4, layout)),
    ...(others === 0 ? [] : paragraph(`→ for ${times(others)} more, ask \`ambit why\``, 4, layout)),
  ];
}

function aboutText({ purpose, delegator, tenant }: TaskCounts): string {
  const what = purpose === undefined ? [] : [shown(purpose)];
  return [...what, ...(delegator === undefined ? [] : [`for ${shown(delegator)}`]), `of ${shown(tenant)}`].join(" ");
}

/** `12 permitted, 1 denied`: what was not there is not said. */
function countsText({ permitted, denied, approvals, observed }: Counts): string {
  const parts = [
    ...(denied === 0 ? [] : [`${denied} denied`]),
    ...(approvals === 0 ? [] : [`${approvals} waited for an approval`]),
    ...(observed === 0 ? [] : [`${observed} ran that would have been refused`]),
  ];
  return [`${permitted} permitted`, ...parts].join(", ");
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
