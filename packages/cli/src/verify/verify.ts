import { parseAnchors } from "@ambit/pdp";
import type { TokenRefusal } from "@ambit/core/token";
import { usageError } from "../cli-error.ts";
import { parseChain } from "../input/chain.ts";
import { createInputs, type Inputs } from "../input/inputs.ts";
import { readOrder } from "../input/order.ts";
import { listed, needed, readOptions } from "../options.ts";
import { createPaint } from "../output/paint.ts";
import { jsonText } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";
import { instantOf } from "../time.ts";
import { outcomeJson, outcomeText } from "./outcome-text.ts";
import { answer, type Outcome, type Question } from "./question.ts";
import { verifyVectors } from "./verify-vectors.ts";

const OPTIONS = {
  anchors: { type: "string" },
  kind: { type: "string" },
  config: { type: "string" },
  audience: { type: "string", multiple: true },
  tool: { type: "string" },
  args: { type: "string" },
  pop: { type: "string" },
  nonce: { type: "string" },
  now: { type: "string" },
  vectors: { type: "string" },
  params: { type: "string" },
  json: { type: "boolean" },
} as const;

type Values = ReturnType<typeof readOptions<typeof OPTIONS>>["values"];

/** Verifies a chain, a call under it, or a file of vectors. Answers 0 for a permit and 1 for a deny. */
export async function verify(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = readOptions(args, OPTIONS, 1);
  const inputs = createInputs(terminal);
  const [path] = words;
  if (values.vectors !== undefined) {
    const others = Object.keys(values).find((option) => !["vectors", "params", "json"].includes(option));
    if (path !== undefined || others !== undefined) throw usageError("`--vectors` goes with `--params` and `--json` alone");
    return verifyVectors({ vectors: needed(values.vectors, "vectors"), params: values.params }, values.json === true, inputs, terminal);
  }
  if (path === undefined) throw usageError("give the file of a chain or `-`, or `--vectors`");
  if (values.params !== undefined) throw usageError("`--params` is for `--vectors`");
  return verifyChain(path, values, inputs, terminal);
}

async function verifyChain(path: string, values: Values, inputs: Inputs, terminal: Terminal): Promise<number> {
  const { kind } = values;
  if (kind !== undefined && kind !== "ambit" && kind !== "aat") throw usageError("`--kind` must be ambit or aat");
  const now = instantOf(values.now, "now");
  const audiences = listed(values.audience, "audience");
  checkCallOptions(values, audiences);
  const file = needed(values.anchors, "anchors");
  const anchors = parseAnchors(await inputs.json(file), file).filter((anchor) => kind === undefined || anchor.kind === kind);
  if (anchors.length === 0) throw usageError(`there is no anchor of kind \`${String(kind)}\``);
  const chain = parseChain(await inputs.text(path));
  const [tokens, pop] = typeof chain === "string" ? [[], undefined] : [chain.tokens, values.pop ?? chain.pop];
  const call = values.tool === undefined ? undefined : await callOf(values, values.tool, pop ?? "", inputs);
  const question: Question = { tokens, anchors, audiences, call, order: () => readOrder(inputs, values.config), now };
  const outcome = typeof chain === "string" ? noChain(chain) : await answered(question, pop);
  terminal.out(values.json === true ? `${jsonText(outcomeJson(outcome, question))}\n` : outcomeText(outcome, question, createPaint(terminal.hasColours)));
  return outcome.verdict === "DENY" ? 1 : 0;
}

/** A call is verified whole or not at all. */
function checkCallOptions({ tool, args, pop, nonce }: Values, audiences: readonly string[]): void {
  if (tool === undefined && [args, pop, nonce].some((value) => value !== undefined)) throw usageError("`--args`, `--pop` and `--nonce` go with `--tool`");
  if (tool !== undefined && args === undefined) throw usageError("`--tool` needs `--args`");
  if (tool !== undefined && audiences.length === 0) throw usageError("`--tool` needs `--audience`: a proof is for one verifier");
}

/** The text of the arguments as they are: parsed, a number could become another one. */
async function callOf(values: Values, tool: string, pop: string, inputs: Inputs): Promise<NonNullable<Question["call"]>> {
  const args = values.args ?? "";
  const argsText = args.trimStart()[0] === "{" ? args : await inputs.text(args);
  return { use: { tool, argsText }, pop, nonce: values.nonce };
}

function answered(question: Question, pop: string | undefined): Promise<Outcome> {
  if (question.call !== undefined && pop === undefined) throw usageError("`--tool` needs the call's proof: `--pop`, or `aat_pop` beside the chain");
  return answer(question);
}

function noChain(reason: string): Outcome {
  const refusal: TokenRefusal = { code: "envelope_malformed", step: "1", reason: { text: reason, because: [] } };
  return { verdict: "DENY", refusal };
}
