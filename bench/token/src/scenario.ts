import { createVocabulary, parseEnvelope, type Envelope, type JsonObject, type Order } from "@ambit/core";
import { deriveEnvelope, deriveToken, generateKey, issueEnvelope, issueRoot, type HeldChain, type HeldEnvelope, type SigningKey } from "@ambit/core/token";

/** The envelope of docs/architecture.md, handed on for one part of the task after another. */
const WIRE = {
  agent_id: "renewal-reviewer",
  delegator_id: "user_7f3a91",
  tenant_id: "tenant_acme",
  session_id: "sess_2026_05_12_001",
  task_id: "task_contract_renewal_review_8842",
  purpose: "review_customer_contract_for_renewal_risk",
  allowed_tools: ["contracts.read", "crm.read", "tickets.create"],
  resource_constraints: {
    customer_id: "cust_acme_1042",
    contract_ids: ["contract_7781"],
    max_records: 25,
    data_classes: ["contract_metadata", "renewal_terms", "support_summary"],
  },
  max_depth: 8,
  expires_at: "2026-05-12T18:30:00Z",
} as const;

export const ORDER: Order = {
  vocabulary: createVocabulary(),
  purposes: { parentOf: (purpose) => (purpose === WIRE.purpose ? null : undefined), digest: "sha-256:kEw8kD1mBzt2nqHkSYRbXLO2Sg4YEIx9wb2sDHJYGRM" },
};

export const NOW: number = Date.parse("2026-05-12T18:00:00Z");
export const ISSUER = "https://issuer.acme.example";
export const AUDIENCE = "https://tools.acme.example";
export const TOOL = "contracts.read";
export const ARGS: JsonObject = { contract_id: "contract_7781", limit: 10 };

const TOOLS: JsonObject = {
  "contracts.read": {
    contract_id: { constraint_type: "one_of", values: ["contract_7781", "contract_7782"] },
    limit: { constraint_type: "range", min: 1, max: 25 },
  },
  "crm.read": { customer_id: { constraint_type: "exact", value: "cust_acme_1042" } },
  "tickets.create": { title: { constraint_type: "wildcard" } },
};

/** A chain and the key of its last holder. */
export interface Held {
  readonly chain: HeldChain;
  readonly holder: SigningKey;
}

/** A chain of the draft alone, with constraints on the arguments. */
export async function draftChain(length: number, issuer: SigningKey): Promise<Held> {
  let holder = await generateKey();
  const root = { issuer: ISSUER, holder: holder.public, audience: [AUDIENCE], tools: TOOLS, maxDepth: 8, expiresAt: NOW / 1000 + 1800, now: NOW };
  let chain = await issueRoot(root, issuer);
  for (let depth = 1; depth < length; depth++) {
    const next = await generateKey();
    chain = await deriveToken(chain, { holder: next.public, now: NOW }, holder);
    holder = next;
  }
  return { chain, holder };
}

/** A chain of envelopes, each with a smaller task and fewer records than the one before. */
export async function envelopeChain(length: number, issuer: SigningKey): Promise<Held & { readonly held: HeldEnvelope }> {
  let holder = await generateKey();
  const envelope: Envelope = parseEnvelope(WIRE, ORDER.vocabulary);
  let held: HeldEnvelope = await issueEnvelope({ envelope, issuer: ISSUER, holder: holder.public, audience: [AUDIENCE], now: NOW }, issuer, ORDER);
  for (let depth = 1; depth < length; depth++) {
    const next = await generateKey();
    const narrowing = { agentId: `agent-${depth}`, taskId: `${held.envelope.taskId}/part-${depth}`, resourceConstraints: { max_records: 25 - depth } };
    held = await deriveEnvelope(held, { narrowing, holder: next.public, exact: true, now: NOW }, holder, ORDER);
    holder = next;
  }
  return { chain: held.chain, holder, held };
}
