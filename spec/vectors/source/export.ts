import { idOf, LEAST, VOCABULARY, without, type Data, type Members } from "./base.ts";

const NEVER: Members = { constraint_type: "all", constraints: [exact(true), exact(false)] };
const ANY: Members = { constraint_type: "wildcard" };

function exact(value: Data): Members {
  return { constraint_type: "exact", value };
}

const oneOf = (...values: readonly Data[]): Members => ({ constraint_type: "one_of", values });
const range = (min: number, max: number): Members => ({ constraint_type: "range", min, max });
const all = (...constraints: readonly Data[]): Members => ({ constraint_type: "all", constraints });
const notEmpty: Members = { constraint_type: "not_one_of", excluded: [[]] };
const subset = (...allowed: readonly Data[]): Members => ({ constraint_type: "subset", allowed });
const optional = (constraint: Members): Members => ({ ...constraint, optional: true });

const value = (required: boolean): Members => ({ required, form: "value" });

/** A tool with two arguments, the first of which shows the customer. */
const CRM: Members = {
  names: ["crm_read"],
  arguments: { customer: value(true), note: value(false) },
  constraints: { customer_id: { argument: "customer" } },
};

const about = (key: string, form: string): Members => ({
  names: ["crm_read"],
  arguments: { it: { required: false, form } },
  constraints: { [key]: { argument: "it" } },
});

interface Case {
  readonly title: string;
  /** Members of the envelope besides what it must say; its only tool is crm.read. */
  readonly envelope?: Members;
  /** @defaultValue what is known of crm.read */
  readonly tools?: Members;
  /** The map; without it the envelope cannot be exported. */
  readonly map?: Members;
}

const one = (title: string, constraints: Members, tool: Members, it: Members): Case => ({
  title,
  envelope: { resource_constraints: constraints },
  tools: { "crm.read": tool },
  map: { crm_read: { it } },
});
const none = (title: string, envelope: Members, tools?: Members): Case => ({ title, envelope, ...(tools === undefined ? {} : { tools }) });

const CUSTOMER: Members = { resource_constraints: { customer_id: "c1" } };

