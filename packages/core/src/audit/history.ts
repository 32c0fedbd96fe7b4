import { isJsonObject } from "../data/json.ts";
import { keyOf, listAt, numberAt, textAt, textsAt, verdictOf } from "./details.ts";
import type { LogRecord } from "./record.ts";

/** One envelope of a chain, as the record of the decision that gave it out has it. */
export interface HeldEnvelope {
  readonly envelope: string;
  readonly agent: string;
  readonly purpose: string | undefined;
  readonly allowedTools: readonly string[];
  /** Tools to hand on only; the record of a hand-off does not say them. */
  readonly mayDelegate: readonly string[] | undefined;
  readonly decisionId: string;
  /** ISO 8601. */
  readonly issuedAt: string;
  readonly expiresAt: string | undefined;
}

/** Under what somebody acted: on whose behalf, and through whose hands. */
export interface Ancestry {
  readonly delegator: string | undefined;
  readonly session: string | undefined;
  /** Root first; empty when nothing of it is on the record. */
  readonly chain: readonly HeldEnvelope[];
}

/** A request for approval that nobody has answered so far. */
export interface OpenApproval {
  readonly id: string;
  /** `delegator`, `user:…` or `role:…`. */
  readonly by: readonly string[];
  /** How many different people are needed, at most, of one demand. */
  readonly needed: number;
  readonly expiresAt: string | undefined;
}

/** What earlier records say of those that come after them. */
export interface History {
  /** Records come in the order of the log. */
  add(record: LogRecord): void;
  ancestryOf(tenant: string, envelope: string): Ancestry;
  /** One envelope, without those above it. */
  envelopeOf(tenant: string, envelope: string): HeldEnvelope | undefined;
  /** Whether anything untrusted was read in a lineage. */
  hasReadUntrusted(tenant: string, lineage: string): boolean;
  /** Approvals that the call of a record may wait for: of its tool, for its agent, not expired by then. */
  openApprovals(record: LogRecord): readonly OpenApproval[];
}

interface Issued extends HeldEnvelope {
  readonly parent: string | undefined;
  /** Of a root, as its `session`: those below it have the same. */
  readonly delegator: string | undefined;
  readonly session: string | undefined;
}

/** Longer than any chain that is ever given out; whoever writes a log could write a circle. */
const MOST_LINKS = 64;
/** Requests of one tool by one agent that are kept in mind: nobody answers more, and none of it grows with the log. */
const MOST_OPEN = 8;

export function createHistory(): History {
  const issued = new Map<string, Issued>();
  const untrusted = new Set<string>();
  const approvals = new Map<string, Map<string, OpenApproval>>();

  const approvalsOf = (record: LogRecord): string => keyOf(record.tenant, record.lineage, record.agent, textAt(record.details, "tool") ?? "");

  return {
    add: (record) => {
      const { tenant, lineage, kind, details, decision_id: id } = record;
      const given = issuedBy(record);
      if (given !== undefined) issued.set(keyOf(tenant, given.envelope), given);
      else if (kind === "outcome" && textAt(details, "integrity") === "untrusted") untrusted.add(keyOf(tenant, lineage));
      else if (kind === "approval_request") {
        const open = approvals.get(approvalsOf(record)) ?? new Map<string, OpenApproval>();
        approvals.set(approvalsOf(record), open.set(id, openApproval(record)));
        const [oldest] = open.keys();
        if (open.size > MOST_OPEN && oldest !== undefined) open.delete(oldest);
      } else if (kind === "approval_answer" && textAt(details, "status") !== "pending") approvals.get(approvalsOf(record))?.delete(id);
    },
    ancestryOf: (tenant, envelope) => {
      const chain: Issued[] = [];
      let next: string | undefined = envelope;
      while (next !== undefined && chain.length < MOST_LINKS) {
        const link: Issued | undefined = issued.get(keyOf(tenant, next));
        if (link === undefined) break;
        chain.unshift(link);
        next = link.parent;
      }
      return { delegator: chain[0]?.delegator, session: chain[0]?.session, chain };
    },
    envelopeOf: (tenant, envelope) => issued.get(keyOf(tenant, envelope)),
    hasReadUntrusted: (tenant, lineage) => untrusted.has(keyOf(tenant, lineage)),
    openApprovals: (record) => {
      const open = [...(approvals.get(approvalsOf(record))?.values() ?? [])];
      return open.filter(({ expiresAt }) => expiresAt === undefined || !(Date.parse(expiresAt) <= Date.parse(record.ts)));
    },
  };
}

/** The envelope that a permitted beginning or hand-off gave out. */
export function issuedBy(record: LogRecord): Issued | undefined {
  const { kind, details, ts, decision_id: decisionId } = record;
  if ((kind !== "begin" && kind !== "hand_off") || verdictOf(record) !== "permit") return undefined;
  const common = {
    purpose: textAt(details, "purpose"),
    allowedTools: textsAt(details, "allowed_tools"),
    decisionId,
    issuedAt: ts,
    expiresAt: textAt(details, "expires_at"),
  };
  if (kind === "begin") {
    const [mayDelegate, delegator, session] = [textsAt(details, "may_delegate"), textAt(details, "delegator"), textAt(details, "session")];
    return { ...common, envelope: record.envelope, agent: record.agent, mayDelegate, delegator, session, parent: undefined };
  }
  const [envelope, agent, parent] = [textAt(details, "child_envelope"), textAt(details, "to"), textAt(details, "parent_envelope") ?? record.envelope];
  const ofRoot = { mayDelegate: undefined, delegator: undefined, session: undefined };
  return envelope === undefined ? undefined : { ...common, ...ofRoot, envelope, agent: agent ?? "unknown", parent };
}

function openApproval({ decision_id: id, details }: LogRecord): OpenApproval {
  const demands = listAt(details, "demands").filter(isJsonObject);
  const by = [...new Set(demands.flatMap((demand) => textsAt(demand, "by")))];
  return { id, by, needed: Math.max(1, ...demands.map((demand) => numberAt(demand, "needed") ?? 1)), expiresAt: textAt(details, "expires_at") };
}
