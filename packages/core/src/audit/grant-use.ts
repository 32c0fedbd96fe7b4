import { isJsonObject, own } from "../data/json.ts";
import { keyOf, numberAt, textAt, textsAt, verdictOf } from "./details.ts";
import { issuedBy, type History } from "./history.ts";
import type { LogRecord } from "./record.ts";

/** How a tool that envelopes allow was used. */
export interface ToolUse {
  readonly tool: string;
  /** Envelopes that allow it. */
  readonly granted: number;
  /** Envelopes under which it was called. */
  readonly used: number;
  /** Permitted calls. */
  readonly calls: number;
}

/** What envelopes of one purpose gave an agent, beside what it used of it. */
export interface GrantUse {
  readonly tenant: string;
  readonly purpose: string;
  readonly agent: string;
  readonly envelopes: number;
  readonly tools: readonly ToolUse[];
  /** Tools that no envelope needed: to be left out. */
  readonly neverCalled: readonly string[];
  /** Tools to hand on only, and how many hand-offs took them along. */
  readonly toHandOn: readonly { readonly tool: string; readonly granted: number; readonly handedOn: number }[];
  /** What was reserved of each unit, over all calls. */
  readonly reserved: { readonly [unit: string]: number };
  /** Records that results carried. */
  readonly records: number;
  /** Classes that were read, sorted. */
  readonly dataClasses: readonly string[];
  /** Longest life of an envelope, and longest time from its beginning to its last permitted call, in seconds. */
  readonly life: { readonly granted: number; readonly used: number };
}

interface ToolTally {
  granted: number;
  calls: number;
  readonly envelopes: Set<string>;
}

interface Group {
  readonly tenant: string;
  readonly purpose: string;
  readonly agent: string;
  envelopes: number;
  readonly tools: Map<string, ToolTally>;
  readonly toHandOn: Map<string, { granted: number; handedOn: number }>;
  readonly reserved: Map<string, number>;
  records: number;
  readonly dataClasses: Set<string>;
  granted: number;
  used: number;
}

/** Granted versus used, from records in the order of the log. The history ends before the record that is added. */
export function createGrantUse(history: History): { add(record: LogRecord): void; result(): readonly GrantUse[] } {
  const groups = new Map<string, Group>();

  const groupOf = (tenant: string, purpose: string, agent: string): Group => {
    const key = keyOf(tenant, purpose, agent);
    const found = groups.get(key) ?? emptyGroup(tenant, purpose, agent);
    groups.set(key, found);
    return found;
  };
  const holderOf = ({ tenant, envelope }: LogRecord): { readonly group: Group; readonly issuedAt: string } | undefined => {
    const leaf = history.envelopeOf(tenant, envelope);
    return leaf === undefined ? undefined : { group: groupOf(tenant, leaf.purpose ?? "unknown", leaf.agent), issuedAt: leaf.issuedAt };
  };

  const give = (record: LogRecord): void => {
    const given = issuedBy(record);
    if (given === undefined) return;
    const group = groupOf(record.tenant, given.purpose ?? "unknown", given.agent);
    group.envelopes += 1;
    for (const tool of new Set(given.allowedTools)) toolOf(group, tool).granted += 1;
    for (const tool of new Set(given.mayDelegate)) handOnOf(group, tool).granted += 1;
    group.granted = Math.max(group.granted, secondsBetween(given.issuedAt, given.expiresAt));
    const from = record.kind === "hand_off" ? holderOf(record) : undefined;
    for (const tool of new Set(from === undefined ? [] : given.allowedTools)) {
      const handedOn = from?.group.toHandOn.get(tool);
      if (handedOn !== undefined) handedOn.handedOn += 1;
    }
  };

  const call = (record: LogRecord): void => {
    const holder = verdictOf(record) === "permit" ? holderOf(record) : undefined;
    if (holder === undefined) return;
    const { group, issuedAt } = holder;
    const tool = toolOf(group, textAt(record.details, "tool") ?? "unknown");
    tool.calls += 1;
    tool.envelopes.add(record.envelope);
    group.used = Math.max(group.used, secondsBetween(issuedAt, record.ts));
    const reserved = own(record.details, "reserved");
    if (!isJsonObject(reserved)) return;
    for (const unit of Object.keys(reserved)) group.reserved.set(unit, (group.reserved.get(unit) ?? 0) + (numberAt(reserved, unit) ?? 0));
  };

  const settle = (record: LogRecord): void => {
    const group = holderOf(record)?.group;
    if (group === undefined) return;
    group.records += numberAt(record.details, "records") ?? 0;
    for (const name of textsAt(record.details, "data_classes")) group.dataClasses.add(name);
  };

  return {
    add: (record) => {
      if (record.kind === "decision") call(record);
      else if (record.kind === "outcome") settle(record);
      else give(record);
    },
    result: () => [...groups.values()].map(resultOf),
  };
}

function emptyGroup(tenant: string, purpose: string, agent: string): Group {
  const counts = { envelopes: 0, records: 0, granted: 0, used: 0 };
  return { tenant, purpose, agent, ...counts, tools: new Map(), toHandOn: new Map(), reserved: new Map(), dataClasses: new Set() };
}

function toolOf({ tools }: Group, tool: string): ToolTally {
  const found = tools.get(tool) ?? { granted: 0, calls: 0, envelopes: new Set<string>() };
  tools.set(tool, found);
  return found;
}

function handOnOf({ toHandOn }: Group, tool: string): { granted: number; handedOn: number } {
  const found = toHandOn.get(tool) ?? { granted: 0, handedOn: 0 };
  toHandOn.set(tool, found);
  return found;
}

/** Whole seconds; 0 for what is no time. */
function secondsBetween(from: string, until: string | undefined): number {
  const seconds = Math.floor((Date.parse(until ?? "") - Date.parse(from)) / 1000);
  return seconds > 0 ? seconds : 0;
}

function resultOf({ tools, toHandOn, reserved, dataClasses, granted, used, ...group }: Group): GrantUse {
  const uses = [...tools].map(([tool, { envelopes, ...counts }]) => ({ tool, ...counts, used: envelopes.size }));
  return {
    ...group,
    tools: uses,
    neverCalled: uses.filter(({ calls }) => calls === 0).map(({ tool }) => tool),
    toHandOn: [...toHandOn].map(([tool, counts]) => ({ tool, ...counts })),
    reserved: Object.fromEntries(reserved),
    dataClasses: [...dataClasses].sort(),
    life: { granted, used },
  };
}
