import { bytesToBase64url, toBase64url } from "#base64url";
import { AmbitError } from "../errors.ts";
import { canonicalJson } from "../data/canonical.ts";
import { own, type Json, type JsonObject } from "../data/json.ts";
import { ANY_ARGUMENTS, firstWidening, NO_TOOLS, type ArgumentMap } from "./capability.ts";
import { AAT_ENTRY, aatEntry, claimsOf, readClaims, writeClaims, type NewClaims, type TokenClaims } from "./claims.ts";
import { encodedHeader, payloadOf, readCompact, readPayload } from "./compact.ts";
import { freshId, sha256, type PublicKey } from "./crypto.ts";
import { expressUnder } from "./express-under.ts";
import { thumbprintUri, type SigningKey } from "./key.ts";
import { tokenLimits, type TokenLimits } from "./limits.ts";

/** A chain as its holder keeps it: enough to present it and to derive from it, nothing of it verified. */
export interface HeldChain {
  /** From the root to the leaf. */
  readonly tokens: readonly string[];
  readonly leaf: { readonly hash: string; readonly claims: TokenClaims };
}

interface NewToken {
  /** The next holder. Across a process or trust boundary never the key that signs: it could present the parent as well. */
  readonly holder: PublicKey;
  /** `authorization_details` entries of other types, for a profile. */
  readonly otherDetails?: readonly JsonObject[];
  /** The verifiers that it may be shown to, if they are known. */
  readonly audience?: readonly string[] | undefined;
  /** How deep it may be handed on, counted from the root. */
  readonly maxDepth?: number;
  /** Seconds since the epoch. */
  readonly expiresAt?: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly limits?: Partial<TokenLimits>;
}

export interface NewRoot extends NewToken {
  /** The name that verifiers have for the signing key. */
  readonly issuer: string;
  /** Tool ids and their constraint maps, as on the wire. `{}` lets any arguments through. */
  readonly tools: JsonObject;
  readonly maxDepth: number;
  readonly expiresAt: number;
}

export interface NewChild extends NewToken {
  /** Tool ids and their constraint maps, as on the wire. @defaultValue those of the parent */
  readonly tools?: JsonObject;
}

/**
 * Issues a root: who may ask for what is decided by the caller, before.
 * Throws `envelope_malformed` for claims that no verifier would take, `depth_exceeded` for a depth over the limits.
 */
export async function issueRoot(root: NewRoot, key: SigningKey): Promise<HeldChain> {
  const limits = tokenLimits(root.limits);
  if (root.maxDepth > limits.delegationDepth) throw new AmbitError("depth_exceeded", `\`maxDepth\` is above ${limits.delegationDepth}`);
  const issuedAt = Math.floor(root.now / 1000);
  if (root.expiresAt > issuedAt + limits.tokenLifetime)
    throw new AmbitError("envelope_malformed", `\`expiresAt\` is more than ${limits.tokenLifetime} seconds away`);
  if (root.expiresAt <= issuedAt) throw new AmbitError("envelope_expired", "the root would expire before it is issued");
  const payload = writeClaims({
    jti: freshId(root.now),
    issuer: root.issuer,
    issuedAt,
    expiresAt: root.expiresAt,
    holder: root.holder,
    audience: root.audience,
    depth: 0,
    maxDepth: root.maxDepth,
    details: [aatEntry(root.tools), ...(root.otherDetails ?? [])],
  });
  return signed([], wellFormed(payload, limits), key, limits);
}

/**
 * Derives a child offline, signed by the holder of the parent. Constraints that are narrower but not in a form that shows it are put into one.
 *
 * Throws `holder_mismatch` for another key than the holder's, `depth_exceeded` when the parent may not be handed on, `not_narrower` for whatever
 * the parent does not have (INVARIANT I2), `envelope_expired` for an end before its beginning, `envelope_malformed` for claims that no verifier would take.
 */
