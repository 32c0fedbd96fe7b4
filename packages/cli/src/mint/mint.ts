import { AmbitError, parseEnvelope, serializeEnvelope, type Envelope } from "@ambit/core";
import { issueEnvelope, trustAnchor, type SigningKey } from "@ambit/core/token";
import { usageError } from "../cli-error.ts";
import { leafHop } from "../hops/hop.ts";
import { createInputs } from "../input/inputs.ts";
import { readPublicKey, readSigningKey } from "../input/keys.ts";
import { readOrder, type ConfiguredOrder } from "../input/order.ts";
import { listed, needed, readOptions } from "../options.ts";
import { deliver } from "../output/deliver.ts";
import { jsonText } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";
import { durationOf, instantOf } from "../time.ts";

const OPTIONS = {
  envelope: { type: "string" },
  key: { type: "string" },
  issuer: { type: "string" },
  holder: { type: "string" },
  audience: { type: "string", multiple: true },
  config: { type: "string" },
  agent: { type: "string" },
  "expires-in": { type: "string" },
  out: { type: "string" },
  force: { type: "boolean" },
  json: { type: "boolean" },
} as const;

/** Issues the root of a chain. Refuses what a decision point would refuse of the envelope itself; whether the agent may have it, it does not ask. */
export async function mint(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = readOptions(args, OPTIONS);
  const [source, keyPath, issuer, holderPath] = (["envelope", "key", "issuer", "holder"] as const).map((option) => needed(values[option], option)) as [
    string,
    string,
    string,
    string,
  ];
  const audience = listed(values.audience, "audience");
  if (audience.length === 0) throw usageError("`--audience` is needed: the verifiers that the chain may be shown to");
  const [inputs, now] = [createInputs(terminal), instantOf(undefined, "now")];
  const lifetime = values["expires-in"] === undefined ? undefined : durationOf(values["expires-in"], "expires-in");
  const order = await readOrder(inputs, values.config);
  const written = (await inputs.jsonOrFile(source, "envelope")) as object | null;
  const dated = lifetime === undefined ? written : { ...written, expires_at: new Date(now + lifetime).toISOString() };
  const envelope = parseEnvelope(dated, order.vocabulary, values.agent);
  checkPurpose(envelope, order);
  const key = await readSigningKey(inputs, keyPath, "key");
  checkIssuer(issuer, key);
  const holder = await readPublicKey(inputs, holderPath, "holder");
  const issued = await issueEnvelope({ envelope, issuer, holder, audience, now }, key, order);
  const anchor = { kind: "ambit", issuer, jwk: key.public.jwk, tenants: [envelope.tenantId] };
  await deliver(
    {
      tokens: issued.chain.tokens,
      title: "issued",
      hop: leafHop(issued.chain.tokens),
      changes: [],
      notes: [`anchor for verifiers  ${jsonText(anchor, "line")}`],
      details: { envelope: serializeEnvelope(issued.envelope), anchor },
      now,
    },
    { out: values.out, overwrites: values.force === true, json: values.json === true },
    terminal,
  );
  return 0;
}

/** Known here and now, and otherwise only heard of at the first call. */
function checkPurpose({ purpose: id, allowedTools, mayDelegate }: Envelope, { purposes }: ConfiguredOrder): void {
  const purpose = purposes.get(id);
  if (purpose === undefined) throw new AmbitError("purpose_mismatch", `the purpose \`${id}\` is not in the catalogue`);
  const foreign = [...allowedTools, ...mayDelegate].find((tool) => !purpose.tools.has(tool));
  if (foreign !== undefined) throw new AmbitError("purpose_mismatch", `\`${foreign}\` is not part of the purpose \`${id}\``);
}

/** A name that no anchor can have is one that no verifier will take. */
function checkIssuer(issuer: string, key: SigningKey): void {
  try {
    trustAnchor({ issuer, jwk: key.public.jwk });
  } catch {
    throw usageError("`--issuer` must be a URI, as https://issuer.example");
  }
}
