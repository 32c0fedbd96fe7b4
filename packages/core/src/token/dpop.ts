import { bytesToBase64url, fromBase64url, fromUtf8, toBase64url } from "#base64url";
import { canonicalJson } from "../data/canonical.ts";
import { isJsonObject, own, type JsonObject } from "../data/json.ts";
import { readPayload } from "./compact.ts";
import { freshId, verifySignature, type PublicKey } from "./crypto.ts";
import { readPublicJwk, type SigningKey } from "./key.ts";
import { parseJson } from "./strict-json.ts";

/** What a proof is for: one request. */
interface Requested {
  readonly method: string;
  /** Without query and fragment, compared exactly. */
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const TYPE = "dpop+jwt";
const MOST_CHARACTERS = 4096;
/** Seconds that a proof is good for, and by which the clock of whoever signed it may be ahead. */
const [LIFETIME, SKEW] = [60, 5];

/** Proves possession of a key for exactly one request (RFC 9449): a fresh proof for each, because it is taken only once. */
export async function signDpop({ method, url, now }: Requested, key: SigningKey): Promise<string> {
  const header = { typ: TYPE, alg: key.public.algorithm, jwk: key.public.jwk as unknown as JsonObject };
  const claims = { jti: freshId(now), htm: method, htu: url, iat: Math.floor(now / 1000) };
  const signingInput = `${toBase64url(canonicalJson(header))}.${toBase64url(canonicalJson(claims))}`;
  return `${signingInput}.${bytesToBase64url(await key.sign(signingInput))}`;
}

/**
 * Whose proof this is, where it is one for this request by a key that is known; a reason as text otherwise. `isKnown` is asked with the thumbprint (RFC 7638) of the key in the header, which anybody may write there, before
 * anything is verified. Whoever asks takes each `id` once until `until`, milliseconds since the epoch. A proof for an access token (`ath`) is refused: none is shown.
 */
export async function verifyDpop(
  text: string,
  { method, url, now }: Requested,
  isKnown: (thumbprint: string) => boolean,
): Promise<string | { readonly thumbprint: string; readonly id: string; readonly until: number }> {
  const [head = "", body = "", last = "", ...more] = text.length > MOST_CHARACTERS ? [] : text.split(".", 4);
  const [payload, signature] = [fromBase64url(body), fromBase64url(last)];
  if (last === "" || more.length > 0 || payload === undefined || signature === undefined) return "the proof is not a compact JWS of three parts";
  const key = readHeader(head);
  if (typeof key === "string") return key;
  if (!isKnown(key.thumbprint)) return "the key of the proof is nobody's";
  if (!(await verifySignature(key, `${head}.${body}`, signature))) return "the signature of the proof does not verify";
  const read = readPayload(payload);
  if (typeof read === "string") return read;
  const [id, issuedAt] = [own(read.members, "jti"), read.integer("iat")];
  if (typeof id !== "string" || id === "" || issuedAt === undefined) return "`jti` or `iat` is missing";
  if (own(read.members, "htm") !== method || own(read.members, "htu") !== url || Object.hasOwn(read.members, "ath")) return "the proof is for another request";
  if (!(issuedAt <= now / 1000 + SKEW && issuedAt > now / 1000 - LIFETIME)) return "the proof is not of now";
  return { thumbprint: key.thumbprint, id, until: (issuedAt + LIFETIME) * 1000 };
}

/** The key that the header names: RFC 9449 section 4.2. */
function readHeader(encoded: string): PublicKey | string {
  const bytes = fromBase64url(encoded);
  const parsed = parseJson((bytes === undefined ? undefined : fromUtf8(bytes)) ?? "", { depth: 16, nodes: 256, members: 64 });
  if (typeof parsed === "string" || !isJsonObject(parsed.value)) return "the header of the proof is no object";
  const header = parsed.value;
  if (own(header, "typ") !== TYPE) return `\`typ\` is not \`${TYPE}\``;
  if (Object.hasOwn(header, "crit")) return "`crit` lists extensions that are not understood";
  const key = readPublicJwk(own(header, "jwk"));
  return typeof key === "string" || own(header, "alg") === key.algorithm ? key : "`alg` is not that of the key";
}