export async function deriveToken(parent: HeldChain, child: NewChild, key: SigningKey): Promise<HeldChain> {
  const limits = tokenLimits(child.limits);
  const above = parent.leaf.claims;
  const link = linkOf(parent, child, key);
  const write = (tools: JsonObject): JsonObject =>
    writeClaims({ ...link, audience: child.audience, details: [aatEntry(tools), ...(child.otherDetails ?? [])] });
  const allowed = above.tools ?? NO_TOOLS;
  const wanted = child.tools ?? wireToolsOf(above);
  let form = wellFormed(write(wanted), limits);
  let widening = firstWidening(allowed, form.claims.tools ?? NO_TOOLS);
  if (widening !== undefined) {
    form = wellFormed(write(expressUnder(allowed, wanted, limits)), limits);
    widening = firstWidening(allowed, form.claims.tools ?? NO_TOOLS);
  }
  if (widening !== undefined) throw new AmbitError("not_narrower", `the child may not have ${widening.what}: the parent ${widening.instead.text}`);
  return signed(parent.tokens, form, key, limits);
}

/** A child of which a profile has made every part. */
export interface ProfileChild extends Pick<NewChild, "holder" | "maxDepth" | "expiresAt" | "now"> {
  /** Tool ids, sorted and unique, each with any arguments. */
  readonly reach: readonly string[];
  /** The entry of the profile: plain, within its limits, its members in the order of JCS. */
  readonly entry: JsonObject;
}

/**
 * `deriveToken` of what need not be read back to know what a verifier will read; `undefined` where that would have to be seen. Throws what `deriveToken` throws of
 * the key, the depth and the times.
 */
export function deriveProfiled(parent: HeldChain, child: ProfileChild, key: SigningKey): Promise<HeldChain> | undefined {
  const limits = tokenLimits();
  const above = parent.leaf.claims.tools ?? NO_TOOLS;
  if (child.reach.length > limits.tools) return undefined;
  const tools = new Map<string, ArgumentMap>();
  const entries: Record<string, JsonObject> = {};
  for (const id of child.reach) {
    // Whatever the parent does not let through in the same way is looked at argument by argument; names of digits would not stay in their order.
    if (above.get(id) !== ANY_ARGUMENTS || id === "__proto__" || (id >= "0" && id < ":")) return undefined;
    tools.set(id, ANY_ARGUMENTS);
    entries[id] = ANYTHING;
  }
  const claims = claimsOf({ ...linkOf(parent, child, key), details: [aatEntry(entries), child.entry] }, tools);
  const text = claims === undefined || hasOwnText() ? undefined : JSON.stringify(claims.signed);
  // A backslash may stand for something that no text may have.
  if (claims === undefined || text === undefined || text.includes("\\")) return undefined;
  return signed(parent.tokens, { text, claims }, key, limits);
}

const ANYTHING: JsonObject = Object.freeze({});

/** The claims that make a child one of its parent. Throws where there can be none. */
function linkOf(parent: HeldChain, child: Pick<NewChild, "holder" | "maxDepth" | "expiresAt" | "now">, key: SigningKey): Link {
  const above = parent.leaf.claims;
  if (key.public.thumbprint !== above.holder.thumbprint) throw new AmbitError("holder_mismatch", "the key is not that of the parent's holder");
  const [depth, maxDepth, expiresAt] = [above.depth + 1, child.maxDepth ?? above.maxDepth, child.expiresAt ?? above.expiresAt];
  if (depth > above.maxDepth || maxDepth < depth)
    throw new AmbitError("depth_exceeded", `a child would be at depth ${depth} of ${Math.min(maxDepth, above.maxDepth)}`);
  if (maxDepth > above.maxDepth) throw new AmbitError("not_narrower", `\`maxDepth\` is above ${above.maxDepth}`);
  if (expiresAt > above.expiresAt) throw new AmbitError("not_narrower", "`expiresAt` is after that of the parent"); // INVARIANT I7
  const issuedAt = Math.max(Math.floor(child.now / 1000), above.issuedAt);
  if (expiresAt <= issuedAt) throw new AmbitError("envelope_expired", "the child would expire before it is issued");
  const issuer = thumbprintUri(key.public);
  return { jti: freshId(child.now), issuer, issuedAt, expiresAt, holder: child.holder, depth, maxDepth, parentHash: parent.leaf.hash };
}

type Link = Omit<NewClaims, "details" | "audience" | "parentHash"> & { readonly parentHash: string };

/**
 * What somebody was given as the holder of it, to present it or derive from it. Nothing is verified but that its leaf can be read: a verifier does the rest.
 * Throws `envelope_malformed` for a leaf that cannot be read.
 */
