import { FAILURES } from "../failure.ts";
import type { IpValue } from "../values.ts";

const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const PREFIX = /^(?:0|[1-9]\d{0,2})$/;

/** Cedar's `ip("10.0.0.0/8")`: an IPv4 or IPv6 address, with or without a prefix. An IPv4 address inside an IPv6 one is none. */
export function ipOf(text: string): IpValue {
  const slash = text.indexOf("/");
  const host = slash === -1 ? text : text.slice(0, slash);
  const bits = host.includes(":") ? 128 : 32;
  const address = bits === 32 ? v4Of(host) : v6Of(host);
  return { kind: "ipaddr", bits, address, prefix: slash === -1 ? bits : prefixOf(text.slice(slash + 1), bits) };
}

function prefixOf(text: string, bits: number): number {
  if (!PREFIX.test(text) || Number(text) > bits) fail();
  return Number(text);
}

function v4Of(text: string): bigint {
  const octets = text.split(".");
  if (octets.length !== 4 || !octets.every((octet) => OCTET.test(octet) && Number(octet) < 256)) fail();
  return octets.reduce((address, octet) => address * 256n + BigInt(octet), 0n);
}

function v6Of(text: string): bigint {
  const [head = "", tail, ...further] = text.split("::");
  if (further.length > 0) fail();
  const [before, after] = [groupsOf(head), tail === undefined ? [] : groupsOf(tail)];
  const missing = 8 - before.length - after.length;
  // `::` stands for one group of zeros at least.
  if (tail === undefined ? missing !== 0 : missing < 1) fail();
  return (numberOf(before) << BigInt(16 * (8 - before.length))) | numberOf(after);
}

function groupsOf(text: string): readonly string[] {
  const groups = text === "" ? [] : text.split(":");
  if (!groups.every((group) => GROUP.test(group))) fail();
  return groups;
}

function numberOf(groups: readonly string[]): bigint {
  return groups.reduce((address, group) => (address << 16n) | BigInt(`0x${group}`), 0n);
}

export function isLoopback({ bits, address, prefix }: IpValue): boolean {
  return bits === 32 ? address >> 24n === 127n && prefix >= 8 : address === 1n && prefix === 128;
}

export function isMulticast({ bits, address, prefix }: IpValue): boolean {
  return bits === 32 ? address >> 28n === 0xen && prefix >= 4 : address >> 120n === 0xffn && prefix >= 8;
}

/** Whether every address of one range is one of the other. */
export function isInRange(inner: IpValue, outer: IpValue): boolean {
  const behind = BigInt(outer.bits - outer.prefix);
  return inner.bits === outer.bits && inner.prefix >= outer.prefix && inner.address >> behind === outer.address >> behind;
}

function fail(): never {
  throw FAILURES.extension;
}
