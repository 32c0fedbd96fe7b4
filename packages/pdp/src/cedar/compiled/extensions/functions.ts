import { FAILURES } from "../failure.ts";
import { divide } from "../longs.ts";
import type { ExtensionValue, Value } from "../values.ts";
import { decimalOf } from "./decimal.ts";
import { durationOf } from "./duration.ts";
import { ipOf, isInRange, isLoopback, isMulticast } from "./ip.ts";
import { dateOf, durationBetween, momentOf, offsetBy, timeOf } from "./moment.ts";

/** A function of Cedar's extension types, of so many arguments; these are checked for their type inside. */
export interface ExtensionFunction {
  readonly arity: number;
  readonly call: (...values: readonly Value[]) => Value;
}

type Kind = ExtensionValue["kind"];
type OfKind<K extends Kind> = Extract<ExtensionValue, { readonly kind: K }>;

function as<K extends Kind>(kind: K, value: Value | undefined): OfKind<K> {
  if (typeof value !== "object" || value.kind !== kind) throw FAILURES.type;
  return value as OfKind<K>;
}

function text(value: Value | undefined): string {
  if (typeof value !== "string") throw FAILURES.type;
  return value;
}

const ofText = (call: (text: string) => Value): ExtensionFunction => ({ arity: 1, call: (value) => call(text(value)) });
const of = <K extends Kind>(kind: K, call: (value: OfKind<K>) => Value): ExtensionFunction => ({ arity: 1, call: (value) => call(as(kind, value)) });
const ofTwo = <L extends Kind, R extends Kind>(left: L, right: R, call: (left: OfKind<L>, right: OfKind<R>) => Value): ExtensionFunction => ({
  arity: 2,
  call: (one, other) => call(as(left, one), as(right, other)),
});
const inMilliseconds = (unit: number): ExtensionFunction => of("duration", ({ ms }) => divide(ms, unit));

export const EXTENSION_FUNCTIONS: ReadonlyMap<string, ExtensionFunction> = new Map([
  ["decimal", ofText(decimalOf)],
  ["lessThan", ofTwo("decimal", "decimal", (left, right) => left.scaled < right.scaled)],
  ["lessThanOrEqual", ofTwo("decimal", "decimal", (left, right) => left.scaled <= right.scaled)],
  ["greaterThan", ofTwo("decimal", "decimal", (left, right) => left.scaled > right.scaled)],
  ["greaterThanOrEqual", ofTwo("decimal", "decimal", (left, right) => left.scaled >= right.scaled)],
  ["ip", ofText(ipOf)],
  ["isIpv4", of("ipaddr", ({ bits }) => bits === 32)],
  ["isIpv6", of("ipaddr", ({ bits }) => bits === 128)],
  ["isLoopback", of("ipaddr", isLoopback)],
  ["isMulticast", of("ipaddr", isMulticast)],
  ["isInRange", ofTwo("ipaddr", "ipaddr", isInRange)],
  ["datetime", ofText(momentOf)],
  ["offset", ofTwo("datetime", "duration", offsetBy)],
  ["durationSince", ofTwo("datetime", "datetime", durationBetween)],
  ["toDate", of("datetime", dateOf)],
  ["toTime", of("datetime", timeOf)],
  ["duration", ofText(durationOf)],
  ["toMilliseconds", inMilliseconds(1)],
  ["toSeconds", inMilliseconds(1000)],
  ["toMinutes", inMilliseconds(60_000)],
  ["toHours", inMilliseconds(3_600_000)],
  ["toDays", inMilliseconds(86_400_000)],
]);
