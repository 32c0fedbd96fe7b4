import { fromBase64url } from "#base64url";
import { AmbitError } from "../errors.ts";
import { isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import { isOrdinaryPoint } from "./crypto-ed25519.ts";
import { createLru } from "./lru.ts";
import { generatePrivateJwk, isUsable, sha256, signerOf, verifySignature, type Algorithm, type PrivateJwk, type PublicJwk, type PublicKey } from "./crypto.ts";

/** A key that signs: one of this process, or one in a key store (`sign` may ask elsewhere). */
export interface SigningKey {
  readonly public: PublicKey;
  readonly sign: (text: string) => Promise<Uint8Array>;
}

/** Members of private or secret keys (RFC 7518 section 6). */
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** JWK Thumbprint URI (RFC 9278): how a derived token names its issuer. */
export function thumbprintUri(key: PublicKey): string {
  return `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${key.thumbprint}`;
}

/**
 * Reads a public key, from a `cnf` claim or from configuration. Members that describe the key and do not contradict its use are dropped.
 *
 * Refuses, with the reason as text: private members, other kinds of keys than Ed25519 and P-256, coordinates that are not canonical base64url of
 * 32 bytes, an Ed25519 key of small order (for which anybody can make signatures) or one written above the field's prime, a point that is not on P-256, a key that
 * says it is for something else.
 */
export function readPublicJwk(jwk: Json | undefined): PublicKey | string {
  if (!isJsonObject(jwk)) return "the key is not a JWK object";
  const ours = read.get(jwk);
  if (ours !== undefined) return ours;
  const [kty, crv, x, y] = [own(jwk, "kty"), own(jwk, "crv"), own(jwk, "x"), own(jwk, "y")] as string[];
  const before = typeof x === "string" ? known.get(y === undefined ? x : nameOf(x, y)) : undefined;
  // With its own members and no others it is that key; any other is looked at.
  if (before !== undefined && before.jwk.kty === kty && before.jwk.crv === crv && Object.keys(jwk).length === (y === undefined ? 3 : 4)) return before;
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))) return "the key has a private member";
  const algorithm = kty === "OKP" && crv === "Ed25519" ? "Ed25519" : kty === "EC" && crv === "P-256" ? "ES256" : undefined;
  if (algorithm === undefined) return "the key is neither Ed25519 nor P-256";
  if (isForOtherUse(jwk, algorithm)) return "the key is for something else";
  // The members in the order of RFC 7638; whatever else the JWK has does not go on.
  return keyOf(algorithm, (algorithm === "Ed25519" ? { crv, kty, x } : { crv, kty, x, y }) as PublicJwk);
}

/** The public key of a JWK that somebody configured. Throws `option_invalid` for one that `readPublicJwk` refuses. */
export function publicKey(jwk: Json): PublicKey {
  const key = readPublicJwk(jwk);
  if (typeof key === "string") throw new AmbitError("option_invalid", key);
  return key;
}

/** A new key that cannot be exported: a holder key that lives as long as the process. */
export async function generateKey(algorithm: Algorithm = "Ed25519"): Promise<SigningKey> {
  return signingKey(await generatePrivateJwk(algorithm));
}

/** A key of a private JWK. Throws `option_invalid` for what is no such key, or when its public part belongs to another private part. */
export async function signingKey(jwk: PrivateJwk): Promise<SigningKey> {
  const { d: _, ...rest } = jwk as unknown as { readonly [member: string]: Json };
  const key = publicKey(rest);
  let sign: SigningKey["sign"];
  try {
    sign = await signerOf(key.algorithm, jwk);
  } catch {
    // No cause: the error of the cryptography could quote the key.
    throw new AmbitError("option_invalid", "the key is not a private JWK");
  }
  if (!(await verifySignature(key, "probe", await sign("probe")))) {
    throw new AmbitError("option_invalid", "the public part of the key belongs to another private part");
  }
  return Object.freeze({ public: key, sign });
}

/** Keys that were read before, by their coordinates, so that those in use stay imported. */
const known = createLru<string, PublicKey>(1024);

/** Those keys by the JWK object that they have: it is frozen, so that a token of ours that names such a key need not be asked for it again. */
const read = new WeakMap<object, PublicKey>();

function keyOf(algorithm: Algorithm, jwk: PublicJwk): PublicKey | string {
  const coordinates = jwk.kty === "EC" ? [jwk.x, jwk.y] : [jwk.x];
  const [x, y] = coordinates.map((coordinate) => (typeof coordinate === "string" && coordinate.length === 43 ? fromBase64url(coordinate) : undefined));
  if (x === undefined || (jwk.kty === "EC" && y === undefined)) return "the coordinates are not canonical base64url of 32 bytes";
  if (jwk.kty === "OKP" && !isOrdinaryPoint(x)) return "the key is of small order or not canonical";
  const name = jwk.kty === "EC" ? nameOf(jwk.x, jwk.y) : jwk.x;
  const before = known.get(name);
  if (before !== undefined) return before;
  const key: PublicKey = Object.freeze({ algorithm, jwk: Object.freeze(jwk), thumbprint: sha256(JSON.stringify(jwk)) });
  if (!isUsable(key)) return "the key is not a point on its curve";
  known.set(name, key);
  read.set(key.jwk, key);
  return key;
}

/** No coordinate has a dot in it, so that two names are one only where both coordinates are. */
function nameOf(x: string, y: unknown): string {
  return typeof y === "string" ? `${x}.${y}` : "";
}

function isForOtherUse(jwk: JsonObject, algorithm: Algorithm): boolean {
  const [use, operations, alg] = [own(jwk, "use"), own(jwk, "key_ops"), own(jwk, "alg")];
  if ((use !== undefined && use !== "sig") || (alg !== undefined && alg !== algorithm)) return true;
  return operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"));
}
