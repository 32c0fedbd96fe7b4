import { own, type Json, type JsonObject } from "../../data/json.ts";
import { AmbitError } from "../../errors.ts";
import { reachOf, type Envelope } from "../../envelope/envelope.ts";
import type { Order } from "../../envelope/order.ts";
import { purposeLine } from "../../envelope/purposes.ts";
import { parseEnvelope, serializeEnvelope } from "../../envelope/wire.ts";
import type { TokenClaims } from "../claims.ts";

/** The type of the second `authorization_details` entry, on every token of our profile. The number is the format's, not a package's. */
export const AMBIT_ENTRY = "urn:ambit:envelope:1";

const PINS = ["vocabulary", "purposes"] as const;

/** The entry of an envelope: its wire form, and the digests of what it is compared by. */
export function writeEntry(envelope: Envelope, order: Order): JsonObject {
  return { ...serializeEnvelope(envelope), type: AMBIT_ENTRY, vocabulary: order.vocabulary.digest, purposes: order.purposes.digest };
}

/** Whether a token says anything in our profile. */
export function hasEntry(claims: TokenClaims): boolean {
  return claims.details.some((detail) => own(detail, "type") === AMBIT_ENTRY);
}

/**
 * The envelope that a token carries, or why there is none. What the draft's own claims say too (expiry, depth, tools) must be the same: two answers
 * to one question are two policies.
 */
export function readEntry(claims: TokenClaims, order: Order): Envelope | string {
  const entries = claims.details.filter((detail) => own(detail, "type") === AMBIT_ENTRY);
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) return `it must have one entry of type \`${AMBIT_ENTRY}\`, and has ${entries.length}`;
  const digests: { readonly [pin in (typeof PINS)[number]]: string } = { vocabulary: order.vocabulary.digest, purposes: order.purposes.digest };
  for (const pin of PINS) if (own(entry, pin) !== digests[pin]) return `it was made for other \`${pin}\` than those here`;
  const envelope = tryParse(entry, order);
  if (typeof envelope === "string") return envelope;
  if (purposeLine(order.purposes, envelope.purpose) === undefined) return "its purpose is not in the catalogue";
  if (envelope.expiresAt !== claims.expiresAt * 1000) return "`expires_at` is not `exp`";
  if (envelope.maxDepth !== claims.maxDepth) return "`max_depth` is not `del_max_depth`";
  const [reach, tools] = [reachOf(envelope), [...(claims.tools?.keys() ?? [])].sort()];
  if (reach.length !== tools.length || reach.some((tool, index) => tool !== tools[index])) return "`tools` are not the tools of the envelope";
  return envelope;
}

function tryParse(entry: JsonObject, order: Order): Envelope | string {
  const members = Object.entries(entry).filter(([member]) => member !== "type" && !PINS.some((pin) => pin === member));
  try {
    return parseEnvelope(Object.fromEntries(members) as { readonly [member: string]: Json }, order.vocabulary);
  } catch (error) {
    if (AmbitError.isInstance(error)) return error.message;
    throw error;
  }
}
