import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Third-party and hostile test data beside the repository; read in place, absent elsewhere. */
const root = fileURLToPath(new URL("../../../../../shared/vectors/", import.meta.url));

/** Absent means skipped, with a line that says so. */
export function hasVectors(folder: string): boolean {
  const isThere = existsSync(`${root}${folder}`);
  if (!isThere) process.stderr.write(`skipped: no vectors of ${folder} beside the checkout\n`);
  return isThere;
}

export function vectorText(path: string): string {
  return readFileSync(`${root}${path}`, "utf8");
}

/** The `vectors` of a JSON file; none where the data is absent, so that a skipped suite can still be collected. */
export function vectorList<T>(path: string): readonly T[] {
  return existsSync(`${root}${path}`) ? (JSON.parse(vectorText(path)) as { readonly vectors: readonly T[] }).vectors : [];
}

export function vectorFiles(folder: string): readonly string[] {
  return existsSync(`${root}${folder}`) ? readdirSync(`${root}${folder}`) : [];
}
