import type { CallKey, Commit, CommitAnswer, Committed, Labels, LineageFacts, Settled, Settlement } from "@ambit/core";

/**
 * What commits, redemptions and settlements do, written once for all stores: plain functions over one tenant's rows, which a store holds in memory, or loads under
 * lock and then stores what changed of them. A refusal changes nothing but what had run out anyway.
 */
export interface Rows {
  /** By `callKeyOf`. */
  readonly calls: Map<string, Call>;
  /** By account id. */
  readonly accounts: Map<string, Balance>;
  readonly lineages: Map<string, Lineage>;
  /** Times until which they have to be remembered, by key. */
  readonly once: Map<string, number>;
}

export interface Call {
  readonly digest: string;
  readonly lineage: string;
  committed: Committed;
  readonly labels: Labels;
  readonly toolId: string;
  /** When its grant was redeemed; until then, when it was committed. */
  startedAt: number;
  /**
   * `lapsed`: not redeemed in time, and some of what it held was given to another call, so that it can no longer be redeemed by anybody's clock. `paused`: it ran, and is to
   * go on; `resumed`: it may, and `rerun`: it does. What ran before keeps what it reserved through all of these. `unknown`: it ran, and who ran it cannot tell how it
   * ended. `not_run`: a person said that it never ran; it is as good as no call.
   */
  phase: "reserved" | "lapsed" | "redeemed" | "unknown" | "settled" | "paused" | "resumed" | "rerun" | "not_run";
  /** What a person said of it, in the words of `reconcileCall`. */
  reconciled?: string | undefined;
  /** Until it is settled. */
  readonly debits: Set<Debit>;
}

export interface Balance {
  /** All that counts: settled for good, reserved, or within its window. Never more than the largest limit that it was debited under. */
  spent: number;
  /** What of `spent` may end; a store loads only what may have ended by now, and what belongs to the calls in question. */
  readonly open: Set<Debit>;
  /** Nothing of `open` ends before this time: until then nobody has to look through it. */
  due: number;
  /** The last one that debited it; it is kept as long as that, and until `keepUntil`. */
  lineage: string;
  keepUntil: number;
}

export interface Debit {
  /** In the store that it was loaded from. */
  readonly id?: number;
  readonly unit: string;
  readonly account: string;
  readonly refundable: boolean;
  /** When its grant expires: one that nobody redeems in time holds nothing any longer. */
  readonly heldUntil: number;
  /** When its window ends; `null`: never. */
  readonly until: number | null;
  amount: number;
  /** `null` once the call is settled. */
  call: Call | null;
}

export interface Lineage {
  keepUntil: number;
  calls: number;
  readonly toolsUsed: Set<string>;
  previousTool: string | null;
  integrity: Labels["integrity"];
  readonly dataClasses: Set<string>;
}

export function newRows(): Rows {
  return { calls: new Map(), accounts: new Map(), lineages: new Map(), once: new Map() };
}

/** No two pairs have the same key, whatever characters they consist of. */
export function callKeyOf({ envelopeId, callId }: Pick<CallKey, "envelopeId" | "callId">): string {
  return JSON.stringify([envelopeId, callId]);
}

/** Throws (`RangeError`) where an amount is none: a negative one would be a gift to the account, and whatever is compared with NaN is not too much. */
export function checkAmounts({ reservations }: Pick<Commit, "reservations">): void {
  for (const { unit, want, atLeast, accounts } of reservations) {
    for (const amount of [want, atLeast, ...accounts.flatMap(({ limit, window = 0 }) => [limit, window])])
      if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError(`a reservation of ${unit} must be a whole number of at least 0`);
  }
}

/** INVARIANT I5, I6: whoever runs this must run it as a transaction. */
export function commitCall(rows: Rows, commit: Commit): CommitAnswer {
  checkAmounts(commit);
  const key = callKeyOf(commit);
  const earlier = rows.calls.get(key);
  if (earlier?.phase === "paused" || earlier?.phase === "resumed") return resumeCall(earlier, commit);
  if (earlier !== undefined && !isOpen(earlier) && earlier.phase !== "not_run") return { status: "spent" };
  if (earlier?.phase === "reserved" && earlier.digest === commit.callDigest && earlier.committed.grant.expiresAt > commit.now)
    return { status: "repeated", ...earlier.committed };

  const used = commit.once.find(({ key: once }) => (rows.once.get(once) ?? -Infinity) >= commit.now);
  if (used !== undefined) return { status: "used", key: used.key };

  for (const { accounts } of commit.reservations) for (const { id } of accounts) dropEnded(rows, id, commit.now);
  const plan = planDebits(rows, commit, earlier);
  if ("status" in plan) return plan;

  // INVARIANT I6: nothing was written, and nothing given back, before everything was found to fit.
  if (earlier !== undefined) for (const debit of earlier.debits) close(rows, debit, 0);
  const { reserved, debits } = plan;
  const committed: Committed = { decisionId: commit.decisionId, grant: commit.grant, reserved };
  const { callDigest: digest, lineage: lineageId, labels, toolId, now } = commit;
  const call: Call = { digest, lineage: lineageId, committed, labels, toolId, startedAt: now, phase: "reserved", debits: new Set() };
  rows.calls.set(key, call);
  for (const debit of debits) open(rows, { ...debit, call }, commit);
  for (const { key: once, until } of commit.once) rows.once.set(once, until);
  const lineage = keepLineage(rows, commit.lineage, commit.keepUntil);
  lineage.calls += 1;
  lineage.toolsUsed.add(commit.toolId);
  lineage.previousTool = commit.toolId;
  return { status: "committed", ...committed };
}

