import fc from "fast-check";
import { canonicalJson } from "../../src/data/canonical.ts";
import type { Json } from "../../src/data/json.ts";
import { limitsOf, type Budgets } from "../../src/envelope/budgets.ts";
import { reachOf, type Envelope } from "../../src/envelope/envelope.ts";
import type { Order } from "../../src/envelope/order.ts";
import type { PurposeTree } from "../../src/envelope/purposes.ts";
import { createVocabulary } from "../../src/envelope/vocabulary.ts";
import { parseEnvelope } from "../../src/envelope/wire.ts";

/** DESIGN section 3.1, to the letter. */
export const DESIGN_ENVELOPE = {
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
  expires_at: "2026-05-12T18:30:00Z",
} as const;

const PARENTS: Readonly<Record<string, string | null>> = {
  review_customer_contract_for_renewal_risk: null,
  review: null,
  classify: "review",
  summarise: "review",
  classify_clauses: "classify",
  other: null,
};

const PURPOSES: PurposeTree = { parentOf: (purpose) => (Object.hasOwn(PARENTS, purpose) ? PARENTS[purpose] : undefined), digest: "sha-256:test" };

export const ORDER: Order = { vocabulary: createVocabulary({ is_internal: "equal", min_score: "min" }), purposes: PURPOSES };

/** An envelope on the wire, every optional member stated. */
export interface Wire {
  readonly [member: string]: Json;
  readonly resource_constraints: { readonly [key: string]: Json };
  readonly budgets: { readonly [key: string]: Json };
}

export function parse(wire: unknown): Envelope {
  return parseEnvelope(wire, ORDER.vocabulary, "agent");
}

// The names of the prototype are legal tool ids, so they are here from the start; so are the neighbours of each value that a sloppy
// comparison would take for it.
const TOOLS = ["crm.read", "crm.rea", "CRM.read", "__proto__", "constructor", "toString"];
const PATHS = ["/", "/data", "/data/acme", "/data/acme-evil", "/data/acme/q3", "/data/..."];
const LIMITS = [0, 1, 2, 2 ** 31, Number.MAX_SAFE_INTEGER];
const TIMES = ["1970-01-01T00:00:00Z", "2026-05-12T18:30:00Z", "2026-05-12T18:30:00.001Z", "9999-12-31T23:59:59.999Z"];

const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...values]);
const limit = fc.constantFrom(...LIMITS);
const limits = fc.record(
  {
    calls: limit,
    records: limit,
    money: fc.dictionary(fc.constantFrom("EUR", "USD"), limit, { maxKeys: 2 }),
    rate: fc.dictionary(fc.constantFrom("1", "60"), limit, { maxKeys: 2 }),
  },
  { requiredKeys: [] },
);

export const wires: fc.Arbitrary<Wire> = fc.record({
  delegator_id: fc.constantFrom("u1", "U1"),
  tenant_id: fc.constantFrom("t1", "t"),
  session_id: fc.constantFrom("s1", "constructor"),
  task_id: fc.constantFrom("k", "k/a", "k/ab", "k/a/b", "k/", "/", "__proto__"),
  purpose: fc.constantFrom("review", "classify", "summarise", "classify_clauses", "other"),
  agent_id: fc.constantFrom("a1", "a2"),
  allowed_tools: some(TOOLS),
  may_delegate: some(TOOLS),
  denied_tools: some(["crm.read", "toString"]),
  resource_constraints: fc.record(
    {
      customer_id: fc.constantFrom<Json>("1", 1, "0", 0, true, false, []),
      is_internal: fc.constantFrom<Json>("true", true, []),
      contract_ids: some(["c1", "c2", "__proto__", "toString"]),
      data_classes: some(["a", "A"]),
      max_records: limit,
      min_score: limit,
      path_prefix: fc.oneof(fc.constantFrom<Json>(...PATHS), some(PATHS)),
    },
    { requiredKeys: [] },
  ),
  budgets: fc
    .tuple(limits, fc.option(fc.dictionary(fc.constantFrom("crm.read", "toString"), limits, { maxKeys: 2 }), { nil: undefined }))
    .map(([own, tools]) => (tools === undefined ? own : { ...own, tools })),
  approvals: some(["crm.read", "__proto__"]),
  max_depth: fc.constantFrom(0, 1, 4, 64),
  expires_at: fc.constantFrom(...TIMES),
}) as fc.Arbitrary<Wire>;

/** `base` with some members, constraints and budgets taken from elsewhere: pairs of which a good part compares. */
export function variantsOf(base: Wire): fc.Arbitrary<Wire> {
  return fc.tuple(wires, fc.subarray(MEMBERS, { maxLength: 4 })).map(([other, members]) => {
    const wire: Record<string, Json> = { ...base };
    const constraints: Record<string, Json> = { ...base.resource_constraints };
    for (const member of members) {
      if (Object.hasOwn(base, member)) wire[member] = other[member] as Json;
      else if (Object.hasOwn(other.resource_constraints, member)) constraints[member] = other.resource_constraints[member] as Json;
      else delete constraints[member];
    }
    return { ...wire, resource_constraints: constraints } as unknown as Wire;
  });
}

const MEMBERS = [
  ...["delegator_id", "tenant_id", "session_id", "task_id", "purpose", "agent_id", "allowed_tools", "may_delegate", "denied_tools", "budgets", "approvals"],
  ...["max_depth", "expires_at", "customer_id", "is_internal", "contract_ids", "data_classes", "max_records", "min_score", "path_prefix"],
];

/** Which currencies may be spent, for every map of money that is there: an empty one is not the same as none. */
function currenciesOf({ tools = {}, ...overall }: Budgets): readonly (readonly string[])[] {
  const maps = Object.entries({ ...tools, "": overall }).flatMap(([tool, { money }]) => (money === undefined ? [] : [[tool, ...Object.keys(money).sort()]]));
  return maps.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
}

/** Equal for envelopes that grant the same to whoever holds them: tools by reach, budgets limit by limit, no holder. */
export function canonicalForm(envelope: Envelope): string {
  const { agentId: _, allowedTools: _a, mayDelegate: _m, budgets, ...rest } = envelope;
  return canonicalJson({ ...rest, reach: reachOf(envelope), budgets: Object.fromEntries([...limitsOf(budgets)]), currencies: currenciesOf(budgets) } as Json);
}
