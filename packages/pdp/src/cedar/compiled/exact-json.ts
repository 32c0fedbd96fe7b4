import { policyToJson, type PolicyJson } from "@cedar-policy/cedar-wasm/nodejs";
import { isNode } from "./node.ts";
import { unsupported } from "./unsupported.ts";

/** The first number of sixteen digits: every longer literal gets such a number in its place, so none that is in the JSON was in the text. */
const FIRST = 1_000_000_000_000_000;
const TOKENS = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|[A-Za-z_]\w*|\d{16,}/gs;

/**
 * The JSON form of a policy that has been parsed, with `bigint`s for numbers that leave the safe range: as JSON they would lose digits on the way out of
 * cedar-wasm.
 */
export function exactPolicyJson(text: string): PolicyJson {
  const literals: bigint[] = [];
  const marked = text.replace(TOKENS, (token) => (/^\d/.test(token) ? String(FIRST + literals.push(BigInt(token)) - 1) : token));
  const parsed = policyToJson(marked);
  if (parsed.type === "failure") return unsupported("a policy without a JSON form");
  if (literals.length > 0) restore(parsed.json.conditions, literals);
  return parsed.json;
}

function restore(node: unknown, literals: readonly bigint[]): void {
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Array.isArray(next)) open.push(...(next as unknown[]));
    if (!isNode(next)) continue;
    const value = Object.hasOwn(next, "Value") ? next["Value"] : undefined;
    if (typeof value === "number" && Math.abs(value) >= FIRST)
      (next as Record<string, unknown>)["Value"] = signed(literals[Math.abs(value) - FIRST], value < 0);
    open.push(...Object.values(next).filter((child) => typeof child === "object" && child !== null));
  }
}

function signed(literal: bigint | undefined, isNegative: boolean): number | bigint {
  if (literal === undefined) return unsupported("a number that has lost digits");
  const exact = isNegative ? -literal : literal;
  const near = Number(exact);
  return Number.isSafeInteger(near) ? near : exact;
}
