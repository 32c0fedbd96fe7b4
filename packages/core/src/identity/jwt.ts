import { compactVerify } from "jose";
import { fromBase64url, fromUtf8 } from "#base64url";
import { isJsonObject, own, type JsonObject } from "../data/json.ts";
import { readPayload, type Payload } from "../token/compact.ts";
import { sha256 } from "../token/crypto.ts";
import { quoted } from "../token/reason.ts";
import { parseJson } from "../token/strict-json.ts";
import { algorithmsOf } from "./jwks.ts";
import type { KeySource, ListedKey } from "./key-source.ts";
import { proofRefused, type ProofRefused } from "./proof-refusal.ts";

/** A JWT, taken apart. Nothing that it says counts before `signerOf` has found who signed it. */
export interface Jwt {
  readonly text: string;
  readonly alg: string;
  readonly kid: string | undefined;
  readonly typ: string | undefined;
  readonly header: JsonObject;
  readonly payload: Payload;
  /** SHA-256 of what is signed: the same for every spelling of one signature. */
  readonly digest: string;
}

/** The last second of the year 9999: what comes later is no time but a mistake, and leaves the safe integers as milliseconds. */
const LAST_TIME = 253_402_300_799;

/** How far the clock of an issuer may be ahead of ours, seconds. */
const SKEW = 30;

/** The largest JWT that is read, characters. */
const MOST_CHARACTERS = 16_384;

/**
 * Takes a compact JWT apart and reads it as strictly as our own tokens; refuses with the reason as text: JSON with a repeated member, base64url that is not
 * canonical, `crit`, a token that is larger than 16 KiB.
 */
export function readJwt(text: unknown): Jwt | string {
  if (typeof text !== "string") return "the token is not text";
  if (text.length > MOST_CHARACTERS) return `the token is larger than ${MOST_CHARACTERS} characters`;
  const parts = text.split(".", 4);
  const [head, body, signature] = parts.map(fromBase64url);
  if (parts.length !== 3 || head === undefined || body === undefined || signature === undefined) {
    return "the token is not a compact JWS of three parts in canonical base64url";
  }
  const headText = fromUtf8(head);
  const parsed = headText === undefined ? "bytes that are not UTF-8" : parseJson(headText, { depth: 16, nodes: 256, members: 64 });
  if (typeof parsed === "string") return `the header has ${parsed}`;
  const header = parsed.value;
  if (!isJsonObject(header)) return "the header is not an object";
  const [alg, kid, typ] = [own(header, "alg"), own(header, "kid"), own(header, "typ")];
  if (typeof alg !== "string") return "`alg` is missing or no text";
  if ((kid !== undefined && typeof kid !== "string") || (typ !== undefined && typeof typ !== "string")) return "`kid` or `typ` is no text";
  if (Object.hasOwn(header, "crit") || Object.hasOwn(header, "b64")) return "`crit` lists extensions that are not understood";
  const payload = readPayload(Buffer.from(body));
  if (typeof payload === "string") return payload;
  return { text, alg, kid, typ, header, payload, digest: sha256(text.slice(0, text.lastIndexOf("."))) };
}

/** The listed key that signed the token. Members of the header that would supply a key (`jwk`, `jku`, `x5c`, `x5u`) are ignored. */
export async function signerOf(jwt: Jwt, source: KeySource, algorithms: readonly string[]): Promise<ListedKey | ProofRefused> {
  const { alg, kid, text } = jwt;
  if (!algorithms.includes(alg)) return proofRefused("proof_invalid", `\`alg\` ${quoted(alg)} is not one that this issuer signs with`);
  const fitting = (): readonly ListedKey[] => source.keys().filter((key) => (kid === undefined || key.kid === kid) && algorithmsOf(key).includes(alg));
  let keys: readonly ListedKey[];
  try {
    await source.ready();
    keys = fitting();
    if (keys.length === 0 && kid !== undefined) {
      await source.ready(kid);
      keys = fitting();
    }
  } catch {
    return proofRefused("state_unavailable", "the keys of the issuer cannot be known"); // INVARIANT I8
  }
  if (kid === undefined && keys.length > 1) return proofRefused("proof_invalid", "the token does not say which key of its issuer it is signed with");
  for (const key of keys) if (await isSignedBy(text, key, alg)) return key;
  return proofRefused("proof_invalid", "no key of the issuer has signed the token");
}