/** INVARIANT I5, I6: it goes on once for each pause, with what it reserved, and as the call that it was: with other arguments it would have run without a reservation. */
function resumeCall(call: Call, { callDigest, decisionId, grant, now }: Commit): CommitAnswer {
  if (call.digest !== callDigest) return { status: "spent" };
  if (call.phase === "resumed" && call.committed.grant.expiresAt > now) return { status: "repeated", ...call.committed };
  call.committed = { ...call.committed, decisionId, grant };
  call.phase = "resumed";
  return { status: "committed", ...call.committed };
}

export function redeemCall(rows: Rows, key: CallKey, grantId: string, callDigest: string, now: number): "redeemed" | "replayed" | "expired" | "unknown" {
  const call = rows.calls.get(callKeyOf(key));
  if (call === undefined || call.committed.grant.id !== grantId || call.digest !== callDigest) return "unknown";
  if (!isOpen(call) && call.phase !== "resumed") return "replayed";
  if (call.phase === "lapsed" || !(now < call.committed.grant.expiresAt)) return "expired";
  call.phase = call.phase === "resumed" ? "rerun" : "redeemed";
  call.startedAt = now;
  return "redeemed";
}

/** What each action may be done to. Who said that they do not know how a call ended said that it was started. */
const ACTS_ON: { readonly [action in Settlement["action"]]: readonly Call["phase"][] } = {
  commit: ["reserved", "lapsed", "redeemed", "unknown", "resumed", "rerun"],
  release: ["reserved", "lapsed", "redeemed", "unknown", "resumed", "rerun"],
  keep: ["redeemed", "rerun"],
  cancel: ["reserved", "lapsed", "resumed"],
  undo: ["redeemed", "rerun"],
  pause: ["redeemed", "rerun"],
};

export function settleCall(rows: Rows, { decisionId, grantId, action, used, observed, ...key }: Settlement): Settled | undefined {
  const call = rows.calls.get(callKeyOf(key));
  if (call?.committed.decisionId !== decisionId || call.committed.grant.id !== grantId) return undefined;
  if (!ACTS_ON[action].includes(call.phase)) return undefined;
  checkUsed(used);
  if (observed) addLabels(rows, call.lineage, call.labels, 0);
  const settled: Settled = { labels: call.labels, reserved: call.committed.reserved };
  const isPaused = action === "pause" || call.phase === "resumed" || (action === "undo" && call.phase === "rerun");
  if (isPaused || action === "keep") {
    call.phase = isPaused ? "paused" : "unknown";
    return settled;
  }
  const neverRan = action === "cancel" || action === "undo";
  for (const debit of call.debits) {
    const isBack = neverRan || (action === "release" && debit.refundable);
    close(rows, debit, isBack ? 0 : usedOf(debit, action === "commit" ? used : {}));
  }
  call.phase = "settled";
  // What failed, or never ran, may be asked again under its id; it is decided and reserved afresh.
  if (neverRan || action === "release") rows.calls.delete(callKeyOf(key));
  return settled;
}

/** What of a debit was used. INVARIANT I6: never more than was reserved; a unit that nobody names was used in full. */
export function usedOf({ unit, amount }: Debit, used: Settlement["used"]): number {
  return Math.min(amount, Object.hasOwn(used, unit) ? (used[unit] ?? amount) : amount);
}

export function addLabels(rows: Rows, id: string, labels: Labels, keepUntil: number): void {
  const lineage = keepLineage(rows, id, keepUntil);
  if (labels.integrity === "untrusted") lineage.integrity = "untrusted";
  for (const name of labels.dataClasses) lineage.dataClasses.add(name);
}

/** What counts on each of the accounts. Changes nothing: what has ended by this clock may go on by another. */
export function spentOn(rows: Rows, accountIds: readonly string[], now: number): readonly number[] {
  return accountIds.map((id) => {
    const { spent = 0, open: debits = [] } = rows.accounts.get(id) ?? {};
    return [...debits].reduce((sum, debit) => (hasLapsed(debit, now) || hasPassed(debit, now) ? sum - debit.amount : sum), spent);
  });
}

