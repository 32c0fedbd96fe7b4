import { AmbitError, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { AMBIT_ENTRY, holdChain, thumbprintUri, type TokenClaims } from "@ambit/core/token";

/** One token of a chain as it says of itself: who gave what to whom. Nothing of it is verified. */
export interface Hop {
  readonly index: number;
  readonly claims: TokenClaims;
  /** The envelope that the token carries in our profile, as it was written; absent in chains of the draft alone. */
  readonly envelope: JsonObject | undefined;
  /** Who gives: the root's issuer, or the holder of the token before. */
  readonly from: string;
  readonly to: string;
  /** What any reader can see to be wrong. That there is nothing means nothing. */
  readonly flaws: readonly string[];
}

/** A token that cannot be read, and why. */
export interface Unreadable {
  readonly index: number;
  readonly unreadable: string;
}

/** Members of our entry that are no part of the envelope. */
const FRAME = ["type", "vocabulary", "purposes"];

/** Every token of a chain by itself, so that one that is broken does not hide the others. */
export function readHops(tokens: readonly string[]): readonly (Hop | Unreadable)[] {
  const hops: (Hop | Unreadable)[] = [];
  let above: { readonly hop: Hop; readonly hash: string } | undefined;
  for (const [index, token] of tokens.entries()) {
    const leaf = tryRead(token);
    if (typeof leaf === "string") {
      hops.push({ index, unreadable: leaf });
      above = undefined;
      continue;
    }
    const hop = hopOf(index, leaf, above);
    hops.push(hop);
    above = { hop, hash: leaf.hash };
  }
  return hops;
}

/** The last token of a chain that is known to be readable. */
export function leafHop(tokens: readonly string[]): Hop {
  const hop = readHops(tokens).at(-1);
  if (hop === undefined || "unreadable" in hop)
    throw new AmbitError("envelope_malformed", `the last token cannot be read: ${hop?.unreadable ?? "there is none"}`);
  return hop;
}

function tryRead(token: string): { readonly hash: string; readonly claims: TokenClaims } | string {
  try {
    return holdChain([token]).leaf;
  } catch (error) {
    if (AmbitError.isInstance(error)) return error.message;
    throw error;
  }
}

function hopOf(index: number, { claims }: { readonly claims: TokenClaims }, above: { readonly hop: Hop; readonly hash: string } | undefined): Hop {
  const entries = claims.details.filter((detail) => own(detail, "type") === AMBIT_ENTRY);
  const [entry] = entries;
  const envelope = entry === undefined ? undefined : Object.fromEntries(Object.entries(entry).filter(([member]) => !FRAME.includes(member)));
  const flaws = [
    ...(claims.depth === index ? [] : [`it says that it is at depth ${claims.depth}`]),
    ...(index > 0 && above !== undefined ? linkFlaws(claims, above) : []),
    ...(entries.length > 1 ? [`it has ${entries.length} envelopes`] : []),
    ...(envelope === undefined ? [] : envelopeFlaws(claims, envelope)),
  ];
  const agent = envelope === undefined ? undefined : own(envelope, "agent_id");
  const to = typeof agent === "string" ? agent : `key:${claims.holder.thumbprint}`;
  return { index, claims, envelope, from: above?.hop.to ?? claims.issuer, to, flaws };
}

function linkFlaws(claims: TokenClaims, { hop, hash }: { readonly hop: Hop; readonly hash: string }): readonly string[] {
  return [
    ...(claims.issuer === thumbprintUri(hop.claims.holder) ? [] : ["its issuer is not the key that holds the token before"]),
    ...(claims.parentHash === hash ? [] : ["it was not derived from the token before"]),
  ];
}

/** Where the two entries of a token say different things, so that a reader of one is not taken in. */
function envelopeFlaws(claims: TokenClaims, envelope: JsonObject): readonly string[] {
  const expiry = own(envelope, "expires_at");
  const denied = new Set(textsOf(envelope, "denied_tools"));
  const reach = new Set([...textsOf(envelope, "allowed_tools"), ...textsOf(envelope, "may_delegate")].filter((tool) => !denied.has(tool)));
  const tools = [...(claims.tools?.keys() ?? [])];
  const isSameReach = tools.length === reach.size && tools.every((tool) => reach.has(tool));
  return [
    ...(typeof expiry === "string" && Date.parse(expiry) === claims.expiresAt * 1000 ? [] : ["`expires_at` of its envelope is not `exp`"]),
    ...(own(envelope, "max_depth") === claims.maxDepth ? [] : ["`max_depth` of its envelope is not `del_max_depth`"]),
    ...(isSameReach ? [] : ["the tools of its envelope are not those of the draft's own entry"]),
  ];
}

/** The texts of a list, however it came. */
export function textsOf(object: JsonObject | undefined, member: string): readonly string[] {
  const value: Json | undefined = object === undefined ? undefined : own(object, member);
  return Array.isArray(value) ? (value as readonly Json[]).filter((element) => typeof element === "string") : [];
}

/** The constraints that an envelope or its budgets state, by path; limits of tools one level further down. */
export function flatten(object: Json | undefined, path = ""): ReadonlyMap<string, Json> {
  const found = new Map<string, Json>();
  if (!isJsonObject(object)) return found;
  for (const [member, value] of Object.entries(object)) {
    const name = path === "" ? member : `${path}/${member}`;
    if (isJsonObject(value) && Object.keys(value).length > 0) for (const [inner, innerValue] of flatten(value, name)) found.set(inner, innerValue);
    else found.set(name, value);
  }
  return found;
}
