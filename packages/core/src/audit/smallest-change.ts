import type { RefusalCode } from "../errors.ts";
import type { OpenApproval } from "./history.ts";
import { named } from "./named.ts";
import type { RefusalFacts } from "./refusal-facts.ts";
import { toolChange } from "./tool-change.ts";

type Change = (facts: RefusalFacts) => string;

const BRING_BACK = "nothing has to be allowed for it";

/**
 * By code, the least that somebody could change so that the same thing is permitted. What narrows or repairs comes before what widens, and what
 * widens one envelope before what widens more; policies are named only where there is nothing else.
 */
const CHANGES: { readonly [code in RefusalCode]: Change } = {
  envelope_malformed: ({ hint }) => hint ?? "act under an envelope that this decision point has given out: begin the task, or take the hand-off, anew",
  envelope_signature_invalid: () => "have the chain issued again by an issuer of the anchors, with the key that is listed there",
  envelope_expired: () => "renew the task with `pep.renew`, or have it handed on again, for as long as the rest of it takes",
  envelope_not_yet_valid: () => "set the clocks of the issuer and of the decision point right, and ask again",
  envelope_revoked: () => "begin the task anew; what was revoked stays so, for everything derived from it too",
  audience_mismatch: () => "have the token issued for this decision point, with its name in the audience",
  tenant_mismatch: () => "begin the task with a proof of the very tenant that the envelope names",
  holder_mismatch: ({ agent }) => `let the agent that holds the envelope ask for it, or hand the task on to ${named(agent)}`,
  agent_unknown: ({ agent, kind }) =>
    kind === "call"
      ? `register ${named(agent)}, and every agent above it, in \`agents.json\`, with its key and a ceiling of just the tools that it needs`
      : "register the agent in `agents.json`, with a ceiling of just the tools that it needs",
  pop_invalid: () => "sign the proof with the key that the envelope is bound to, over exactly this tool and these arguments",
  pop_replayed: () => "sign a new proof for every call",
  proof_invalid: ({ hint }) => hint ?? "begin the task with a proof of this very delegator, from an issuer that is configured",
  proof_expired: () => "have the delegator sign in again, and begin the task with the new proof",
  not_narrower: () => "leave out of what is asked for whatever the message names, so that it is within what the parent has",
  chain_broken: () => "show the chain as it was derived: every token from the root to the leaf, in its order, and no other",
  depth_exceeded: () => "hand on once less, to an agent that does the rest itself, or begin the task with a `maxDepth` that is larger by one",
  hand_off_denied: () => "leave the excerpt that the message names out of the hand-off, or give it without what the receiver must not have",
  tool_not_allowed: toolChange,
  tool_unmapped: ({ hint, tool }) => hint ?? `add an entry for ${named(tool)} to \`tools\` of the manifest`,
  tool_changed: ({ tool }) => `review the new definition of ${named(tool)}, and pin it in the manifest if it is what it should be`,
  argument_not_allowed: ({ tool, kind }) =>
    kind === "call"
      ? `call ${named(tool)} with arguments inside what the message names; if the task really is about others, begin one whose constraints name exactly these`
      : "ask for it with values inside what the message names",
  data_class_not_allowed: ({ tool }) =>
    `say in the manifest which fields of ${named(tool)} carry the data class, as {"class": ["/…"]}, so that they are redacted instead; if the task needs them, begin it with that one class in \`data_classes\``,
  constraint_unmapped: ({ hint, tool }) => hint ?? `say in the entry of ${named(tool)} in the manifest where the constraint shows`,
  purpose_mismatch: ({ tool, kind, purpose }) => {
    const needs = kind === "call" ? `that needs ${named(tool)}` : "that covers what is asked for";
    const itself = purpose === undefined ? "" : `; only where ${named(purpose)} itself cannot do without, add what the message names to the purposes`;
    return `begin the task for a purpose of the catalogue ${needs}${itself}`;
  },
  intent_drift: () => "let the delegator say that it is wanted, in a task that is begun with that instruction",
  policy_denied: policyChange,
  policy_error: () => "repair what the evaluation failed on: an attribute that is missing or of another type, in the data or in the policy that the hint names",
  no_policy: ({ kind, tool }) => `write the first policy, one that permits ${kind === "call" ? `only ${named(tool)}` : "only this"}, for those who need it`,
  budget_exhausted: ({ kind }) =>
    kind === "call"
      ? "ask for no more than the message says is left, or wait where it is a rate; if the task needs more, begin it with a larger budget of this one unit"
      : "ask for no more than is left",
  approval_required: ({ approvals, tool }) => approvalChange(approvals, tool),
  approval_invalid: () => "make the very same call again: it asks for an approval of its own",
  approval_expired: () => "make the very same call again, and have the new request answered in time",
  approval_denied: () => "nothing by configuration: a person has refused it; ask them what they would approve, and ask for that",
  obligation_unsupported: () =>
    "bring the enforcement point to a version that carries out what the decision demands, or let the tool answer with plain data that can be checked",
  pdp_unavailable: () => `bring the decision point back and ask again; ${BRING_BACK}`,
  pdp_timeout: () => `find out why the decision point is slow, or raise the \`deadline\` of the enforcement point, and ask again; ${BRING_BACK}`,
  pdp_response_invalid: () => `find out what stands between here and the decision point, or bring both to the same version; ${BRING_BACK}`,
  state_unavailable: () => `bring the state store back and ask again; ${BRING_BACK}`,
  log_unavailable: () => `make the decision log writable again, with room on its disk, and ask again; ${BRING_BACK}`,
  grant_invalid: () => "ask again, and run the call at once, with exactly the arguments that were decided",
  grant_replayed: () => "ask for it as a call of its own, with a new call id; a call runs once",
  credential_unavailable: () => "put the credential of the server into the vault of the gateway",
  egress_refused: () => "have the operator of the gateway look at the connector: its origins, the addresses that it may reach, its headers and limits",
  upstream_unavailable: () => "bring the end service back and make the call again; look first whether it has run already",
  call_running: () => "wait until the call was started 15 minutes ago, or say that it runs no longer (`force`)",
  call_aborted: () => "make the call again if it is still wanted; whoever asked had given up",
};

