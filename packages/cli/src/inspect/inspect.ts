import { usageError } from "../cli-error.ts";
import { changeRows, hopRows, rowLines } from "../hops/hop-text.ts";
import { readHops, type Hop, type Unreadable } from "../hops/hop.ts";
import { chainJson } from "../hops/hop-json.ts";
import { printable } from "../infer/printable.ts";
import { readChain } from "../input/chain.ts";
import { createInputs } from "../input/inputs.ts";
import { readOptions } from "../options.ts";
import { createPaint, type Paint } from "../output/paint.ts";
import { jsonText, shown } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";
import { instantOf } from "../time.ts";

/** Shows what a chain says. Answers 1 when a token cannot be read, and says nothing about whether any of it is true. */
export async function inspect(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = readOptions(args, { now: { type: "string" }, json: { type: "boolean" } }, 1);
  const [path] = words;
  if (path === undefined) throw usageError("give the file of a chain, or `-`");
  const now = instantOf(values.now, "now");
  const { tokens } = await readChain(createInputs(terminal), path);
  const hops = readHops(tokens);
  terminal.out(values.json === true ? `${jsonText(chainJson(tokens, now))}\n` : treeText(hops, now, createPaint(terminal.hasColours)));
  return hops.some((hop) => "unreadable" in hop) ? 1 : 0;
}

function treeText(hops: readonly (Hop | Unreadable)[], now: number, paint: Paint): string {
  const count = hops.length === 1 ? "1 token" : `${hops.length} tokens`;
  const lines = [paint.bold(`chain of ${count}, NOT VERIFIED: this is what it says; \`ambit verify\` tells whether it holds`), ""];
  for (const [index, hop] of hops.entries()) {
    const indent = index === 0 ? "" : `${"   ".repeat(index - 1)}└─ `;
    const inner = "   ".repeat(index + 1);
    if ("unreadable" in hop) {
      lines.push(`${indent}${paint.bad(`token ${index} cannot be read: ${printable(hop.unreadable, 400)}`)}`);
      continue;
    }
    lines.push(`${indent}${paint.bold(`${shown(hop.from)} → ${shown(hop.to)}`)}`);
    for (const flaw of hop.flaws) lines.push(`${inner}${paint.bad(`! ${printable(flaw)}`)}`);
    const above = hops[index - 1];
    if (above !== undefined && !("unreadable" in above)) lines.push(...rowLines(changeRows(above, hop, paint), inner, paint));
    lines.push(...rowLines(hopRows(hop, now), inner, paint));
  }
  return `${lines.join("\n")}\n`;
}
