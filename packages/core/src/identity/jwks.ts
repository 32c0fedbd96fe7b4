import { fromBase64url } from "#base64url";
import { AmbitError } from "../errors.ts";
import { canonicalJson } from "../data/canonical.ts";
import { isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import { readPublicJwk } from "../token/key.ts";
import { parseJson } from "../token/strict-json.ts";
import type { KeySource, ListedKey } from "./key-source.ts";

/** A JWK Set (RFC 7517 section 5): `jwks`, or the bundle of a SPIFFE trust domain, which says of each key that it is for JWT-SVIDs. */
export type JwksFormat = "jwks" | "spiffe-bundle";

/** A set with more keys is refused: each is a candidate for every token without a `kid`. */
const MOST_KEYS = 100;
const MOST_NAME = 256;

/** Members of private or secret keys (RFC 7518 section 6, RFC 9964). */
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

const RSA_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

interface Kind {
  /** The members of text beside `kty`, and those that are numbers in base64url: what RFC 7638 hashes. */
  readonly names: readonly string[];
  readonly numbers: readonly string[];
  readonly algorithms: readonly string[];
}

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["RSA", { names: [], numbers: ["e", "n"], algorithms: RSA_ALGORITHMS }],
  ["EC P-256", { names: ["crv"], numbers: ["x", "y"], algorithms: ["ES256"] }],
  ["EC P-384", { names: ["crv"], numbers: ["x", "y"], algorithms: ["ES384"] }],
  ["EC P-521", { names: ["crv"], numbers: ["x", "y"], algorithms: ["ES512"] }],
  ["OKP Ed25519", { names: ["crv"], numbers: ["x"], algorithms: ["Ed25519", "EdDSA"] }],
]);

/**
 * Reads a JWK Set that somebody published. Keys that are not for verifying signatures, of unknown kinds, too weak, revoked, or listed with their
 * private part are left out, as RFC 7517 wants of what is not understood; a set that is none is refused as a whole, with the reason as text.
 *
 * Keys that were in `before` and are listed in the same words stay the same objects.
 */
export function readJwks(text: string, format: JwksFormat, before: readonly ListedKey[] = []): readonly ListedKey[] | string {
  const parsed = parseJson(text, { depth: 16, nodes: 10_000, members: 256 });
  if (typeof parsed === "string") return `the key set has ${parsed}`;
  const list = isJsonObject(parsed.value) ? own(parsed.value, "keys") : undefined;
  if (!Array.isArray(list)) return "the key set has no list of `keys`";
  if (list.length > MOST_KEYS) return `the key set has more than ${MOST_KEYS} keys`;
  const known = new Map(before.map((key) => [textOf(key), key]));
  const listed = new Map<string, ListedKey>();
  for (const entry of list as readonly Json[]) {
    const key = readEntry(entry, format);
    if (key === undefined) continue;
    const words = textOf(key);
    listed.set(words, known.get(words) ?? key);
  }
  return Object.freeze([...listed.values()]);
}

/** The keys of a JWK Set that was configured. Throws `option_invalid` for what is none, or one without any usable key. */
export function fixedKeys(jwks: string, format: JwksFormat = "jwks"): KeySource {
  const read = readJwks(jwks, format);
  if (typeof read === "string") throw new AmbitError("option_invalid", read);
  if (read.length === 0) throw new AmbitError("option_invalid", "the key set has no key that signatures can be verified with");
  return Object.freeze({ keys: () => read, ready: async () => undefined });
}

/** The algorithms that a key can verify, whatever a token says. */
export function algorithmsOf({ jwk, alg }: ListedKey): readonly string[] {
  return alg === undefined ? (kindOf(jwk)?.algorithms ?? []) : [alg];
}

/** The entry of a key in a public JWK Set; the validity as OpenID Federation 1.0 writes it (`nbf`, `exp`), which other readers pass over. */
export function writeEntry({ kid, alg, jwk, notBefore, notAfter }: ListedKey): JsonObject {
  return Object.freeze({
    ...jwk,
    use: "sig",
    ...(kid === undefined ? {} : { kid }),
    ...(alg === undefined ? {} : { alg }),
    ...(notBefore === undefined ? {} : { nbf: notBefore }),
    ...(notAfter === undefined ? {} : { exp: notAfter }),
  });
}

function readEntry(entry: Json, format: JwksFormat): ListedKey | undefined {
  if (!isJsonObject(entry)) return undefined;
  // Whoever publishes a private key has lost it. Revoked ones verify nothing, not even what is older: who stole one writes any time.
  if ([...PRIVATE_MEMBERS, "revoked"].some((member) => Object.hasOwn(entry, member))) return undefined;
  const [use, operations, kid, alg] = [own(entry, "use"), own(entry, "key_ops"), own(entry, "kid"), own(entry, "alg")];
  if (format === "jwks" ? use !== undefined && use !== "sig" : use !== "jwt-svid") return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) return undefined;
  if (kid === undefined ? format === "spiffe-bundle" : !isName(kid)) return undefined;
  const kind = kindOf(entry);
  if (kind === undefined || (alg !== undefined && !(typeof alg === "string" && kind.algorithms.includes(alg)))) return undefined;
  const [notBefore, notAfter] = [own(entry, "nbf"), own(entry, "exp")];
  if (![notBefore, notAfter].every((time) => time === undefined || Number.isSafeInteger(time))) return undefined;

  const numbers = kind.numbers.map((member) => bytesOf(own(entry, member)));
  if (numbers.includes(undefined)) return undefined;
  const members = [...kind.names, "kty", ...kind.numbers];
  const jwk: JsonObject = Object.freeze(Object.fromEntries(members.map((member) => [member, own(entry, member) as Json])));
  const isOurs = kind.algorithms.includes("ES256") || kind.algorithms.includes("Ed25519");
  const key = isOurs ? readPublicJwk(jwk) : undefined;
  if (typeof key === "string" || (own(jwk, "kty") === "RSA" && !isStrongRsa(numbers as readonly Uint8Array[]))) return undefined;
  return Object.freeze({ kid, alg, jwk, key, notBefore, notAfter } as ListedKey);
}

function kindOf(jwk: JsonObject): Kind | undefined {
  const [kty, crv] = [own(jwk, "kty"), own(jwk, "crv")];
  if (kty === "RSA") return KINDS.get("RSA");
  return typeof kty === "string" && typeof crv === "string" ? KINDS.get(`${kty} ${crv}`) : undefined;
}

/** At least 2048 bits (RFC 7518 section 3.3), no more than a verifier can bear, and an exponent that signatures cannot be had without the key for. */
function isStrongRsa([exponent, modulus]: readonly Uint8Array[]): boolean {
  const [e, n] = [bigOf(exponent), bigOf(modulus)];
  const bits = n.toString(2).length;
  return bits >= 2048 && bits <= 8192 && n % 2n === 1n && e >= 3n && e < 2n ** 32n && e % 2n === 1n;
}

function bigOf(bytes: Uint8Array = new Uint8Array()): bigint {
  return BigInt(`0x0${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`);
}

function bytesOf(value: Json | undefined): Uint8Array | undefined {
  return typeof value === "string" && value !== "" && value.length <= 2048 ? fromBase64url(value) : undefined;
}

function isName(value: Json): boolean {
  return typeof value === "string" && value !== "" && value.length <= MOST_NAME;
}

/** What is said of a key, as one text. */
function textOf(key: ListedKey): string {
  return canonicalJson(writeEntry(key));
}
