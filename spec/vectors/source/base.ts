import { createHash } from "node:crypto";

// Nothing here knows the implementation: what is expected is written down by hand, so that the vectors can be wrong only where the text is.

export type Data = null | boolean | number | string | readonly Data[] | { readonly [member: string]: Data };
export interface Members {
  readonly [member: string]: Data;
}

/** Besides the built-in keys. */
export const VOCABULARY: Members = { case_ids: "subset", is_internal: "equal", min_score: "min" };

/** What the digest of the vocabulary is over. */
export const ALL_KINDS: Members = {
  ...VOCABULARY,
  contract_ids: "subset",
  customer_id: "equal",
  data_classes: "subset",
  max_records: "max",
  path_prefix: "path_prefix",
};

export const PURPOSES: Members = {
  purposes: {
    review: { parent: null, description: "Review a contract before it is renewed", tools: ["contracts.read", "crm.read", "tickets.create"] },
    classify: { parent: "review", tools: ["contracts.read"] },
    classify_clauses: { parent: "classify", tools: ["contracts.read"] },
    summarise: { parent: "review", tools: ["contracts.read", "crm.read"] },
    pay: { tools: ["payments.send"] },
  },
};

/** An envelope that says only what it must. */
export const LEAST: Members = {
  delegator_id: "user_7f3a91",
  tenant_id: "tenant_acme",
  session_id: "sess_2026_05_12_001",
  task_id: "task_8842",
  purpose: "review",
  agent_id: "renewal-reviewer",
  allowed_tools: ["contracts.read", "crm.read"],
  resource_constraints: {},
  expires_at: "2026-05-12T18:30:00Z",
};

/** Its canonical form. */
export const CANONICAL: Members = {
  ...LEAST,
  may_delegate: [],
  denied_tools: [],
  budgets: {},
  approvals: [],
  max_depth: 4,
  expires_at: "2026-05-12T18:30:00.000Z",
};

export function without(members: Members, ...names: readonly string[]): Members {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
}

/** RFC 8785, for data without numbers that JSON writes in several ways. */
export function canonicalText(data: Data): string {
  if (Array.isArray(data)) return `[${(data as readonly Data[]).map(canonicalText).join(",")}]`;
  if (typeof data !== "object" || data === null) return JSON.stringify(data);
  const members = Object.entries(data as Members).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${canonicalText(value)}`).join(",")}}`;
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

export function digest(data: Data): string {
  return `sha-256:${sha256(canonicalText(data))}`;
}

/** Ids from titles: `env-some-title`. */
export function idOf(prefix: string, title: string): string {
  return `${prefix}-${title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")}`;
}
