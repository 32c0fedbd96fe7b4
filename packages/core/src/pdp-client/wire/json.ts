import type { Json } from "../../data/json.ts";
import { isExact, parseJson } from "../../token/strict-json.ts";

/** A message of the service: as deep and as wide as arguments may be, and what stands around them. */
const LIMITS = { depth: 40, nodes: 40_000, members: 10_000 } as const;

/**
 * The value of a message, or what is wrong with its text. Refuses member names that occur twice, half of a surrogate pair, NUL, numbers that a double cannot
 * hold exactly and text over the limits: two readers must not see two messages.
 */
export function readMessage(text: string): { readonly json: Json } | { readonly problem: string } {
  const parsed = parseJson(text, LIMITS);
  if (typeof parsed === "string") return { problem: `is not strict JSON: ${parsed}` };
  return isExact(parsed.value) ? { json: parsed.value } : { problem: "has a number that cannot be held exactly" };
}
