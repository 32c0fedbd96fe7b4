import { AmbitError, copyData, isJsonObject, type JsonObject } from "@ambit/core";
import { holdChain, signPop, writePresentation, type TokenClaims } from "@ambit/core/token";
import { fileError, usageError } from "../cli-error.ts";
import { readHops } from "../hops/hop.ts";
import { printable } from "../infer/printable.ts";
import { readChain } from "../input/chain.ts";
import { createInputs, type Inputs } from "../input/inputs.ts";
import { readSigningKey } from "../input/keys.ts";
import { needed, readOptions } from "../options.ts";
import { jsonText, shown } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";
import { instantOf, instantText } from "../time.ts";

const OPTIONS = {
  chain: { type: "string" },
  key: { type: "string" },
  tool: { type: "string" },
  args: { type: "string" },
  audience: { type: "string" },
  nonce: { type: "string" },
  json: { type: "boolean" },
} as const;

/**
 * Signs the proof of one call and prints the presentation. Refuses another key than the holder's (`holder_mismatch`). Whether the chain allows the call is not
 * asked: the verifier does, and a proof of what it denies permits nothing.
 */
export async function prove(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = readOptions(args, OPTIONS);
  const [chainPath, keyPath, tool, source] = [
    needed(values.chain, "chain"),
    needed(values.key, "key"),
    needed(values.tool, "tool"),
    needed(values.args, "args"),
  ];
  const { audience, nonce } = values;
  if (audience === "" || nonce === "") throw usageError(`\`--${audience === "" ? "audience" : "nonce"}\` is empty`);
  const [inputs, now] = [createInputs(terminal), instantOf(undefined, "now")];
  const { tokens } = await readChain(inputs, chainPath);
  const { leaf } = holdChain(tokens);
  const call = await readArguments(inputs, source);
  const key = await readSigningKey(inputs, keyPath, "key");
  if (key.public.thumbprint !== leaf.claims.holder.thumbprint) throw new AmbitError("holder_mismatch", "the key is not that of the chain's holder");
  const pop = await signPop({ leaf, tool, args: call, now, ...(audience === undefined ? {} : { audience }), ...(nonce === undefined ? {} : { nonce }) }, key);
  const notes = notesOn(tokens, leaf.claims, { tool, audience, now });
  const details = { tool, audience: audience ?? null, nonce: nonce ?? null, holder: leaf.claims.holder.thumbprint, issued_at: Math.floor(now / 1000), notes };
  terminal.out(`${jsonText({ ...writePresentation({ chain: tokens, pop }), ...(values.json === true ? details : {}) })}\n`);
  if (values.json !== true) {
    const whom = audience === undefined ? "" : ` to ${shown(audience)}`;
    terminal.err([`proved: this call of ${shown(tool)}${whom}, once`, ...notes.map((note) => `note: ${note}`)].join("\n") + "\n");
  }
  return 0;
}

/** JSON, or a file of it. Refuses (`argument_not_allowed`) integers beyond ±(2^53 − 1): read, they may be others than were written. */
async function readArguments(inputs: Inputs, source: string): Promise<JsonObject> {
  const raw = await inputs.jsonOrFile(source[0] === "@" ? needed(source.slice(1), "args") : source, "args");
  const data = copyData(raw, "argument_not_allowed", "the arguments");
  if (!isJsonObject(data)) throw fileError("malformed", "`--args` must be a JSON object of the arguments");
  return data;
}

/** What any reader can see that a verifier will deny. That there is nothing means nothing. */
function notesOn(
  tokens: readonly string[],
  { tools, audience, expiresAt }: TokenClaims,
  call: { readonly tool: string; readonly audience: string | undefined; readonly now: number },
): readonly string[] {
  const flaws = readHops(tokens).flatMap((hop) => ("unreadable" in hop ? [printable(hop.unreadable, 1000)] : hop.flaws));
  return [
    ...flaws.slice(0, 1).map((flaw) => `no verifier would take the chain: ${flaw}`),
    ...(expiresAt * 1000 > call.now ? [] : [`the chain expired at ${instantText(expiresAt)}`]),
    ...(tools?.has(call.tool) === true ? [] : ["the chain does not have this tool"]),
    ...(call.audience === undefined || audience === undefined || audience.includes(call.audience) ? [] : ["the chain is for other verifiers"]),
  ];
}
