import { AmbitError, serializeEnvelope, type JsonObject } from "@ambit/core";
import { deriveEnvelope, deriveToken, holdChain, holdEnvelope, type HeldChain, type PublicKey, type SigningKey } from "@ambit/core/token";
import { usageError } from "../cli-error.ts";
import { changeRows } from "../hops/hop-text.ts";
import { leafHop, readHops, type Hop } from "../hops/hop.ts";
import { changesOf } from "../hops/changes.ts";
import { readChain } from "../input/chain.ts";
import { createInputs } from "../input/inputs.ts";
import { readPublicKey, readSigningKey } from "../input/keys.ts";
import { readOrder, type ConfiguredOrder } from "../input/order.ts";
import { listed, needed, readOptions } from "../options.ts";
import { deliver } from "../output/deliver.ts";
import { createPaint } from "../output/paint.ts";
import { shown } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";
import { durationOf, instantOf } from "../time.ts";
import { draftNarrowing, envelopeNarrowing, narrowingData } from "./narrowing.ts";

const OPTIONS = {
  chain: { type: "string" },
  key: { type: "string" },
  holder: { type: "string" },
  narrowing: { type: "string" },
  exact: { type: "boolean" },
  audience: { type: "string", multiple: true },
  config: { type: "string" },
  "expires-in": { type: "string" },
  out: { type: "string" },
  force: { type: "boolean" },
  json: { type: "boolean" },
} as const;

interface Child {
  readonly chain: HeldChain;
  /** What was asked for and not given. */
  readonly cut: readonly JsonObject[];
  readonly details: JsonObject;
}

/** Derives a child of a chain, offline and signed by its holder; it can only be smaller. */
export async function attenuate(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = readOptions(args, OPTIONS);
  const [chainPath, keyPath, holderPath] = [needed(values.chain, "chain"), needed(values.key, "key"), needed(values.holder, "holder")];
  const [inputs, now] = [createInputs(terminal), instantOf(undefined, "now")];
  const { tokens } = await readChain(inputs, chainPath);
  const parent = leafHop(tokens);
  const [flaw] = parent.flaws;
  if (flaw !== undefined) throw new AmbitError("chain_broken", `no verifier would take the chain: ${flaw}`);
  const isOurs = parent.envelope !== undefined;
  if (!isOurs && values.config !== undefined) throw usageError("`--config` is for chains with envelopes; this one is of the draft alone");
  const order = isOurs ? await readOrder(inputs, values.config) : undefined;
  const asked = narrowingData(values.narrowing === undefined ? {} : await inputs.jsonOrFile(values.narrowing, "narrowing"));
  const narrowing = values["expires-in"] === undefined ? asked : { ...asked, expires_at: endText(now, values["expires-in"]) };
  const key = await readSigningKey(inputs, keyPath, "key");
  const holder = await readPublicKey(inputs, holderPath, "holder");
  const audience = listed(values.audience, "audience");
  const child = { holder, now, ...(audience.length === 0 ? {} : { audience }) };
  const made = await (order === undefined
    ? deriveDraft(tokens, narrowing, child, key)
    : deriveOurs(tokens, narrowing, { ...child, exact: values.exact === true }, key, order));
  const hop = readHops(made.chain.tokens).at(-1) as Hop;
  await deliver(
    {
      tokens: made.chain.tokens,
      title: "derived",
      hop,
      changes: [...made.cut.map(cutRow), ...changeRows(parent, hop, createPaint(false))],
      notes: holder.thumbprint === parent.claims.holder.thumbprint ? ["note: the next holder has the same key, so it can present the parent as well"] : [],
      details: { ...made.details, changes: changesOf(parent, hop).map((change) => ({ ...change })) },
      now,
    },
    { out: values.out, overwrites: values.force === true, json: values.json === true },
    terminal,
  );
  return 0;
}

interface Next {
  readonly holder: PublicKey;
  readonly now: number;
  readonly audience?: readonly string[];
}

async function deriveOurs(
  tokens: readonly string[],
  narrowing: JsonObject,
  child: Next & { readonly exact: boolean },
  key: SigningKey,
  order: ConfiguredOrder,
): Promise<Child> {
  const { chain, envelope, narrowed } = await deriveEnvelope(holdEnvelope(tokens, order), { ...child, narrowing: envelopeNarrowing(narrowing) }, key, order);
  const cut = narrowed.map((one) => ({ ...one }));
  return { chain, cut, details: { envelope: serializeEnvelope(envelope), narrowed: cut } };
}

/** Always exact: what a tool's arguments may be has no meet that could be cut down to. */
async function deriveDraft(tokens: readonly string[], narrowing: JsonObject, child: Next, key: SigningKey): Promise<Child> {
  return { chain: await deriveToken(holdChain(tokens), { ...child, ...draftNarrowing(narrowing) }, key), cut: [], details: {} };
}

function cutRow({ dimension = null, asked = null, granted = null }: JsonObject): readonly [string, string] {
  return ["not given", `${String(dimension)}: asked for ${shown(asked)}, the parent leaves ${shown(granted)}`];
}

function endText(now: number, duration: string): string {
  return new Date(now + durationOf(duration, "expires-in")).toISOString();
}
