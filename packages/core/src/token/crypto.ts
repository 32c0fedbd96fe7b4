// The only file of this folder that knows where the cryptography comes from. Signatures are promises so that another source can stand here.
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, randomUUID, sign, verify, type JsonWebKey, type KeyObject } from "node:crypto";

/** JWS algorithms, fully specified ones only (RFC 9864): the key fixes the algorithm, never the header. */
export type Algorithm = "Ed25519" | "ES256";

/** A public key with the members that RFC 7638 hashes and no others. */
export type PublicJwk =
  { readonly crv: "Ed25519"; readonly kty: "OKP"; readonly x: string } | { readonly crv: "P-256"; readonly kty: "EC"; readonly x: string; readonly y: string };

/** A private key as JSON. It is a secret: keep it out of logs, tokens and messages. */
export type PrivateJwk = PublicJwk & { readonly d: string };

export interface PublicKey {
  readonly algorithm: Algorithm;
  readonly jwk: PublicJwk;
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string;
}

/** Importing a key costs a quarter of a verification. By object and not by what the object says of itself: nobody can put one key in another's place. */
const handles = new WeakMap<PublicKey, KeyObject>();

/** SHA-256 of the text's UTF-8, base64url without padding. */
export function sha256(text: string): string {
  return hash("sha256", text, "base64url");
}

/** Whether the key is one that signatures can be verified with: for ES256, a point on the curve. */
export function isUsable(key: PublicKey): boolean {
  return handleOf(key) !== undefined;
}

/** Whether `signature` is the key's over exactly this text. False for whatever is no signature. */
export async function verifySignature(key: PublicKey, text: string, signature: Buffer): Promise<boolean> {
  const handle = handleOf(key);
  if (handle === undefined || signature.length !== 64) return false;
  const bytes = Buffer.from(text, "utf8");
  // JWS has r and s of ES256 side by side, 32 bytes each (RFC 7518 section 3.4); DER would be a second spelling.
  return key.algorithm === "Ed25519" ? verify(null, bytes, handle, signature) : verify("sha256", bytes, { key: handle, dsaEncoding: "ieee-p1363" }, signature);
}

/** What signs with a private key; throws when the key is not one. The key itself cannot be read from it. */
export function signerOf(algorithm: Algorithm, jwk: PrivateJwk): (text: string) => Promise<Buffer> {
  const handle = createPrivateKey({ key: jwk as JsonWebKey, format: "jwk" });
  return async (text) => {
    const bytes = Buffer.from(text, "utf8");
    return algorithm === "Ed25519" ? sign(null, bytes, handle) : sign("sha256", bytes, { key: handle, dsaEncoding: "ieee-p1363" });
  };
}

export async function generatePrivateJwk(algorithm: Algorithm): Promise<PrivateJwk> {
  const pair = algorithm === "Ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return pair.privateKey.export({ format: "jwk" }) as PrivateJwk;
}

/** A UUIDv7 (RFC 9562): the time in milliseconds, then what is random of a UUIDv4. */
export function freshId(milliseconds: number): string {
  const time = Math.floor(milliseconds).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

function handleOf(key: PublicKey): KeyObject | undefined {
  const known = handles.get(key);
  if (known !== undefined) return known;
  try {
    const handle = createPublicKey({ key: key.jwk as JsonWebKey, format: "jwk" });
    handles.set(key, handle);
    return handle;
  } catch {
    return undefined; // not a point on the curve
  }
}
