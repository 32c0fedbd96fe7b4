import type { JsonObject } from "@ambit/core";
import { hopRows, rowLines } from "../hops/hop-text.ts";
import type { Hop } from "../hops/hop.ts";
import type { Terminal } from "../terminal.ts";
import { createPaint } from "./paint.ts";
import { jsonText, shown } from "./shown.ts";
import { writeNew } from "./write-new.ts";

/** A chain that was made, and what there is to say of it. */
export interface Made {
  readonly tokens: readonly string[];
  readonly title: string;
  readonly hop: Hop;
  /** What was narrowed, a line each. */
  readonly changes: readonly (readonly [label: string, text: string])[];
  readonly notes: readonly string[];
  /** For programs, beside the chain. */
  readonly details: JsonObject;
  readonly now: number;
}

/**
 * Gives a chain out: to a file, or to stdout. With `--json` stdout has one object, which is a chain file too; otherwise what people read goes beside the chain,
 * so that stdout can be redirected.
 */
export async function deliver(
  made: Made,
  { out, overwrites, json }: { readonly out: string | undefined; readonly overwrites: boolean; readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const chain = { aat_chain: made.tokens };
  if (out !== undefined) await writeNew(terminal, out, jsonText(chain) + "\n", { overwrites });
  if (json) {
    terminal.out(`${jsonText({ ...chain, ...made.details, file: out ?? null })}\n`);
    return;
  }
  const paint = createPaint(out !== undefined && terminal.hasColours);
  const { hop, now } = made;
  const report = [
    paint.bold(`${made.title}: ${shown(hop.from)} → ${shown(hop.to)}`),
    ...rowLines([...made.changes, ...hopRows(hop, now)], "   ", paint),
    ...(out === undefined ? [] : [`written to ${shown(out)}`]),
    ...made.notes,
  ];
  if (out === undefined) terminal.out(`${jsonText(chain)}\n`);
  (out === undefined ? terminal.err : terminal.out)(`${report.join("\n")}\n`);
}
