import { parseEnvelope, type Envelope } from "@ambit/core";
import { exportEnvelope, foreignTools, trustAnchor, type ForeignTool, type SigningKey } from "@ambit/core/token";
import type { Manifest } from "@ambit/pdp";
import { CliError, usageError } from "../cli-error.ts";
import { leafHop } from "../hops/hop.ts";
import { createInputs } from "../input/inputs.ts";
import { readPublicKey, readSigningKey } from "../input/keys.ts";
import { readOrder, type ConfiguredOrder } from "../input/order.ts";
import { listed, needed, readOptions } from "../options.ts";
import { deliver } from "../output/deliver.ts";
import { jsonText, shown } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";
import { durationOf, instantOf } from "../time.ts";
import { effectiveEnvelope } from "./effective.ts";
import { foreignTool } from "./foreign-tool.ts";
import { readParties } from "./manifest.ts";

const OPTIONS = {
  envelope: { type: "string" },
  key: { type: "string" },
  issuer: { type: "string" },
  holder: { type: "string" },
  audience: { type: "string", multiple: true },
  server: { type: "string" },
  config: { type: "string" },
  agent: { type: "string" },
  "expires-in": { type: "string" },
  out: { type: "string" },
  force: { type: "boolean" },
  json: { type: "boolean" },
} as const;

/** Issues an envelope as a root of the draft alone, when all of it can be said there; otherwise tells every reason why not. */
export async function exportCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = readOptions(args, OPTIONS);
  const [source, keyPath, issuer, holderPath] = [
    needed(values.envelope, "envelope"),
    needed(values.key, "key"),
    needed(values.issuer, "issuer"),
    needed(values.holder, "holder"),
  ];
  const audience = listed(values.audience, "audience");
  if (audience.length === 0) throw usageError("`--audience` is needed: the foreign verifiers that the chain may be shown to");
  const [inputs, now] = [createInputs(terminal), instantOf(undefined, "now")];
  const lifetime = values["expires-in"] === undefined ? undefined : durationOf(values["expires-in"], "expires-in");
  const config = needed(values.config, "config");
  const order = await readOrder(inputs, config);
  const { manifest, agents } = await readParties(inputs, config, order.vocabulary);
  const written = (await inputs.jsonOrFile(source, "envelope")) as object | null;
  const dated = lifetime === undefined ? written : { ...written, expires_at: new Date(now + lifetime).toISOString() };
  const asked = parseEnvelope(dated, order.vocabulary, values.agent);
  const envelope = effectiveEnvelope(asked, agents, order);
  const tools = toolsOf(envelope, manifest, values.server);
  checkExpressible(envelope, order, tools);
  const key = await readSigningKey(inputs, keyPath, "key");
  checkIssuer(issuer, key);
  const holder = await readPublicKey(inputs, holderPath, "holder");
  const { tokens } = await exportEnvelope({ envelope, tools, issuer, holder, audience, now }, key, order);
  const { tenantId, delegatorId, purpose } = envelope;
  const anchor = { kind: "aat", issuer, jwk: key.public.jwk, tenant_id: tenantId, delegator_id: delegatorId, purpose };
  const above = asked.allowedTools.filter((tool) => !envelope.allowedTools.includes(tool));
  await deliver(
    {
      tokens,
      title: "exported",
      hop: leafHop(tokens),
      changes: above.map((tool) => ["not given", `${shown(tool)}: above the ceiling of the agent`]),
      notes: [
        "not in it: on whose behalf, for which task, session and purpose; no policy is asked there, and no revocation is heard of",
        `anchor for verifiers  ${jsonText(anchor, "line")}`,
      ],
      details: { not_given: above, anchor },
      now,
    },
    { out: values.out, overwrites: values.force === true, json: values.json === true },
    terminal,
  );
  return 0;
}

function toolsOf(envelope: Envelope, manifest: Manifest, server: string | undefined): ReadonlyMap<string, ForeignTool> {
  return new Map(
    envelope.allowedTools.flatMap((id) => {
      const entry = manifest.tools.get(id);
      return entry === undefined ? [] : [[id, foreignTool(entry, server)] as const];
    }),
  );
}

/** Before any key is read, so that all reasons come at once. */
function checkExpressible(envelope: Envelope, order: ConfiguredOrder, tools: ReadonlyMap<string, ForeignTool>): void {
  const compiled = foreignTools(envelope, order, tools);
  if (!compiled.expressible)
    throw new CliError("not_narrower", ["the exported token would be wider than the envelope", ...compiled.reasons].join("\n"), { exitCode: 1 });
}

/** A name that no anchor can have is one that no verifier will take. */
function checkIssuer(issuer: string, key: SigningKey): void {
  try {
    trustAnchor({ issuer, jwk: key.public.jwk });
  } catch {
    throw usageError("`--issuer` must be a URI, as https://issuer.example");
  }
}
