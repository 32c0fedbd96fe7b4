import { isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import { readTools, type Tools } from "./capability.ts";
import type { Payload } from "./compact.ts";
import type { PublicKey } from "./crypto.ts";
import { readPublicJwk } from "./key.ts";
import type { TokenLimits } from "./limits.ts";

/** The `authorization_details` entry that the draft attenuates. */
export const AAT_ENTRY = "attenuating_agent_token";

/** The longest `jti`: it is part of keys of replay stores. */
export const MOST_ID_LENGTH = 256;

/** The claims of one token, each well-formed by itself. This file alone knows their names on the wire. */
export interface TokenClaims {
  readonly jti: string;
  readonly issuer: string;
  /** Seconds since the epoch, as `expiresAt`. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** `cnf.jwk`: who holds the token, and signs what is derived from it and every call under it. */
  readonly holder: PublicKey;
  readonly audience: readonly string[] | undefined;
  readonly depth: number;
  readonly maxDepth: number;
  readonly parentHash: string | undefined;
  /** The one AAT entry; `undefined` when there is none, which stands for no tools at all. */
  readonly tools: Tools | undefined;
  /** Every `authorization_details` entry as it was signed. Those of other types carry no authority unless a profile says how they attenuate. */
  readonly details: readonly JsonObject[];
  /** Everything as it was signed, unknown claims included; the same holds for them. */
  readonly signed: JsonObject;
}

/** The claim that is not as the draft wants it; where two steps check one claim, what of it. */
export interface ClaimProblem {
  readonly claim: "jti" | "iss" | "iat" | "exp" | "cnf" | "aud" | "del_depth" | "del_max_depth" | "par_hash" | "authorization_details" | "tools" | "constraint";
  readonly reason: string;
}

/** Reads the claims of a token whose signature has verified. Refuses the first that is missing or not of its form; unknown claims are let through. */
export function readClaims(payload: Payload, limits: TokenLimits): TokenClaims | ClaimProblem {
  const { members, integer } = payload;
  const problem = (claim: ClaimProblem["claim"], reason: string): ClaimProblem => ({ claim, reason });

  const [depth, issuedAt, expiresAt, maxDepth] = [integer("del_depth"), integer("iat"), integer("exp"), integer("del_max_depth")];
  if (issuedAt === undefined) return problem("iat", "`iat` is missing or not a whole number of seconds");
  if (expiresAt === undefined) return problem("exp", "`exp` is missing or not a whole number of seconds");
  if (depth === undefined || depth < 0) return problem("del_depth", "`del_depth` is missing or not a non-negative integer");
  const parentHash = own(members, "par_hash");
  if (parentHash !== undefined && typeof parentHash !== "string") return problem("par_hash", "`par_hash` is no text");
  if (maxDepth === undefined || maxDepth < 0) return problem("del_max_depth", "`del_max_depth` is missing or not a non-negative integer");
  const [jti, issuer] = [own(members, "jti"), own(members, "iss")];
  if (typeof jti !== "string" || jti === "" || jti.length > MOST_ID_LENGTH) return problem("jti", "`jti` is missing, empty, too long or no text");
  if (typeof issuer !== "string") return problem("iss", "`iss` is missing or no text");
  const confirmation = own(members, "cnf");
  if (!isJsonObject(confirmation)) return problem("cnf", "`cnf` is missing or no object");
  const holder = readPublicJwk(own(confirmation, "jwk"));
  if (typeof holder === "string") return problem("cnf", `\`cnf.jwk\`: ${holder}`);
  const audience = readAudience(own(members, "aud"));
  if (audience === null) return problem("aud", "`aud` is neither text nor a list of texts");
  const details = own(members, "authorization_details");
  if (!isListOfObjects(details)) return problem("authorization_details", "`authorization_details` is missing or not a list of objects");
  const entries = details.filter((entry) => own(entry, "type") === AAT_ENTRY);
  if (entries.length > 1) return problem("tools", `there is more than one entry of type \`${AAT_ENTRY}\``);
  const tools = entries[0] === undefined ? undefined : readTools(own(entries[0], "tools"), limits);
  if (tools !== undefined && "kind" in tools) return problem(tools.kind === "shape" ? "tools" : "constraint", tools.reason);
  return Object.freeze({ jti, issuer, issuedAt, expiresAt, holder, audience, depth, maxDepth, parentHash, tools, details, signed: members });
}

/** What a token says, before it is signed. */
export interface NewClaims {
  readonly jti: string;
  readonly issuer: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly holder: PublicKey;
  readonly audience?: readonly string[] | undefined;
  readonly depth: number;
  readonly maxDepth: number;
  readonly parentHash?: string | undefined;
  readonly details: readonly JsonObject[];
}

/** The payload of a token, its members in the order of JCS; `readClaims` reads it back. */
export function writeClaims(claims: NewClaims): JsonObject {
  return {
    ...(claims.audience === undefined ? {} : { aud: claims.audience }),
    authorization_details: claims.details,
    cnf: { jwk: claims.holder.jwk },
    del_depth: claims.depth,
    del_max_depth: claims.maxDepth,
    exp: claims.expiresAt,
    iat: claims.issuedAt,
    iss: claims.issuer,
    jti: claims.jti,
    ...(claims.parentHash === undefined ? {} : { par_hash: claims.parentHash }),
  };
}

/**
 * What `readClaims` reads from `writeClaims`, for claims of which every part was looked at where it came from: no audience, a holder that was read, and
 * `tools` as the AAT entry among the details has them. `undefined` where reading them could say anything else.
 */
export function claimsOf(claims: NewClaims & { readonly parentHash: string; readonly audience?: undefined }, tools: Tools): TokenClaims | undefined {
  const { jti, issuer, issuedAt, expiresAt, holder, depth, maxDepth, parentHash, details } = claims;
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (!isCount(depth) || !isCount(maxDepth) || !Number.isSafeInteger(issuedAt) || !Number.isSafeInteger(expiresAt)) return undefined;
  if (typeof parentHash !== "string" || typeof issuer !== "string" || readPublicJwk(holder.jwk) !== holder) return undefined;
  return Object.freeze({
    jti,
    issuer,
    issuedAt,
    expiresAt,
    holder,
    audience: undefined,
    depth,
    maxDepth,
    parentHash,
    tools,
    details,
    signed: writeClaims(claims),
  });
}

/** The entry that `readClaims` takes the tools from. */
export function aatEntry(tools: JsonObject): JsonObject {
  return { tools, type: AAT_ENTRY };
}

/** `null` for an audience that is none (RFC 7519 section 4.1.3). */
function readAudience(value: Json | undefined): readonly string[] | undefined | null {
  if (value === undefined) return undefined;
  const list = Array.isArray(value) ? (value as readonly Json[]) : [value];
  return list.every((audience) => typeof audience === "string") ? (list as readonly string[]) : null;
}

function isListOfObjects(value: Json | undefined): value is readonly JsonObject[] {
  return Array.isArray(value) && (value as readonly Json[]).every((entry) => isJsonObject(entry));
}
