import { describe, it } from "./runner.ts";
import type { Harness } from "./harness.ts";
import { groupsOf } from "./groups.ts";

export interface SuiteOptions {
  /** A folder with the public vectors, `hostile/tool-names.json` and `hostile/tool-args.json`; without it their cases are skipped. */
  readonly vectors?: URL | undefined;
  /** Cases that the adapter fails, by title, with the reason: each runs, and fails the suite when it does not fail any longer. */
  readonly gaps?: Readonly<Record<string, string>>;
}

/** Declares the tests that every adapter has to pass, in vitest. Cases that the framework cannot do are listed as skipped, with the harness's reason. */
export function describeAdapter(name: string, harness: Harness, options: SuiteOptions = {}): void {
  const { vectors, gaps = {} } = options;
  const groups = groupsOf(harness, vectors);
  const titles = new Set(groups.flatMap((group) => group.cases.map(({ title }) => `${group.title} ${title}`)));
  for (const title of Object.keys(gaps)) if (!titles.has(title)) throw new TypeError(`there is no case \`${title}\` to have a gap in`);
  describe(name, () => {
    for (const { title: subject, cases } of groups) {
      describe(subject, () => {
        for (const { title, skipped, run } of cases) {
          const gap = Object.hasOwn(gaps, `${subject} ${title}`) ? gaps[`${subject} ${title}`] : undefined;
          if (skipped !== undefined) it.skip(`${title} [skipped: ${skipped}]`, run);
          else if (gap !== undefined) it.fails(`${title} [known gap: ${gap}]`, run);
          else it(title, run);
        }
      });
    }
  });
}
