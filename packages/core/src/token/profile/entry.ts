import { copyData, DATA_LIMITS, own, type JsonObject } from "../../data/json.ts";
import { AmbitError } from "../../errors.ts";
import { reachOf, type Envelope } from "../../envelope/envelope.ts";
import type { Order } from "../../envelope/order.ts";
import { purposeLine } from "../../envelope/purposes.ts";
import { readEnvelope, serializeEnvelope } from "../../envelope/wire.ts";
import { NO_TOOLS } from "../capability.ts";
import type { TokenClaims } from "../claims.ts";

/** The type of the second `authorization_details` entry, on every token of our profile. The number is the format's, not a package's. */
export const AMBIT_ENTRY = "urn:ambit:envelope:1";

const PINS = ["vocabulary", "purposes"] as const;

/** The members of an entry that are not the envelope's. */
const OURS: ReadonlySet<string> = new Set(["type", ...PINS]);

/** The entry of an envelope: its wire form, and the digests of what it is compared by; in the order of JCS, so that nothing is left to sort. */
export function writeEntry(envelope: Envelope, order: Order): JsonObject {
  const { resource_constraints, session_id, task_id, tenant_id, ...before } = serializeEnvelope(envelope);
  return {
    ...before,
    purposes: order.purposes.digest,
    resource_constraints,
    session_id,
    task_id,
    tenant_id,
    type: AMBIT_ENTRY,
    vocabulary: order.vocabulary.digest,
  } as JsonObject;
}

/** Whether a token says anything in our profile. */
export function hasEntry(claims: TokenClaims): boolean {
  return claims.details.some((detail) => own(detail, "type") === AMBIT_ENTRY);
}

/**
 * The envelope that a token carries, or why there is none. What the draft's own claims say too (expiry, depth, tools) must be the same: two answers
 * to one question are two policies. `length` is that of the token: of a long one it is counted whether the envelope is too large. `like` is an envelope that
 * was read by the same order, mostly the parent's: what is the same in both is not looked at again.
 */
export function readEntry(claims: TokenClaims, order: Order, length = 0, like?: Envelope): Envelope | string {
  const entries = claims.details.filter((detail) => own(detail, "type") === AMBIT_ENTRY);
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) return `it must have one entry of type \`${AMBIT_ENTRY}\`, and has ${entries.length}`;
  for (const pin of PINS) if (own(entry, pin) !== order[pin].digest) return `it was made for other \`${pin}\` than those here`;
  const envelope = tryRead(entry, order, length > DATA_LIMITS.characters, like);
  if (typeof envelope === "string") return envelope;
  if (purposeLine(order.purposes, envelope.purpose) === undefined) return "its purpose is not in the catalogue";
  if (envelope.expiresAt !== claims.expiresAt * 1000) return "`expires_at` is not `exp`";
  if (envelope.maxDepth !== claims.maxDepth) return "`max_depth` is not `del_max_depth`";
  const [reach, tools] = [reachOf(envelope), claims.tools ?? NO_TOOLS];
  if (reach.length !== tools.size || !reach.every((tool) => tools.has(tool))) return "`tools` are not the tools of the envelope";
  return envelope;
}

function tryRead(entry: JsonObject, { vocabulary }: Order, isLong: boolean, like: Envelope | undefined): Envelope | string {
  try {
    if (isLong) copyData(Object.fromEntries(Object.entries(entry).filter(([member]) => !OURS.has(member))), "envelope_malformed", "the envelope");
    return readEnvelope(entry, vocabulary, OURS, like);
  } catch (error) {
    if (AmbitError.isInstance(error)) return error.message;
    throw error;
  }
}
