import { isJsonObject, isPrototypeName, own, type Json, type JsonObject } from "../data/json.ts";
import { isToolId } from "../data/names.ts";

/** What may be spent. Every number is a non-negative safe integer; an absent member is no limit. */
export interface Limits {
  /** Tool calls that ran. */
  readonly calls?: number;
  /** Records that results carried. */
  readonly records?: number;
  /** Minor units by ISO 4217 currency. A map that is there names the only currencies that may be spent; `{}` allows none. */
  readonly money?: { readonly [currency: string]: number };
  /** Calls within any window, by the length of the window in seconds. */
  readonly rate?: { readonly [seconds: string]: number };
}

export interface Budgets extends Limits {
  /** Further limits for single tools. */
  readonly tools?: { readonly [toolId: string]: Limits };
}

/**
 * A budget as a flat list of limits, which is how two of them compare: `calls`, `records`, `money/EUR`, `rate/60`,
 * `tools/tickets.create/calls`.
 */
export type LimitName = string;

const CURRENCY = /^[A-Z]{3}$/;
const SECONDS = /^[1-9][0-9]{0,7}$/;
const isLimit = (value: Json): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

function parseMap(value: Json, isKey: (key: string) => boolean): Readonly<Record<string, number>> | undefined {
  if (!isJsonObject(value)) return undefined;
  const entries = Object.entries(value);
  return entries.every(([key, limit]) => isKey(key) && isLimit(limit)) ? (Object.freeze(Object.fromEntries(entries)) as Record<string, number>) : undefined;
}

function parseLimits(data: JsonObject, path: string, besides?: string): Limits | string {
  const limits: { -readonly [K in keyof Limits]: Limits[K] } = {};
  for (const [member, value] of Object.entries(data)) {
    if (member === besides) continue;
    if (member === "calls" || member === "records") {
      if (!isLimit(value)) return `\`${path}.${member}\` must be a whole number of at least 0`;
      limits[member] = value;
    } else if (member === "money") {
      const money = parseMap(value, (key) => CURRENCY.test(key));
      if (money === undefined) return `\`${path}.money\` must give minor units by currency, as {"EUR": 10000}`;
      limits.money = money;
    } else if (member === "rate") {
      const rate = parseMap(value, (key) => SECONDS.test(key));
      if (rate === undefined) return `\`${path}.rate\` must give calls by seconds, as {"60": 5}`;
      limits.rate = rate;
    } else {
      return `\`${path}\` has the unknown member \`${member}\``;
    }
  }
  return Object.freeze(limits);
}

/** The budgets in `value`, or what is wrong with them. */
export function parseBudgets(value: Json): Budgets | string {
  if (!isJsonObject(value)) return "`budgets` must be an object";
  if (isUnlimited(value)) return UNLIMITED;
  const tools = own(value, "tools");
  const limits = parseLimits(value, "budgets", "tools");
  if (typeof limits === "string" || tools === undefined) return limits;
  if (!isJsonObject(tools)) return "`budgets.tools` must be an object of limits by tool id";
  const perTool: Record<string, Limits> = {};
  for (const [toolId, data] of Object.entries(tools)) {
    if (!isToolId(toolId) || !isJsonObject(data) || isPrototypeName(toolId, data)) return `\`budgets.tools.${toolId}\` must be limits of a tool id`;
    const toolLimits = parseLimits(data, `budgets.tools.${toolId}`);
    if (typeof toolLimits === "string") return toolLimits;
    perTool[toolId] = toolLimits;
  }
  return Object.freeze({ ...limits, tools: Object.freeze(perTool) });
}

/** Every single limit of a budget, by name. */
export function limitsOf(budgets: Budgets): ReadonlyMap<LimitName, number> {
  const found = new Map<LimitName, number>();
  const collect = (limits: Limits, prefix: string): void => {
    if (limits.calls !== undefined) found.set(`${prefix}calls`, limits.calls);
    if (limits.records !== undefined) found.set(`${prefix}records`, limits.records);
    for (const [currency, limit] of Object.entries(limits.money ?? {})) found.set(`${prefix}money/${currency}`, limit);
    for (const [seconds, limit] of Object.entries(limits.rate ?? {})) found.set(`${prefix}rate/${seconds}`, limit);
  };
  collect(budgets, "");
  for (const [toolId, limits] of Object.entries(budgets.tools ?? {})) collect(limits, `tools/${toolId}/`);
  return found;
}

function meetMaps(a: Readonly<Record<string, number>> = {}, b: Readonly<Record<string, number>> = {}): Record<string, number> | undefined {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  if (keys.length === 0) return undefined;
  return Object.fromEntries(
    keys.map((key) => [key, Math.min(Object.hasOwn(a, key) ? (a[key] as number) : Infinity, Object.hasOwn(b, key) ? (b[key] as number) : Infinity)]),
  );
}

/** What only one map names may not be spent under the other, so no limit of it is left. */
function meetMoney(a: Limits["money"], b: Limits["money"]): Limits["money"] {
  if (a === undefined || b === undefined) return a ?? b;
  const common = Object.keys(a).filter((currency) => Object.hasOwn(b, currency));
  return Object.fromEntries(common.sort().map((currency) => [currency, Math.min(a[currency] as number, b[currency] as number)]));
}

function meetLimits(a: Limits, b: Limits): Limits {
  const { calls, records } = meetMaps(pickCounts(a), pickCounts(b)) ?? {};
  const money = meetMoney(a.money, b.money);
  const rate = meetMaps(a.rate, b.rate);
  return Object.freeze({
    ...(calls === undefined ? {} : { calls }),
    ...(records === undefined ? {} : { records }),
    ...(money === undefined ? {} : { money: Object.freeze(money) }),
    ...(rate === undefined ? {} : { rate: Object.freeze(rate) }),
  });
}

function pickCounts(limits: Limits): Record<string, number> {
  return { ...(limits.calls === undefined ? {} : { calls: limits.calls }), ...(limits.records === undefined ? {} : { records: limits.records }) };
}

/** The greatest budgets that are within both. */
export function meetBudgets(a: Budgets, b: Budgets): Budgets {
  if (isUnlimited(a) && isUnlimited(b)) return UNLIMITED;
  const toolIds = [...new Set([...Object.keys(a.tools ?? {}), ...Object.keys(b.tools ?? {})])].sort();
  const limits = meetLimits(a, b);
  if (toolIds.length === 0) return limits;
  const tools = Object.fromEntries(toolIds.map((toolId) => [toolId, meetLimits(ownLimits(a, toolId), ownLimits(b, toolId))]));
  return Object.freeze({ ...limits, tools: Object.freeze(tools) });
}

/** No limits at all. */
export const UNLIMITED: Budgets = Object.freeze({});

export function isUnlimited(budgets: Budgets): boolean {
  return Object.keys(budgets).length === 0;
}

/** The further limits of one tool; none when it has none. */
export function ownLimits(budgets: Budgets, toolId: string): Limits {
  return budgets.tools !== undefined && Object.hasOwn(budgets.tools, toolId) ? (budgets.tools[toolId] as Limits) : {};
}