const CASES: readonly Case[] = [
  { title: "no constraint at all", map: { crm_read: { customer: ANY, note: optional(ANY) } } },
  { title: "one value", envelope: CUSTOMER, map: { crm_read: { customer: exact("c1"), note: optional(ANY) } } },
  one("an argument that may be missing, but for a constraint", { customer_id: "c1" }, about("customer_id", "value"), exact("c1")),
  one("a set of values", { contract_ids: ["k2", "k1"] }, about("contract_ids", "value"), oneOf("k1", "k2")),
  one("a set of values for a list", { contract_ids: ["k1", "k2"] }, about("contract_ids", "list"), all(subset("k1", "k2"), notEmpty)),
  one("a set of values for one or a list", { contract_ids: ["k1"] }, about("contract_ids", "either"), {
    constraint_type: "any",
    constraints: [oneOf("k1"), all(subset("k1"), notEmpty)],
  }),
  one("a set without values", { contract_ids: [] }, about("contract_ids", "value"), NEVER),
  one("paths without any", { path_prefix: [] }, about("path_prefix", "value"), NEVER),
  one("a least value", { min_score: 5 }, about("min_score", "value"), range(5, 9007199254740991)),
  one("a most value", { max_records: 25 }, about("max_records", "value"), range(0, 25)),
  one("a truth value", { is_internal: false }, about("is_internal", "value"), exact(false)),
  {
    title: "two constraints of one argument",
    envelope: { resource_constraints: { contract_ids: ["k1"], case_ids: ["k1", "k2"] } },
    tools: {
      "crm.read": { names: ["crm_read"], arguments: { it: value(true) }, constraints: { contract_ids: { argument: "it" }, case_ids: { argument: "it" } } },
    },
    map: { crm_read: { it: all(oneOf("k1", "k2"), oneOf("k1")) } },
  },
  {
    title: "what the input schema lists goes along",
    envelope: CUSTOMER,
    tools: { "crm.read": { ...CRM, arguments: { customer: { required: true, form: "value", limits: [oneOf("c1", "c2")] } } } },
    map: { crm_read: { customer: all(exact("c1"), oneOf("c1", "c2")) } },
  },
  {
    title: "a tool without arguments",
    tools: { "crm.read": { names: ["ping"], arguments: {}, constraints: {} } },
    map: { ping: { no_arguments: optional(NEVER) } },
  },
  {
    title: "a constraint that says nothing of the tool",
    envelope: { resource_constraints: { customer_id: "c1" } },
    tools: { "crm.read": { ...CRM, constraints: { customer_id: "not_applicable" } } },
    map: { crm_read: { customer: ANY, note: optional(ANY) } },
  },
  {
    title: "data classes that a tool returns whatever it is asked",
    envelope: { resource_constraints: { data_classes: ["contact", "address"] } },
    tools: { "crm.read": { ...CRM, constraints: { data_classes: { always: ["contact"] } } } },
    map: { crm_read: { customer: ANY, note: optional(ANY) } },
  },
  {
    title: "a denied tool is left out",
    envelope: { allowed_tools: ["crm.read", "mail.send"], denied_tools: ["mail.send"] },
    map: { crm_read: { customer: ANY, note: optional(ANY) } },
  },
  {
    title: "a tool of two names",
    tools: { "crm.read": { ...CRM, names: ["crm_read", "crm_get"], arguments: { note: value(false) } } },
    map: { crm_read: { note: optional(ANY) }, crm_get: { note: optional(ANY) } },
  },

  none("tools that may be handed on", { may_delegate: ["mail.send"] }),
  none("a budget of calls", { budgets: { calls: 3 } }),
  none("a budget of no money", { budgets: { money: {} } }),
  none("a tool that needs an approval", { approvals: ["crm.read"] }),
  none("a tool that nobody described", { allowed_tools: ["crm.read", "mail.send"] }),
  none("a tool without a name there", {}, { "crm.read": { ...CRM, names: [] } }),
  none("two tools of one name", { allowed_tools: ["crm.read", "mail.send"] }, { "crm.read": CRM, "mail.send": CRM }),
  none("a constraint of which nobody knows where it shows", { resource_constraints: { contract_ids: ["k1"] } }),
  none("a constraint that shows in the result", CUSTOMER, { "crm.read": { ...CRM, constraints: { customer_id: { elsewhere: "it shows in the result" } } } }),
  none("a constraint of an argument that is not there", CUSTOMER, { "crm.read": { ...CRM, constraints: { customer_id: { argument: "other" } } } }),
  none("paths", { resource_constraints: { path_prefix: ["/data"] } }, { "crm.read": about("path_prefix", "value") }),
  none(
    "data classes beyond the allowed ones",
    { resource_constraints: { data_classes: ["address"] } },
    {
      "crm.read": { ...CRM, constraints: { data_classes: { always: ["contact", "address"] } } },
    },
  ),
  none("an argument that has the name of all others", {}, { "crm.read": { ...CRM, arguments: { "*": value(false) } } }),
];

export const EXPORT: Members = {
  about:
    "Envelopes for verifiers of the draft alone, spec/envelope.md section 7. `names` is what the verifier calls a tool, `form` whether an argument is one value, a list or either, `limits` what the tool's own definition says of its values, `constraints` where each resource constraint shows.",
  vocabulary: VOCABULARY,
  vectors: CASES.map(({ title, envelope, tools, map }): Members => ({
    id: idOf("export", title),
    title,
    envelope: { ...without(LEAST, "allowed_tools"), allowed_tools: ["crm.read"], ...envelope },
    tools: tools ?? { "crm.read": CRM },
    expected: map === undefined ? { error: "not_narrower" } : { tools: map },
  })),
};
