import { isJsonObject, own } from "../data/json.ts";
import { isObserved, keyOf, textAt, verdictOf } from "./details.ts";
import { createGrantUse, type GrantUse } from "./grant-use.ts";
import { createHistory } from "./history.ts";
import type { LogRecord } from "./record.ts";
import { refusalFacts, type RefusalFacts } from "./refusal-facts.ts";
import { smallestChange } from "./smallest-change.ts";

export interface Counts {
  readonly permitted: number;
  readonly denied: number;
  /** Waited for an approval. */
  readonly approvals: number;
  /** Ran although they were not permitted, because nothing was enforced. */
  readonly observed: number;
}

export interface TaskCounts extends Counts {
  readonly tenant: string;
  readonly lineage: string;
  readonly task: string;
  readonly delegator: string | undefined;
  readonly purpose: string | undefined;
}

export interface NamedCounts extends Counts {
  readonly name: string;
}

/** Refusals of one code. */
export interface RefusalCount {
  readonly code: string;
  readonly count: number;
  readonly tools: readonly string[];
  /** A decision to ask `why` about. */
  readonly example: string;
}

/** What would have been refused of one tool, for one reason, had it been enforced. */
export interface WouldBeDenied {
  readonly code: string;
  readonly tool: string;
  readonly count: number;
  readonly agents: readonly string[];
  readonly example: string;
  /** What makes these calls legal, most needed first. */
  readonly changes: readonly { readonly change: string; readonly count: number; readonly example: string }[];
  /** Calls whose change is not listed, because there are too many different ones or the code is not known. */
  readonly others: number;
}

/** What a log says, in figures. Names are those of the log, which may be hostile. */
export interface LogReport {
  readonly records: number;
  /** ISO 8601; absent when there are no records. */
  readonly from?: string;
  readonly until?: string;
  /** Policies that decisions were taken by. */
  readonly policyDigests: readonly string[];
  /** Of calls; beginnings and hand-offs are counted by `refusals` alone. */
  readonly calls: Counts;
  readonly tasks: readonly TaskCounts[];
  readonly agents: readonly NamedCounts[];
  readonly tools: readonly NamedCounts[];
  /** What was refused, by code, most frequent first; what was only observed is in `wouldBeDenied`. */
  readonly refusals: readonly RefusalCount[];
  readonly wouldBeDenied: readonly WouldBeDenied[];
  readonly granted: readonly GrantUse[];
}

type Tally = { -readonly [name in keyof Counts]: number };

const MOST_CHANGES = 5;

