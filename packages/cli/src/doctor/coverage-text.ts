import type { CoverageItem } from "@ambit/core";
import { printable } from "../infer/printable.ts";
import { shown } from "../output/shown.ts";
import { rows, textOf, type Layout } from "../report/layout.ts";

/** Something that was found, and where. */
export interface Found extends CoverageItem {
  readonly adapter: string;
  readonly file: string;
}

export function isOpen({ coveredBy }: CoverageItem): boolean {
  return coveredBy === undefined;
}

/** What was found as a person reads it: first what is open. Whatever a module says is made printable here. */
export function coverageText(found: readonly Found[], layout: Layout): string {
  const { paint } = layout;
  const [open, covered] = [found.filter(isOpen), found.filter((item) => !isOpen(item))];
  const verdict = open.length === 0 ? paint.good("everything is covered") : paint.bad(`${open.length} can act without a decision`);
  const section = (title: string, items: readonly Found[]): readonly string[] =>
    items.length === 0
      ? []
      : [
          paint.bold(title),
          ...rows(
            items.map((item) => [labelOf(item), aboutText(item)] as const),
            layout,
          ),
        ];
  return textOf([
    [found.length === 0 ? paint.bad("nothing was found, so nothing is known to be covered") : `${found.length} found: ${verdict}`],
    section("Open", open),
    section("Covered", covered),
  ]);
}

function labelOf({ kind, name }: Found): string {
  return `${kind.replace("_", " ")} ${shown(name)}`;
}

function aboutText({ adapter, file, coveredBy, note }: Found): string {
  const point = coveredBy === undefined ? "" : `by ${shown(coveredBy)}, `;
  return `${point}as ${shown(adapter)} found in ${shown(file)}${note === undefined || note === "" ? "" : `; ${printable(note, 400)}`}`;
}
