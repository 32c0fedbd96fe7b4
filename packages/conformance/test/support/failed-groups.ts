import { groupsOf, type Harness } from "../../src/index.ts";

/** Which of these groups the adapter does not pass. */
export async function failedGroups(harness: Harness, among: readonly string[]): Promise<readonly string[]> {
  const failed = new Set<string>();
  for (const { title, cases } of groupsOf(harness).filter((group) => among.includes(group.title))) {
    for (const { skipped, run } of cases) {
      if (skipped === undefined) await run().catch(() => failed.add(title));
      if (failed.has(title)) break;
    }
  }
  return [...failed].toSorted();
}
