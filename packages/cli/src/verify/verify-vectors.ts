import { dirname, join } from "node:path";
import { fileError } from "../cli-error.ts";
import type { Inputs } from "../input/inputs.ts";
import { jsonText } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";
import { parseParams, runVector, type VectorResult } from "./vectors.ts";

const MOST_BYTES = 67_108_864;

/**
 * Runs a file of vectors, a JSON verdict a line. A verifier that denies everything agrees on most of them, so permits and denies are counted apart.
 * Answers 1 when a verdict is not the expected one.
 */
export async function verifyVectors(
  { vectors: path, params }: { readonly vectors: string; readonly params: string | undefined },
  json: boolean,
  inputs: Inputs,
  terminal: Terminal,
): Promise<number> {
  const paramsPath = params ?? join(dirname(path), "params.json");
  const common = parseParams(await inputs.json(paramsPath), paramsPath);
  const lines = (await inputs.text(path, MOST_BYTES)).split("\n");
  const results: VectorResult[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const result = await runVector(line, `\`${path}\`, line ${index + 1}`, common);
    results.push(result);
    const { expected, ...verdict } = result;
    terminal.out(`${jsonText(isExpected(result) ? verdict : { ...verdict, expected }, "line")}\n`);
  }
  // Who has checked nothing has not succeeded.
  if (results.length === 0) throw fileError("malformed", `\`${path}\` has no vectors`);
  const mismatches = results.filter((result) => !isExpected(result));
  const [permits, denies] = [countOf(results, "PERMIT"), countOf(results, "DENY")];
  if (json)
    terminal.out(`${jsonText({ summary: { vectors: results.length, permit: permits, deny: denies, mismatches: mismatches.map(({ id }) => id) } }, "line")}\n`);
  else {
    terminal.err(`${results.length} vectors; PERMIT ${permits.agreed} of ${permits.expected} as expected, DENY ${denies.agreed} of ${denies.expected}\n`);
    terminal.err(
      mismatches.length === 0
        ? "no mismatch\n"
        : `mismatches: ${jsonText(
            mismatches.map(({ id }) => id),
            "line",
          )}\n`,
    );
  }
  return mismatches.length === 0 ? 0 : 1;
}

function isExpected({ expected, verdict }: VectorResult): boolean {
  return expected === verdict;
}

function countOf(results: readonly VectorResult[], verdict: VectorResult["verdict"]): { readonly expected: number; readonly agreed: number } {
  const expected = results.filter((result) => result.expected === verdict);
  return { expected: expected.length, agreed: expected.filter(isExpected).length };
}
