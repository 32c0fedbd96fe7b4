import { CANONICAL, idOf, PURPOSES, VOCABULARY, type Data, type Members } from "./base.ts";

/** `deep-0` at the top and each below the one before, down to one whose line is too long. */
const DEEP: Members = Object.fromEntries(
  Array.from({ length: 66 }, (_, depth) => [`deep-${depth}`, { parent: depth === 0 ? null : `deep-${depth - 1}`, tools: [] }]),
);
const CATALOGUE: Members = { purposes: { ...(PURPOSES["purposes"] as Members), ...DEEP } };

/** Two envelopes as they differ from the base, and in which dimensions the child is wider. */
interface Comparison {
  readonly title: string;
  readonly parent?: Members;
  readonly child?: Members;
  readonly wider?: readonly string[];
}

const limited = (key: string, value: Data): Members => ({ resource_constraints: { [key]: value } });
const budgeted = (budgets: Members): Members => ({ budgets });

/** One constraint of both, then whether the child's value is within the parent's. */
const ofKind = (key: string, title: string, parent: Data, child: Data, isWithin: boolean): Comparison => ({
  title,
  parent: limited(key, parent),
  child: limited(key, child),
  ...(isWithin ? {} : { wider: [`resource_constraints.${key}`] }),
});

const COMPARISONS: readonly Comparison[] = [
  { title: "an envelope within itself" },
  { title: "another holder", child: { agent_id: "classifier" } },
  { title: "another tenant", child: { tenant_id: "tenant_acm" }, wider: ["tenant_id"] },
  { title: "a tenant in another case", child: { tenant_id: "Tenant_acme" }, wider: ["tenant_id"] },
  { title: "another delegator", child: { delegator_id: "user_1" }, wider: ["delegator_id"] },
  { title: "another session", child: { session_id: "sess_2" }, wider: ["session_id"] },

  { title: "a part of the task", child: { task_id: "task_8842/clauses" } },
  { title: "a part of a part of the task", child: { task_id: "task_8842/clauses/3" } },
  { title: "a task that begins alike", child: { task_id: "task_88421" }, wider: ["task_id"] },
  { title: "the whole of a part", parent: { task_id: "task_8842/clauses" }, child: { task_id: "task_8842" }, wider: ["task_id"] },
  { title: "another part", parent: { task_id: "task_8842/a" }, child: { task_id: "task_8842/ab" }, wider: ["task_id"] },
  { title: "an empty part is a part", child: { task_id: "task_8842/" } },
  { title: "what is below an empty part only", parent: { task_id: "task_8842/" }, child: { task_id: "task_8842/a" }, wider: ["task_id"] },
  { title: "below an empty part", parent: { task_id: "task_8842/" }, child: { task_id: "task_8842//a" } },

  { title: "a purpose below", child: { purpose: "classify" } },
  { title: "a purpose two below", child: { purpose: "classify_clauses" } },
  { title: "the purpose above", parent: { purpose: "classify" }, child: { purpose: "review" }, wider: ["purpose"] },
  { title: "a purpose beside", parent: { purpose: "classify" }, child: { purpose: "summarise" }, wider: ["purpose"] },
  { title: "a purpose of another tree", child: { purpose: "pay" }, wider: ["purpose"] },
  { title: "a purpose that is in no catalogue", child: { purpose: "classify_all" }, wider: ["purpose"] },
  { title: "the same purpose in no catalogue", parent: { purpose: "unknown" }, child: { purpose: "unknown" }, wider: ["purpose"] },
  { title: "a purpose 64 below", parent: { purpose: "deep-0" }, child: { purpose: "deep-64" } },
  { title: "a purpose 65 below", parent: { purpose: "deep-1" }, child: { purpose: "deep-65" }, wider: ["purpose"] },
  { title: "a purpose that objects inherit", parent: { purpose: "constructor" }, child: { purpose: "constructor" }, wider: ["purpose"] },

  { title: "fewer tools", child: { allowed_tools: ["crm.read"] } },
  { title: "no tools", child: { allowed_tools: [] } },
  { title: "a further tool", child: { allowed_tools: ["contracts.read", "crm.read", "tickets.create"] }, wider: ["tools"] },
  { title: "a further tool to hand on", child: { may_delegate: ["tickets.create"] }, wider: ["tools"] },
  { title: "a tool in another case", child: { allowed_tools: ["CRM.read"] }, wider: ["tools"] },
  { title: "a tool that objects inherit", child: { allowed_tools: ["constructor"] }, wider: ["tools"] },
  { title: "using what could only be handed on", parent: { may_delegate: ["tickets.create"] }, child: { allowed_tools: ["tickets.create"] } },
  { title: "handing on what could be used", child: { allowed_tools: [], may_delegate: ["crm.read"] } },
  {
    title: "a tool that the parent denies",
    parent: { allowed_tools: ["contracts.read"], denied_tools: ["crm.read"] },
    child: { denied_tools: [] },
    wider: ["tools", "denied_tools"],
  },
  { title: "a denial more", child: { allowed_tools: ["crm.read"], denied_tools: ["contracts.read"] } },
  { title: "a denial less", parent: { denied_tools: ["payments.send"] }, child: {}, wider: ["denied_tools"] },
  { title: "a denial of what nobody has", child: { denied_tools: ["payments.send"] } },
  { title: "an approval more", child: { approvals: ["crm.read"] } },
  { title: "an approval less", parent: { approvals: ["crm.read"] }, child: {}, wider: ["approvals"] },
  { title: "an approval less of a tool that the child has not", parent: { approvals: ["crm.read"] }, child: { allowed_tools: [] }, wider: ["approvals"] },

  { title: "less depth", child: { max_depth: 0 } },
  { title: "more depth", child: { max_depth: 5 }, wider: ["max_depth"] },
  { title: "an earlier expiry", child: { expires_at: "2026-05-12T18:29:59.999Z" } },
  { title: "a later expiry", child: { expires_at: "2026-05-12T18:30:00.001Z" }, wider: ["expires_at"] },

  { title: "a constraint more", child: limited("customer_id", "c1") },
  { title: "a constraint less", parent: limited("customer_id", "c1"), child: {}, wider: ["resource_constraints.customer_id"] },
  { title: "a constraint less, that grants nothing", parent: limited("contract_ids", []), child: {}, wider: ["resource_constraints.contract_ids"] },
  {
    title: "several constraints, one of them wider",
    parent: { resource_constraints: { customer_id: "c1", max_records: 25 } },
    child: { resource_constraints: { customer_id: "c1", max_records: 26 } },
    wider: ["resource_constraints.max_records"],
  },

  ofKind("customer_id", "equal values", "c1", "c1", true),
  ofKind("customer_id", "other values", "c1", "c11", false),
  ofKind("customer_id", "a number is not its text", 1, "1", false),
  ofKind("customer_id", "one is not true", 1, true, false),
  ofKind("customer_id", "zero is not false", false, 0, false),
  ofKind("customer_id", "nothing within a value", "c1", [], true),
  ofKind("customer_id", "a value within nothing", [], "c1", false),
  ofKind("customer_id", "nothing within nothing", [], [], true),
  ofKind("contract_ids", "a subset", ["a", "b"], ["b"], true),
  ofKind("contract_ids", "the same set", ["a", "b"], ["b", "a"], true),
  ofKind("contract_ids", "an element more", ["a"], ["a", "b"], false),
  ofKind("contract_ids", "an element in another case", ["a"], ["A"], false),
  ofKind("contract_ids", "an element in another normal form", ["\u00e9"], ["e\u0301"], false),
  ofKind("contract_ids", "no element", ["a"], [], true),
  ofKind("contract_ids", "an element of none", [], ["a"], false),
  ofKind("max_records", "a smaller maximum", 25, 0, true),
  ofKind("max_records", "the same maximum", 25, 25, true),
  ofKind("max_records", "a larger maximum", 25, 26, false),
  ofKind("max_records", "a maximum that is longer and sorts before", 9, 10, false),
  ofKind("min_score", "a larger minimum", 3, 4, true),
  ofKind("min_score", "a smaller minimum", 3, 2, false),
  ofKind("path_prefix", "the same path", ["/data"], ["/data"], true),
  ofKind("path_prefix", "a path below", ["/data"], ["/data/acme"], true),
  ofKind("path_prefix", "a path above", ["/data/acme"], ["/data"], false),
  ofKind("path_prefix", "a path that begins alike", ["/data/acme"], ["/data/acme-evil"], false),
  ofKind("path_prefix", "a path beside", ["/data/acme"], ["/data/acm"], false),
  ofKind("path_prefix", "a path in another case", ["/data"], ["/Data"], false),
  ofKind("path_prefix", "each path below one of several", ["/a", "/b"], ["/a/x", "/b/y"], true),
  ofKind("path_prefix", "one path of several below none", ["/a", "/b"], ["/a/x", "/c"], false),
  ofKind("path_prefix", "everything below the root", ["/"], ["/data", "/x/y"], true),
  ofKind("path_prefix", "the root below a path", ["/data"], ["/"], false),
  ofKind("path_prefix", "no path", ["/data"], [], true),
  ofKind("path_prefix", "a path of none", [], ["/"], false),

  { title: "a budget more", child: budgeted({ calls: 1 }) },
  { title: "a smaller budget", parent: budgeted({ calls: 5, records: 9 }), child: budgeted({ calls: 5, records: 8 }) },
  { title: "a larger budget", parent: budgeted({ calls: 5 }), child: budgeted({ calls: 6 }), wider: ["budgets.calls"] },
  { title: "a budget less", parent: budgeted({ calls: 5, records: 9 }), child: budgeted({ calls: 5 }), wider: ["budgets.records"] },
  { title: "a budget of zero within every one", parent: budgeted({ calls: 5 }), child: budgeted({ calls: 0 }) },
  { title: "less money", parent: budgeted({ money: { EUR: 100 } }), child: budgeted({ money: { EUR: 99 } }) },
  { title: "more money", parent: budgeted({ money: { EUR: 100 } }), child: budgeted({ money: { EUR: 101 } }), wider: ["budgets.money/EUR"] },
  { title: "money without any map", parent: budgeted({ money: { EUR: 100 } }), child: {}, wider: ["budgets.money"] },
  { title: "a currency less", parent: budgeted({ money: { EUR: 100, USD: 50 } }), child: budgeted({ money: { USD: 50 } }) },
  { title: "no currency", parent: budgeted({ money: { EUR: 100 } }), child: budgeted({ money: {} }) },
  {
    title: "a currency more, of which nothing may be spent",
    parent: budgeted({ money: { EUR: 100 } }),
    child: budgeted({ money: { EUR: 100, USD: 0 } }),
    wider: ["budgets.money/USD"],
  },
  { title: "a currency where none may be spent", parent: budgeted({ money: {} }), child: budgeted({ money: { EUR: 1 } }), wider: ["budgets.money/EUR"] },
  { title: "a map of money where there was none", child: budgeted({ money: { EUR: 100 } }) },
  { title: "a rate within a window more", parent: budgeted({ rate: { "60": 5 } }), child: budgeted({ rate: { "1": 1, "60": 5 } }) },
  { title: "a rate within another window", parent: budgeted({ rate: { "60": 5 } }), child: budgeted({ rate: { "1": 1 } }), wider: ["budgets.rate/60"] },
  { title: "a higher rate", parent: budgeted({ rate: { "60": 5 } }), child: budgeted({ rate: { "60": 6 } }), wider: ["budgets.rate/60"] },
  {
    title: "the limits of one tool",
    parent: budgeted({ tools: { "crm.read": { calls: 5 } } }),
    child: budgeted({ tools: { "crm.read": { calls: 4 }, "contracts.read": { calls: 9 } } }),
  },
  {
    title: "a limit of one tool that is only there for all",
    parent: budgeted({ tools: { "crm.read": { calls: 5 } } }),
    child: budgeted({ calls: 1 }),
    wider: ["budgets.tools/crm.read/calls"],
  },
  {
    title: "a limit for all that is only there for each",
    parent: budgeted({ calls: 5 }),
    child: budgeted({ tools: { "crm.read": { calls: 1 }, "contracts.read": { calls: 1 } } }),
    wider: ["budgets.calls"],
  },
  {
    title: "further money of one tool",
    parent: budgeted({ tools: { "crm.read": { money: { EUR: 5 } } } }),
    child: budgeted({ tools: { "crm.read": { money: { EUR: 5, USD: 5 } } } }),
    wider: ["budgets.tools/crm.read/money/USD"],
  },
  {
    title: "everything wider at once",
    parent: { approvals: ["crm.read"], ...limited("max_records", 1), ...budgeted({ calls: 1 }) },
    child: { tenant_id: "t2", purpose: "pay", allowed_tools: ["payments.send"], max_depth: 64, expires_at: "2027-01-01T00:00:00Z" },
    wider: ["tenant_id", "purpose", "tools", "approvals", "max_depth", "expires_at", "resource_constraints.max_records", "budgets.calls"],
  },
];