export interface JwtTimes {
  /** Seconds since the epoch, as `expiresAt`. */
  readonly issuedAt: number | undefined;
  readonly expiresAt: number;
}

/** `exp`, `nbf` and `iat` against the clock (`now`, seconds), the time of the key that signed, and the age that the issuer's entry allows. */
export function readTimes({ payload }: Jwt, key: ListedKey, now: number, maxAge: number | undefined): JwtTimes | ProofRefused {
  const [expiresAt, notBefore, issuedAt] = [timeOf(payload, "exp"), timeOf(payload, "nbf"), timeOf(payload, "iat")];
  if (expiresAt === undefined || expiresAt === null) return proofRefused("proof_invalid", "`exp` is missing or no time");
  if (notBefore === null || issuedAt === null) return proofRefused("proof_invalid", "`nbf` or `iat` is no time");
  if (!(expiresAt > now)) return proofRefused("proof_expired", "the token has expired");
  if (issuedAt !== undefined && !(issuedAt <= now + SKEW)) return proofRefused("proof_invalid", "the token is from the future");
  if (notBefore !== undefined && !(notBefore <= now + SKEW)) return proofRefused("proof_invalid", "the token is not valid yet");
  if (issuedAt !== undefined && !(expiresAt > issuedAt)) return proofRefused("proof_invalid", "the token expires before it was issued");
  if (maxAge !== undefined && issuedAt === undefined) return proofRefused("proof_invalid", "the token does not say when it was issued");
  if (maxAge !== undefined && !(now - (issuedAt ?? Number.NaN) <= maxAge)) return proofRefused("proof_expired", `the token is older than ${maxAge} seconds`);
  // A token that does not say when it was issued could have been issued just now.
  const signedAt = issuedAt ?? now;
  const isInTime = (key.notBefore === undefined || signedAt >= key.notBefore) && (key.notAfter === undefined || signedAt <= key.notAfter);
  if (!isInTime) return proofRefused("proof_invalid", "the key did not sign for its issuer when the token was issued");
  return { issuedAt, expiresAt };
}

/** A member that is a time in seconds, not in the future; `null` for one that is no such thing. */
export function pastTimeOf({ payload }: Jwt, member: string, now: number): number | undefined | null {
  const time = timeOf(payload, member);
  return typeof time === "number" && !(time <= now + SKEW) ? null : time;
}

/** The values of `aud` (RFC 7519 section 4.1.3), or `undefined` for what is none. */
export function audienceOf({ payload }: Jwt): readonly string[] | undefined {
  const value = own(payload.members, "aud");
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.length > 0 && list.every((audience) => typeof audience === "string") ? list : undefined;
}

/** A member that is text, and not empty. */
export function textOf({ payload }: Jwt, member: string): string | undefined {
  const value = own(payload.members, member);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** `undefined` when it is absent, `null` when it is no whole number of seconds of our era. */
function timeOf({ members, integer }: Payload, member: string): number | undefined | null {
  if (!Object.hasOwn(members, member)) return undefined;
  const value = integer(member);
  return value !== undefined && value >= 0 && value <= LAST_TIME ? value : null;
}

async function isSignedBy(text: string, key: ListedKey, alg: string): Promise<boolean> {
  try {
    await compactVerify(text, key.jwk as Parameters<typeof compactVerify>[1], { algorithms: [alg] });
    return true;
  } catch {
    return false; // INVARIANT I8: whatever went wrong, nobody has shown who signed it
  }
}
