import { existsSync, readFileSync } from "node:fs";

/** A file of hostile data beside the repository, read in place; `undefined`, and a line that says so, where it is absent. */
export function hostileVectors<T>(name: string): T | undefined {
  const file = new URL(`../../../../../shared/vectors/hostile/${name}`, import.meta.url);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as T;
  process.stderr.write(`skipped: no vectors of hostile/${name} beside the checkout\n`);
  return undefined;
}
