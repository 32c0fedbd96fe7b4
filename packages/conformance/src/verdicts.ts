/** Under what a call is made: the agent's own envelope, one whose time is up, …; or as a sub-agent. */
export type Holder = "own" | "short" | "ended" | "revoked" | "none" | "classifier";

export interface Row {
  readonly title: string;
  /** The name of the tool in the framework. */
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly holder?: Holder;
  /** What the tool returns; two notes when left out. */
  readonly returns?: unknown;
  /** A framework may find it malformed before it is a call; then nothing is asked, and nothing runs. */
  readonly isMalformed?: true;
  /** `permit`, or the code of the refusal. With `obligation_unsupported` the tool runs, and its answer is withheld. */
  readonly code: string;
}

const CONTRACT = { customer_id: "c1", title: "t", terms: "r", salary: 7 };
const RECORDS = { records: [{ customer_id: "c1" }, { customer_id: "c2" }] };
const own = (json: string): Record<string, unknown> => JSON.parse(json) as Record<string, unknown>;
const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

/** Calls, and the verdict on each under the configuration of the kit, whichever adapter they come through. */
export const VERDICTS: readonly Row[] = [
  { title: "a contract of the envelope", tool: "contracts_read", args: { contract_id: "k1" }, returns: CONTRACT, code: "permit" },
  { title: "another contract of the envelope", tool: "contracts_read", args: { contract_id: "k2" }, returns: CONTRACT, code: "permit" },
  { title: "a contract outside the envelope", tool: "contracts_read", args: { contract_id: "k3" }, code: "argument_not_allowed" },
  { title: "a contract in other letters", tool: "contracts_read", args: { contract_id: "K1" }, code: "argument_not_allowed" },
  { title: "a contract with a blank behind it", tool: "contracts_read", args: { contract_id: "k1 " }, code: "argument_not_allowed" },
  { title: "a list in place of a contract", tool: "contracts_read", args: { contract_id: ["k1"] }, code: "argument_not_allowed" },
  { title: "null in place of a contract", tool: "contracts_read", args: { contract_id: null }, code: "argument_not_allowed" },
  { title: "no contract at all", tool: "contracts_read", args: {}, code: "argument_not_allowed" },
  { title: "an argument that the tool has not", tool: "contracts_read", args: { contract_id: "k1", admin: true }, code: "argument_not_allowed" },
  { title: "an argument in other letters besides", tool: "contracts_read", args: { contract_id: "k1", Contract_id: "k9" }, code: "argument_not_allowed" },
  {
    title: "a prototype as an argument",
    isMalformed: true,
    tool: "contracts_read",
    args: own('{"contract_id":"k1","__proto__":{"admin":true}}'),
    code: "argument_not_allowed",
  },
  {
    title: "a constructor as an argument",
    isMalformed: true,
    tool: "contracts_read",
    args: { contract_id: "k1", constructor: { prototype: {} } },
    code: "argument_not_allowed",
  },
  { title: "NUL in an argument", tool: "contracts_read", args: { contract_id: "k1\0" }, code: "argument_not_allowed" },
  { title: "half of a surrogate pair in an argument", tool: "contracts_read", args: { contract_id: "k1\ud800" }, code: "argument_not_allowed" },
  { title: "arguments without end", tool: "search_run", args: { ids: deep(100) }, code: "argument_not_allowed" },
  {
    title: "a contract of another customer in the result",
    tool: "contracts_read",
    args: { contract_id: "k1" },
    returns: { ...CONTRACT, customer_id: "c2" },
    code: "obligation_unsupported",
  },
  {
    title: "a result without what must be checked",
    tool: "contracts_read",
    args: { contract_id: "k1" },
    returns: "a contract",
    code: "obligation_unsupported",
  },
  { title: "the customer of the envelope", tool: "crm_read", args: { customer_id: "c1", limit: 5 }, returns: RECORDS, code: "permit" },
  { title: "the customer without a limit", tool: "crm_read", args: { customer_id: "c1" }, returns: RECORDS, code: "permit" },
  { title: "more records than the envelope allows", tool: "crm_read", args: { customer_id: "c1", limit: 26 }, code: "argument_not_allowed" },
  { title: "another customer", tool: "crm_read", args: { customer_id: "c2" }, code: "argument_not_allowed" },
  { title: "a limit that is a text", tool: "crm_read", args: { customer_id: "c1", limit: "5" }, code: "argument_not_allowed" },
  { title: "a limit that is a fraction", tool: "crm_read", args: { customer_id: "c1", limit: 1.5 }, code: "argument_not_allowed" },
  { title: "a limit that no number is exact for", tool: "crm_read", args: { customer_id: "c1", limit: 2 ** 53 }, code: "argument_not_allowed" },
  { title: "a ticket", tool: "tickets_create", args: { title: "renew", cost: 5 }, code: "permit" },
  { title: "a ticket that policy finds too dear", tool: "tickets_create", args: { title: "renew", cost: 1_000_001 }, code: "policy_denied" },
  { title: "a cost that policy cannot read", tool: "tickets_create", args: { title: "renew", cost: 0.123456 }, code: "policy_error" },
  { title: "what no policy permits", tool: "contracts_delete", args: { contract_id: "k1" }, code: "policy_denied" },
  { title: "what needs an approval", tool: "payments_pay", args: { to: "c1", amount: 5 }, code: "approval_required" },
  { title: "a tool outside the envelope", tool: "notes_read", args: {}, code: "tool_not_allowed" },
  { title: "a tool that the manifest has not", tool: "shell_run", args: { command: "id" }, code: "tool_unmapped" },
  { title: "a tool in other letters", tool: "Contracts_read", args: { contract_id: "k1" }, code: "tool_unmapped" },
  { title: "a tool by its id instead of its name", tool: "contracts.read", args: { contract_id: "k1" }, code: "tool_unmapped" },
  { title: "a tool whose definition is not the one that was pinned", tool: "vault_read", args: {}, code: "tool_changed" },
  { title: "a tool of which nobody said how a constraint applies", tool: "mail_send", args: { to: "c1" }, code: "constraint_unmapped" },
  { title: "a tool that returns what the envelope does not allow", tool: "hr_read", args: {}, code: "data_class_not_allowed" },
  { title: "a tool that returns what the purpose cannot need", tool: "surveys_read", args: {}, code: "purpose_mismatch" },
  { title: "a tool whose budget is spent", tool: "quota_read", args: {}, code: "budget_exhausted" },
  { title: "a call without an envelope", tool: "crm_read", args: { customer_id: "c1" }, holder: "none", code: "envelope_malformed" },
  { title: "a call under an envelope that has expired", tool: "crm_read", args: { customer_id: "c1" }, holder: "short", code: "envelope_expired" },
  { title: "a call under an envelope that was ended", tool: "crm_read", args: { customer_id: "c1" }, holder: "ended", code: "envelope_revoked" },
  { title: "a call for a delegator that was revoked", tool: "crm_read", args: { customer_id: "c1" }, holder: "revoked", code: "envelope_revoked" },
  { title: "a sub-agent within its ceiling", tool: "crm_read", args: { customer_id: "c1", limit: 5 }, holder: "classifier", returns: RECORDS, code: "permit" },
  { title: "a sub-agent above its ceiling", tool: "tickets_create", args: { title: "renew" }, holder: "classifier", code: "tool_not_allowed" },
  {
    title: "a sub-agent with more records than its ceiling has",
    tool: "crm_read",
    args: { customer_id: "c1", limit: 11 },
    holder: "classifier",
    code: "argument_not_allowed",
  },
  { title: "a sub-agent with a tool that only its parent has", tool: "quota_read", args: {}, holder: "classifier", code: "tool_not_allowed" },
];
