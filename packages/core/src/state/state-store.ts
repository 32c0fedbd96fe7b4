/** Something that must be spent before a call may run, on this envelope and on every ancestor at once. */
export interface Reservation {
  /** What is spent: `calls`, `rate`, `records`, `money/EUR`. */
  readonly unit: string;
  /** A safe integer of at least 0, as `atLeast`; a store refuses anything else. */
  readonly want: number;
  /** Less than this is a refusal. Smaller than `want` where a part is of use, as with records. */
  readonly atLeast: number;
  /** Whether a call that ran and failed gives it back. A call that never ran gives back everything. */
  readonly refundable: boolean;
  readonly accounts: readonly Account[];
}

export interface Account {
  /** Unique within the tenant. */
  readonly id: string;
  readonly limit: number;
  /** Milliseconds after which what was spent is available again; absent: never. */
  readonly window?: number;
}

/** Step 6: everything that must become true together, or not at all. */
export interface Commit {
  /** INVARIANT I12: part of every key. */
  readonly tenantId: string;
  readonly lineage: string;
  readonly envelopeId: string;
  /**
   * The same id of the same envelope with the same digest returns what was committed before; with another digest it takes the place of what nobody redeemed yet, as a
   * whole or, when it does not fit (`exhausted`), not at all. A call that is paused goes on with what it reserved, whatever is asked for now, and only with the same digest.
   */
  readonly callId: string;
  readonly callDigest: string;
  readonly decisionId: string;
  readonly toolId: string;
  readonly reservations: readonly Reservation[];
  readonly grant: { readonly id: string; readonly expiresAt: number };
  /** What may be used once in the whole tenant: all of it is free and is taken, or nothing happens. A repetition of the same call takes nothing. */
  readonly once: readonly OnceKey[];
  /** What the result will be; joins the facts of the lineage once anything of it was shown. */
  readonly labels: Labels;
  /** When the last envelope of the lineage has expired; what is kept of it may be dropped from then on. */
  readonly keepUntil: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A proof or an approval that is used up by the call it is for (I5). */
export interface OnceKey {
  readonly key: string;
  /** Milliseconds since the epoch until which it has to be remembered. */
  readonly until: number;
}

/** What is known of data: who could have written it, and its classes (sorted, unique). */
export interface Labels {
  readonly integrity: "trusted" | "untrusted";
  readonly dataClasses: readonly string[];
}

export interface Committed {
  readonly decisionId: string;
  readonly grant: { readonly id: string; readonly expiresAt: number };
  /** What was reserved, by unit. */
  readonly reserved: { readonly [unit: string]: number };
}

export type CommitAnswer =
  | ({ readonly status: "committed" | "repeated" } & Committed)
  | { readonly status: "exhausted"; readonly unit: string; readonly remaining: number }
  | { readonly status: "spent" }
  /** The first of `once` that was taken before. */
  | { readonly status: "used"; readonly key: string };

/** A call is its envelope's: under any other there is no such call. */
export interface CallKey {
  readonly tenantId: string;
  readonly envelopeId: string;
  readonly callId: string;
}

/** What a lineage has done so far, counted when reserved. */
export interface LineageFacts {
  readonly calls: number;
  /** Sorted, unique. */
  readonly toolsUsed: readonly string[];
  readonly previousTool: string | null;
  /** Everything read or received so far; never cleans up by itself. */
  readonly labels: Labels;
}

export interface Settlement extends CallKey {
  /** What the call was committed with; a settlement of another decision, or by who does not know its grant, changes nothing. */
  readonly decisionId: string;
  readonly grantId: string;
  /**
   * `commit` keeps what was used, `release` gives back what is refundable and frees the call id. `keep` ends nothing: whoever redeemed the grant cannot tell how the call
   * ended, so it holds what it reserved until it is reconciled, or until they can tell after all (`commit`, `release`). `cancel` gives back
   * everything of a call whose grant nobody redeemed, and changes nothing otherwise: of two enforcement points that share a call, the one that lost cannot undo the
   * other's. `undo` is the same for the one that redeemed it, and then did not run it. `pause` ends nothing: all that was reserved stays spent, and the same call may be
   * committed again, for another grant; neither `cancel` nor `undo` gives back what was reserved before a pause.
   */
  readonly action: "commit" | "release" | "keep" | "cancel" | "undo" | "pause";
  /** With `commit`: what was really used, by unit; a unit that is not named was used in full. No more is ever spent than was reserved. */
  readonly used: { readonly [unit: string]: number };
  /** Whether anything that the tool answered, an error included, may be shown: then its labels join the lineage. */
  readonly observed: boolean;
}

/** What a settlement was about. */
export interface Settled {
  readonly labels: Labels;
  /** What was reserved, by unit. */
  readonly reserved: Committed["reserved"];
}

/** A call whose grant was redeemed. */
export interface StartedCall extends Omit<CallKey, "tenantId"> {
  readonly lineage: string;
  readonly decisionId: string;
  readonly toolId: string;
  /** What was reserved, by unit. */
  readonly reserved: Committed["reserved"];
  /** When its grant was redeemed, in milliseconds since the epoch. */
  readonly startedAt: number;
}

/** A call that holds what it reserved because nobody has said how it ended. */
export interface UnsettledCall extends StartedCall {
  /** `running`: nothing was heard of it since; `unknown`: whoever ran it cannot tell. */
  readonly state: "running" | "unknown";
}

/** What a person found out about a call that nobody settled. */
export interface Reconciliation extends CallKey {
  /** `done`: it took effect. `not_run`: none of it did; everything is given back, and the call may be asked again under its id. */
  readonly outcome: "done" | "not_run";
  /** With `done`: what was really used, by unit; a unit that is not named was used in full. */
  readonly used: Settlement["used"];
  /** A call that may still be running is left alone unless it was started before this time. */
  readonly startedBefore: number;
}

export type ReconcileAnswer =
  /** `repeated`: the same was said of it before. */
  | { readonly status: "reconciled" | "repeated"; readonly call: StartedCall }
  /** It may still be running. */
  | { readonly status: "running" }
  /** It reserved nothing of a unit of `used`. */
  | { readonly status: "unreserved"; readonly unit: string }
  /** There is no such call, it was never started, or it has ended otherwise. */
  | { readonly status: "none" };

/**
 * State that must be shared and atomic. One interface for memory, SQLite, PostgreSQL and Redis.
 * A rejection of any method is a deny (`state_unavailable`, I8).
 */
export interface StateStore {
  /** INVARIANT I5, I6: one transaction. */
  commit(commit: Commit): Promise<CommitAnswer>;
  /** Spends the grant of a call: `redeemed` at most once. */
  redeem(key: CallKey, grantId: string, callDigest: string, now: number): Promise<"redeemed" | "replayed" | "expired" | "unknown">;
  /** Ends a reservation; `undefined` when there is none to end. Doing it again changes nothing. */
  settle(settlement: Settlement): Promise<Settled | undefined>;
  /** Calls that were started and not settled, up to `limit` of them after another one, in an order of the store's own. */
  unsettled(tenantId: string, after: Pick<CallKey, "envelopeId" | "callId"> | undefined, limit: number): Promise<readonly UnsettledCall[]>;
  /** Settles a call that nobody else settles, once, whatever its grant. Changes nothing unless it answers `reconciled`. */
  reconcile(reconciliation: Reconciliation): Promise<ReconcileAnswer>;
  facts(tenantId: string, lineage: string): Promise<LineageFacts>;
  /** What counts on each of the accounts, in the order of the question: reserved or spent, and not given back. For people to read; what a call may spend, `commit` decides. */
  spent(tenantId: string, accountIds: readonly string[], now: number): Promise<readonly number[]>;
  /** Adds labels to a lineage, as those of an excerpt that was handed in. */
  label(tenantId: string, lineage: string, labels: Labels, keepUntil: number): Promise<void>;
  /** Lets an envelope in: `true` for whoever does so first. What was let in once stays in; whether it is revoked is another question. */
  admit(tenantId: string, envelopeId: string, keepUntil: number): Promise<boolean>;
  /** Which of the envelopes were let in, in the order of the question. */
  admitted(tenantId: string, envelopeIds: readonly string[]): Promise<readonly boolean[]>;
  /** Revokes what was issued for any of the scopes (`envelope:…`, `task:…`, `delegator:…`) up to `at`. A later time stays, whatever comes after it. */
  revoke(tenantId: string, scopes: readonly string[], at: number, keepUntil: number): Promise<void>;
  /** When each of the scopes was last revoked, in milliseconds since the epoch and in the order of the question; `null`: never. */
  revokedAt(tenantId: string, scopes: readonly string[]): Promise<readonly (number | null)[]>;
  /** Drops what nothing can ask for any longer. May take its time; nothing is decided by whether it ran. */
  sweep(now: number): Promise<void>;
}