export function factsOf(lineage: Lineage = newLineage()): LineageFacts {
  return {
    calls: lineage.calls,
    toolsUsed: [...lineage.toolsUsed].sort(),
    previousTool: lineage.previousTool,
    labels: { integrity: lineage.integrity, dataClasses: [...lineage.dataClasses].sort() },
  };
}

type PlannedDebit = Omit<Debit, "id" | "call">;

/** What each account would be debited, or what there is too little of. Changes nothing. */
function planDebits(
  rows: Rows,
  commit: Commit,
  earlier: Call | undefined,
): Extract<CommitAnswer, { readonly status: "exhausted" }> | { readonly reserved: Committed["reserved"]; readonly debits: readonly PlannedDebit[] } {
  // Other arguments under the same id, or a grant that nobody used in time: what was reserved for it is free for this one.
  const free = new Map<string, number>();
  for (const { account, amount } of earlier?.debits ?? []) free.set(account, (free.get(account) ?? 0) + amount);
  const reserved = new Map<string, number>();
  const debits: PlannedDebit[] = [];
  for (const { unit, want, atLeast, refundable, accounts } of commit.reservations) {
    const left = accounts.map(({ id, limit }) => limit - (rows.accounts.get(id)?.spent ?? 0) + (free.get(id) ?? 0));
    const remaining = Math.min(Number.MAX_SAFE_INTEGER, ...left);
    const amount = Math.min(want, remaining);
    if (amount < atLeast) return { status: "exhausted", unit, remaining: Math.max(0, remaining) };
    reserved.set(unit, amount);
    for (const { id: account, window } of accounts) {
      // An account that is named twice is debited twice.
      free.set(account, (free.get(account) ?? 0) - amount);
      const until = window === undefined ? null : commit.now + window;
      debits.push({ unit, account, refundable, amount, heldUntil: commit.grant.expiresAt, until });
    }
  }
  // INVARIANT I14: each unit is an own property, also one that is called as an inherited name.
  return { reserved: Object.fromEntries(reserved), debits };
}

function isOpen({ phase }: Call): boolean {
  return phase === "reserved" || phase === "lapsed";
}

/** Gives back what ran out: windows, and reservations whose grant nobody redeemed in time. */
function dropEnded(rows: Rows, id: string, now: number): void {
  const account = rows.accounts.get(id);
  if (account === undefined || account.due > now) return;
  account.due = Infinity;
  for (const debit of account.open) {
    const isLapsed = hasLapsed(debit, now);
    if (!isLapsed && !hasPassed(debit, now)) {
      account.due = Math.min(account.due, dueOf(debit));
      continue;
    }
    if (isLapsed && debit.call !== null) debit.call.phase = "lapsed";
    debit.call?.debits.delete(debit);
    account.open.delete(debit);
    account.spent -= debit.amount;
  }
}

function hasLapsed({ call, heldUntil }: Debit, now: number): boolean {
  return call !== null && isOpen(call) && heldUntil <= now;
}

/** Whether its window has ended. */
function hasPassed({ until }: Debit, now: number): boolean {
  return until !== null && until <= now;
}

/** When a debit may end, at the earliest: one that was redeemed, or is settled, holds until its window ends. */
function dueOf({ call, heldUntil, until }: Debit): number {
  return Math.min(call !== null && isOpen(call) ? heldUntil : Infinity, until ?? Infinity);
}

function open(rows: Rows, debit: Debit, { lineage, keepUntil }: Commit): void {
  let account = rows.accounts.get(debit.account);
  if (account === undefined) rows.accounts.set(debit.account, (account = { spent: 0, open: new Set(), due: Infinity, lineage, keepUntil }));
  account.lineage = lineage;
  account.keepUntil = Math.max(account.keepUntil, keepUntil);
  account.spent += debit.amount;
  account.open.add(debit);
  account.due = Math.min(account.due, dueOf(debit));
  debit.call?.debits.add(debit);
}

/** Ends what a call holds; `amount` of it stays spent. What counts for ever needs no entry of its own. */
export function close(rows: Rows, debit: Debit, amount: number): void {
  debit.call?.debits.delete(debit);
  debit.call = null;
  const account = rows.accounts.get(debit.account);
  if (account === undefined) return;
  account.spent -= debit.amount - amount;
  debit.amount = amount;
  if (debit.until === null || amount === 0) account.open.delete(debit);
}

function keepLineage(rows: Rows, id: string, keepUntil: number): Lineage {
  let lineage = rows.lineages.get(id);
  if (lineage === undefined) rows.lineages.set(id, (lineage = newLineage()));
  lineage.keepUntil = Math.max(lineage.keepUntil, keepUntil);
  return lineage;
}

function newLineage(): Lineage {
  return { keepUntil: 0, calls: 0, toolsUsed: new Set(), previousTool: null, integrity: "trusted", dataClasses: new Set() };
}

export function checkUsed(used: Settlement["used"]): void {
  for (const amount of Object.values(used))
    if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError("what was used must be a whole number of at least 0");
}