/** Reads the records of a log once, in their order. */
export function reportOf(records: readonly LogRecord[]): LogReport {
  const history = createHistory();
  const use = createGrantUse(history);
  const calls = emptyTally();
  const tasks = new Map<string, Tally & Omit<TaskCounts, keyof Counts>>();
  const [agents, tools] = [new Map<string, Tally>(), new Map<string, Tally>()];
  const digests = new Set<string>();
  const refusals = new Map<string, { count: number; tools: Set<string>; example: string }>();
  const observed = new Map<string, Observed>();

  const countCall = (record: LogRecord): void => {
    const { tenant, lineage, task, agent, details } = record;
    const member = tallyOf(record);
    const key = keyOf(tenant, lineage, task);
    const { delegator, chain } = tasks.has(key) ? { delegator: undefined, chain: [] } : history.ancestryOf(tenant, record.envelope);
    const taskTally = entryOf(tasks, key, () => ({ ...emptyTally(), tenant, lineage, task, delegator, purpose: chain[0]?.purpose }));
    const named = [entryOf(agents, agent, emptyTally), entryOf(tools, textAt(details, "tool") ?? "unknown", emptyTally)];
    for (const tally of [calls, taskTally, ...named]) tally[member] += 1;
    const digest = textAt(details, "policy_digest");
    if (digest !== undefined) digests.add(digest);
  };

  const countRefusal = (record: LogRecord, { code, tool }: RefusalFacts): void => {
    const entry = entryOf(refusals, code, () => ({ count: 0, tools: new Set<string>(), example: record.decision_id }));
    entry.count += 1;
    if (tool !== undefined && record.kind === "decision") entry.tools.add(tool);
  };

  /** Refusals that the log has only the count of. */
  const countSummary = ({ details, decision_id: example }: LogRecord): void => {
    const codes = own(details, "codes");
    if (codes === undefined || !isJsonObject(codes)) return;
    for (const [code, count] of Object.entries(codes))
      if (typeof count === "number") entryOf(refusals, code, () => ({ count: 0, tools: new Set<string>(), example })).count += count;
  };

  for (const record of records) {
    if (record.kind === "decision") countCall(record);
    if (record.kind === "refusals") countSummary(record);
    const facts = refusalFacts(record, history);
    if (facts !== undefined && isObserved(record)) observe(observed, record, facts);
    else if (facts !== undefined) countRefusal(record, facts);
    use.add(record);
    history.add(record);
  }
  const [first, last] = [records[0], records.at(-1)];
  return {
    records: records.length,
    ...(first === undefined || last === undefined ? {} : { from: first.ts, until: last.ts }),
    policyDigests: [...digests],
    calls,
    tasks: sorted([...tasks.values()], total, ({ task }) => task),
    agents: named(agents),
    tools: named(tools),
    refusals: sorted(
      [...refusals].map(([code, { count, tools: some, example }]) => ({ code, count, tools: [...some].sort(), example })),
      ({ count }) => count,
      ({ code }) => code,
    ),
    wouldBeDenied: sorted(
      [...observed.values()].map(summary),
      ({ count }) => count,
      ({ code, tool }) => `${code} ${tool}`,
    ),
    granted: use.result(),
  };
}

interface Observed {
  readonly code: string;
  readonly tool: string;
  count: number;
  readonly agents: Set<string>;
  readonly example: string;
  readonly changes: Map<string, { count: number; readonly example: string }>;
  others: number;
}

function observe(observed: Map<string, Observed>, record: LogRecord, facts: RefusalFacts): void {
  const { code, tool = "unknown" } = facts;
  const example = record.decision_id;
  const entry = entryOf(observed, JSON.stringify([code, tool]), () => ({
    code,
    tool,
    count: 0,
    agents: new Set<string>(),
    example,
    changes: new Map(),
    others: 0,
  }));
  entry.count += 1;
  entry.agents.add(record.agent);
  // One request is nothing to go by once it has expired.
  const change = smallestChange({ ...facts, approvals: undefined });
  if (change === undefined || (entry.changes.size >= MOST_CHANGES && !entry.changes.has(change))) entry.others += 1;
  else entryOf(entry.changes, change, () => ({ count: 0, example })).count += 1;
}

function summary({ agents, changes, ...entry }: Observed): WouldBeDenied {
  const listed = sorted(
    [...changes].map(([change, of]) => ({ change, ...of })),
    ({ count }) => count,
    ({ change }) => change,
  );
  return { ...entry, agents: [...agents].sort(), changes: listed };
}

function tallyOf(record: LogRecord): keyof Tally {
  const verdict = verdictOf(record);
  if (verdict === "permit") return "permitted";
  if (isObserved(record)) return "observed";
  return verdict === "deny" ? "denied" : "approvals";
}

function emptyTally(): Tally {
  return { permitted: 0, denied: 0, approvals: 0, observed: 0 };
}

function entryOf<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const created = create();
  map.set(key, created);
  return created;
}

function total({ permitted, denied, approvals, observed }: Counts): number {
  return permitted + denied + approvals + observed;
}

function named(map: ReadonlyMap<string, Counts>): readonly NamedCounts[] {
  return sorted(
    [...map].map(([name, counts]) => ({ name, ...counts })),
    total,
    ({ name }) => name,
  );
}

/** By a figure, largest first, then by name, so that the same log gives the same report. */
function sorted<Entry>(entries: readonly Entry[], figure: (entry: Entry) => number, name: (entry: Entry) => string): readonly Entry[] {
  return entries.toSorted((a, b) => figure(b) - figure(a) || (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0));
}
