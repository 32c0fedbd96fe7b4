const text = { type: "string" } as const;
const count = { type: "integer", minimum: 0, maximum: 100 } as const;

interface Entry {
  readonly name?: string;
  readonly properties: object;
  readonly required?: readonly string[];
  /** The rest of an entry of the manifest, as it stands there. */
  readonly [member: string]: unknown;
}

/** Tools of the manifest, by id; each goes by its id with `_` for `.`, except where `name` says otherwise. */
const ENTRIES: Readonly<Record<string, Entry>> = {
  "contracts.read": {
    properties: { contract_id: text },
    required: ["contract_id"],
    effect: "read",
    resource: { type: "Contract", id: "/contract_id" },
    constraints: { customer_id: { result: "/customer_id" }, contract_ids: { argument: "/contract_id" } },
    records: { result: "", most: 1 },
    data_classes: { contract_metadata: ["/title"], renewal_terms: ["/terms"], salary: ["/salary"] },
  },
  "crm.read": {
    properties: { customer_id: text, limit: { type: "integer" } },
    required: ["customer_id"],
    effect: "read",
    constraints: { customer_id: { argument: "/customer_id", result: "/records/*/customer_id" }, contract_ids: "not_applicable" },
    records: { result: "/records", limit: "/limit", most: 50 },
    data_classes: ["support_summary"],
  },
  "tickets.create": {
    properties: { title: text, cost: { type: "number" } },
    required: ["title"],
    effect: "write",
    constraints: { customer_id: "not_applicable", contract_ids: "not_applicable" },
    records: "none",
    data_classes: [],
    money: { amount: "/cost", currency: "EUR" },
  },
  "payments.pay": { properties: { to: text, amount: { type: "integer" } }, required: ["to", "amount"], effect: "write", ...free() },
  "contracts.delete": { properties: { contract_id: text }, effect: "destructive", ...free() },
  "notes.read": { properties: {}, effect: "read", ...free() },
  "mail.send": { properties: { to: text }, effect: "write" },
  "hr.read": { properties: {}, effect: "read", ...free(["salary"]) },
  "surveys.read": { properties: {}, effect: "read", ...free(["survey"]) },
  "quota.read": { properties: {}, effect: "read", ...free() },
  "vault.read": { properties: {}, effect: "read", ...free() },
  "search.run": {
    properties: { limit: count, data_class: { enum: ["public"] }, fields: { type: "array", items: text }, ids: { type: "array", items: text }, id: text },
    effect: "read",
    ...free(),
  },
  "crm.read_contact": { name: "crm.read_contact", properties: {}, effect: "read", ...free() },
};

function free(dataClasses: readonly string[] = []): object {
  return { constraints: { customer_id: "not_applicable", contract_ids: "not_applicable" }, records: "none", data_classes: dataClasses };
}

/** No digest is this one. */
const ANOTHER = `sha-256:${"A".repeat(43)}`;
const OUTSIDE = "notes.read";

/** Tools that the envelopes of the kit allow. */
export const TOOLS: readonly string[] = Object.keys(ENTRIES).filter((id) => id !== OUTSIDE);

/** The manifest for a framework whose tools go by their names alone, or for one whose tools are those of `server`. */
export function manifestOf(server: string | undefined, pins: Readonly<Record<string, string>>): object {
  const entries = Object.entries(ENTRIES).map(([id, { name = id.replaceAll(".", "_"), properties, required = [], ...rest }]) => {
    const pin = pins[id] ?? (id === "vault.read" ? ANOTHER : "none");
    const names = [{ name, pin, ...(server === undefined ? {} : { server }) }];
    return [id, { names, input_schema: { type: "object", properties, required }, sends_outside: false, ...rest }];
  });
  return { tools: Object.fromEntries(entries) };
}

export const AGENTS: Readonly<Record<string, object>> = {
  reviewer: { trust_zone: "first_party", ceiling: "none" },
  classifier: { trust_zone: "third_party", ceiling: { allowed_tools: ["contracts.read", "crm.read"], resource_constraints: { max_records: 10 } } },
};

export const PURPOSES: object = {
  purposes: {
    review: { tools: Object.keys(ENTRIES), data_classes: ["contract_metadata", "renewal_terms", "support_summary", "salary"] },
    classify: { parent: "review", tools: ["contracts.read", "crm.read", "tickets.create"] },
  },
};

export const POLICIES: string = `
@id("lifecycle") permit (principal, action in [Action::"ambit:begin", Action::"ambit:hand_off"], resource);
@id("reads") permit (principal, action in Action::"effect:read", resource);
@id("writes") permit (principal, action in Action::"effect:write", resource);
@id("costly") forbid (principal, action == Action::"tickets.create", resource) when { context.arguments has cost && context.arguments.cost.greaterThan(decimal("1000000.0")) };`;