export function holdChain(tokens: readonly string[], limits?: Partial<TokenLimits>): HeldChain {
  const all = tokenLimits(limits);
  const jws = readCompact(tokens.at(-1), "aat+jwt", all.tokenBytes);
  if (typeof jws === "string") throw new AmbitError("envelope_malformed", jws);
  const payload = readPayload(jws.payload);
  if (typeof payload === "string") throw new AmbitError("envelope_malformed", payload);
  const claims = readClaims(payload, all);
  if ("claim" in claims) throw new AmbitError("envelope_malformed", claims.reason);
  return held([...tokens], sha256(jws.signingInput), claims);
}

/** A payload as it will be signed, and its claims as a verifier will read them. */
interface WellFormed {
  readonly text: string;
  readonly claims: TokenClaims;
}

function wellFormed(payload: JsonObject, limits: TokenLimits): WellFormed {
  const [text, members] = written(payload);
  // What a string must not have is written with a backslash; so are things that it may have.
  if (text.includes("\\") && !hasPlainTexts(members)) throw notPlain();
  const claims = readClaims(payloadOf(members), limits);
  if ("claim" in claims) throw new AmbitError("envelope_malformed", claims.reason);
  return { text, claims };
}

async function signed(parents: readonly string[], { text, claims }: WellFormed, key: SigningKey, limits: TokenLimits): Promise<HeldChain> {
  const signingInput = `${encodedHeader(key.public.algorithm, "aat+jwt")}.${toBase64url(text)}`;
  const token = `${signingInput}.${bytesToBase64url(await key.sign(signingInput))}`;
  if (token.length > limits.tokenBytes) throw new AmbitError("envelope_malformed", `the token is larger than ${limits.tokenBytes} bytes`);
  return held([...parents, token], sha256(signingInput), claims);
}

function held(tokens: string[], hash: string, claims: TokenClaims): HeldChain {
  return Object.freeze({ tokens: Object.freeze(tokens), leaf: Object.freeze({ hash, claims }) });
}

function wireToolsOf(claims: TokenClaims): JsonObject {
  const entry = claims.details.find((detail) => own(detail, "type") === AAT_ENTRY);
  return (entry === undefined ? {} : (own(entry, "tools") as Json)) as JsonObject;
}

function notPlain(): AmbitError {
  return new AmbitError("envelope_malformed", "the claims are not plain data");
}

/** The canonical text, and the members in its order, so that what is derived from them need not be put into it again. Throws for what JSON cannot say as it is. */
function written(payload: JsonObject): readonly [text: string, members: JsonObject] {
  const names = { areInOrder: !hasOwnText() };
  if (!isPlain(payload, names)) throw notPlain();
  if (names.areInOrder) return [JSON.stringify(payload), payload];
  const text = canonicalJson(payload);
  return [text, JSON.parse(text) as JsonObject];
}

/** Whether every list and object would be asked for its text: with a `toJSON` in their prototypes, `JSON.stringify` would write other values. */
function hasOwnText(): boolean {
  return (NOTHING as { readonly toJSON?: unknown }).toJSON !== undefined;
}

const NOTHING: readonly unknown[] = Object.freeze([]);

/**
 * Whether JSON can say it as it is, but for its texts. A `Map` would become `{}`, which lets everything through; NaN would become null.
 * Notes when members do not stand in the order of JCS, so that nothing has to be looked at a second time.
 */
function isPlain(value: unknown, names: { areInOrder: boolean }): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object") return typeof value === "string" || typeof value === "boolean";
  if (value === null) return true;
  if (Array.isArray(value)) {
    for (const element of value as readonly unknown[]) if (!isPlain(element, names)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return false;
  let before: string | undefined;
  for (const name of Object.keys(value)) {
    if (before !== undefined && before >= name) names.areInOrder = false;
    if (!isPlain((value as Readonly<Record<string, unknown>>)[name], names)) return false;
    before = name;
  }
  return true;
}

function hasPlainTexts(value: Json): boolean {
  if (typeof value === "string") return value.isWellFormed() && !value.includes("\0");
  return typeof value !== "object" || value === null || Object.entries(value).every(([name, member]) => hasPlainTexts(name) && hasPlainTexts(member as Json));
}