/**
 * What would make a refusal legal, in one sentence; `undefined` for a code that this version does not know. Quotes names of the log, which may be hostile:
 * whoever shows it makes it printable.
 */
export function smallestChange(facts: RefusalFacts): string | undefined {
  return Object.hasOwn(CHANGES, facts.code) ? CHANGES[facts.code as RefusalCode](facts) : undefined;
}

/** Policies are the last thing to change: who asks, and after what, comes first. */
function policyChange({ kind, tool, delegator, hasReadUntrusted }: RefusalFacts): string {
  const what = kind === "call" ? `call ${named(tool)}` : kind === "begin" ? "begin this task" : "make this hand-off";
  const apart = hasReadUntrusted ? "; where the policies look at what was read, do it in a task of its own that has read nothing untrusted" : "";
  const who = delegator === undefined ? "the delegator" : named(delegator);
  return `have it asked for by people and agents who may ${what}, or give ${who} or the agent, whichever the message names, the one role, relation or attribute that the policies ask for${apart}`;
}

function approvalChange(approvals: readonly OpenApproval[] | undefined, tool: string | undefined): string {
  if (approvals === undefined) return "have the call approved, and make the very same call again";
  const ids = approvals.map(({ id }) => named(id)).slice(0, 3);
  if (ids.length === 0)
    return `say in \`approvals\` of the configuration who can approve ${named(tool)}, or make the very same call again if its request has expired`;
  const by = [...new Set(approvals.flatMap((approval) => approval.by))].map(named).slice(0, 8);
  const needed = Math.max(...approvals.map((approval) => approval.needed));
  const until = approvals.length === 1 && approvals[0]?.expiresAt !== undefined ? ` until ${named(approvals[0].expiresAt)}` : "";
  return `have ${ids.join(" or ")} approved by ${needed === 1 ? "" : `${needed} of `}${by.join(" or ") || "whom it names"}${until}, then make the very same call again`;
}