/** What is asked for of a parent, and how the child differs from the base; or that there is none. */
interface Derivation {
  readonly title: string;
  readonly parent?: Members;
  readonly asked: Members;
  readonly exact?: boolean;
  readonly child?: Members;
  readonly narrowed?: readonly (readonly [dimension: string, asked: Data, granted: Data])[];
  readonly error?: string;
}

const DERIVATIONS: readonly Derivation[] = [
  { title: "nothing asked for is everything", asked: {}, child: {}, exact: true },
  {
    title: "what is left out is the parent's",
    parent: { ...limited("customer_id", "c1"), ...budgeted({ calls: 5 }), approvals: ["crm.read"], denied_tools: ["payments.send"] },
    asked: { agent_id: "classifier" },
    child: { agent_id: "classifier", ...limited("customer_id", "c1"), ...budgeted({ calls: 5 }), approvals: ["crm.read"], denied_tools: ["payments.send"] },
    exact: true,
  },
  { title: "fewer tools, exactly", asked: { allowed_tools: ["crm.read"] }, child: { allowed_tools: ["crm.read"] }, exact: true },
  {
    title: "a further tool is cut off",
    asked: { allowed_tools: ["crm.read", "payments.send"] },
    child: { allowed_tools: ["crm.read"] },
    narrowed: [["allowed_tools", ["crm.read", "payments.send"], ["crm.read"]]],
  },
  { title: "a further tool, exactly", asked: { allowed_tools: ["crm.read", "payments.send"] }, exact: true, error: "not_narrower" },
  {
    title: "naming tools to use leaves none to hand on",
    parent: { may_delegate: ["tickets.create"] },
    asked: { allowed_tools: ["crm.read"] },
    child: { allowed_tools: ["crm.read"], may_delegate: [] },
    exact: true,
  },
  {
    title: "naming tools to hand on leaves none to use",
    parent: { may_delegate: ["tickets.create"] },
    asked: { may_delegate: ["crm.read", "tickets.create"] },
    child: { allowed_tools: [], may_delegate: ["crm.read", "tickets.create"] },
    exact: true,
  },
  {
    title: "using what could only be handed on, asked for",
    parent: { may_delegate: ["tickets.create"] },
    asked: { allowed_tools: ["tickets.create"] },
    child: { allowed_tools: ["tickets.create"], may_delegate: [] },
    exact: true,
  },
  {
    title: "a denial more takes the tool away",
    asked: { denied_tools: ["crm.read"] },
    child: { allowed_tools: ["contracts.read"], denied_tools: ["crm.read"] },
    exact: true,
  },
  {
    title: "a denial stays",
    parent: { denied_tools: ["payments.send"] },
    asked: { denied_tools: [] },
    child: { denied_tools: ["payments.send"] },
    narrowed: [["denied_tools", [], ["payments.send"]]],
  },
  {
    title: "an approval stays",
    parent: { approvals: ["crm.read"] },
    asked: { approvals: ["contracts.read"] },
    child: { approvals: ["contracts.read", "crm.read"] },
    narrowed: [["approvals", ["contracts.read"], ["contracts.read", "crm.read"]]],
  },
  {
    title: "a constraint more beside those of the parent",
    parent: limited("customer_id", "c1"),
    asked: limited("max_records", 5),
    child: { resource_constraints: { customer_id: "c1", max_records: 5 } },
    exact: true,
  },
  {
    title: "another equal value grants nothing",
    parent: limited("customer_id", "c1"),
    asked: limited("customer_id", "c2"),
    child: limited("customer_id", []),
    narrowed: [["resource_constraints.customer_id", "c2", []]],
  },
  {
    title: "the common elements",
    parent: limited("contract_ids", ["a", "b"]),
    asked: limited("contract_ids", ["b", "c"]),
    child: limited("contract_ids", ["b"]),
    narrowed: [["resource_constraints.contract_ids", ["b", "c"], ["b"]]],
  },
  {
    title: "the smaller maximum",
    parent: limited("max_records", 25),
    asked: limited("max_records", 100),
    child: limited("max_records", 25),
    narrowed: [["resource_constraints.max_records", 100, 25]],
  },
  {
    title: "the larger minimum",
    parent: limited("min_score", 3),
    asked: limited("min_score", 1),
    child: limited("min_score", 3),
    narrowed: [["resource_constraints.min_score", 1, 3]],
  },
  {
    title: "the lower paths of both",
    parent: limited("path_prefix", ["/a", "/b/c"]),
    asked: limited("path_prefix", ["/a/x", "/b", "/d"]),
    child: limited("path_prefix", ["/a/x", "/b/c"]),
    narrowed: [["resource_constraints.path_prefix", ["/a/x", "/b", "/d"], ["/a/x", "/b/c"]]],
  },
  {
    title: "the smaller of each limit",
    parent: budgeted({ calls: 5, records: 9, rate: { "60": 5 } }),
    asked: budgeted({ calls: 3, records: 20, rate: { "1": 1 } }),
    child: budgeted({ calls: 3, records: 9, rate: { "1": 1, "60": 5 } }),
    narrowed: [["budgets.records", 20, 9]],
  },
  {
    title: "the common currencies",
    parent: budgeted({ money: { EUR: 100, USD: 50 } }),
    asked: budgeted({ money: { EUR: 10, GBP: 10 } }),
    child: budgeted({ money: { EUR: 10 } }),
    narrowed: [["budgets.money/GBP", 10, null]],
  },
  {
    title: "fewer currencies, exactly",
    parent: budgeted({ money: { EUR: 100, USD: 50 } }),
    asked: budgeted({ money: {} }),
    child: budgeted({ money: {} }),
    exact: true,
  },
  { title: "money where there was no map", asked: budgeted({ money: { EUR: 10 } }), child: budgeted({ money: { EUR: 10 } }), exact: true },
  {
    title: "the limits of single tools",
    parent: budgeted({ tools: { "crm.read": { calls: 5 } } }),
    asked: budgeted({ tools: { "contracts.read": { calls: 2 }, "crm.read": { calls: 9 } } }),
    child: budgeted({ tools: { "contracts.read": { calls: 2 }, "crm.read": { calls: 5 } } }),
    narrowed: [["budgets.tools/crm.read/calls", 9, 5]],
  },
  {
    title: "a depth and an expiry beyond the parent's",
    asked: { max_depth: 9, expires_at: "2026-05-12T19:00:00Z" },
    child: {},
    narrowed: [
      ["expires_at", "2026-05-12T19:00:00.000Z", "2026-05-12T18:30:00.000Z"],
      ["max_depth", 9, 4],
    ],
  },
  { title: "a part of the task, asked for", asked: { task_id: "task_8842/clauses" }, child: { task_id: "task_8842/clauses" }, exact: true },
  {
    title: "a task that the parent's is a part of",
    parent: { task_id: "task_8842/clauses" },
    asked: { task_id: "task_8842" },
    child: { task_id: "task_8842/clauses" },
    narrowed: [["task_id", "task_8842", "task_8842/clauses"]],
  },
  { title: "a task beside", asked: { task_id: "task_88421" }, error: "not_narrower" },
  { title: "a purpose below, asked for", asked: { purpose: "classify" }, child: { purpose: "classify" }, exact: true },
  {
    title: "a purpose above stays below",
    parent: { purpose: "classify" },
    asked: { purpose: "review" },
    child: { purpose: "classify" },
    narrowed: [["purpose", "review", "classify"]],
  },
  { title: "a purpose beside, asked for", parent: { purpose: "classify" }, asked: { purpose: "summarise" }, error: "not_narrower" },
  { title: "a purpose in no catalogue, asked for", asked: { purpose: "unknown" }, error: "not_narrower" },
  { title: "another tenant, asked for", asked: { tenant_id: "tenant_2" }, error: "not_narrower" },
  { title: "another delegator, asked for", asked: { delegator_id: "user_1" }, error: "not_narrower" },
  { title: "another session, asked for", asked: { session_id: "sess_2" }, error: "not_narrower" },
  { title: "an unknown member", asked: { superuser: true }, error: "envelope_malformed" },
  { title: "null", asked: { max_depth: null }, error: "envelope_malformed" },
  { title: "a wildcard", asked: { allowed_tools: ["*"] }, error: "envelope_malformed" },
  { title: "a constraint that nobody declared", asked: limited("region", "eu"), error: "envelope_malformed" },
];

export const ATTENUATION: Members = {
  about:
    "When a child is within its parent, and which child there is of what is asked for: spec/attenuation.md. All envelopes are canonical or can be made so.",
  vocabulary: VOCABULARY,
  purposes: CATALOGUE,
  comparisons: COMPARISONS.map(({ title, parent, child, wider }): Members => {
    const dimensions = wider ?? [];
    return {
      id: idOf("att", title),
      title,
      parent: { ...CANONICAL, ...parent },
      child: { ...CANONICAL, ...child },
      expected: dimensions.length === 0 ? { narrower: true } : { narrower: false, error: "not_narrower", dimensions: [...dimensions].sort() },
    };
  }),
  derivations: DERIVATIONS.map(({ title, parent, asked, exact, child, narrowed, error }): Members => ({
    id: idOf("der", title),
    title,
    parent: { ...CANONICAL, ...parent },
    asked,
    exact: exact === true,
    expected:
      error === undefined
        ? {
            child: { ...CANONICAL, ...parent, ...child },
            narrowed: (narrowed ?? []).map(([dimension, wanted, granted]): Members => ({ dimension, asked: wanted, granted })),
          }
        : { error },
  })),
};
