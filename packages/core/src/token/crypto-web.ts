// Cryptography where there is no `node:crypto`: browsers, workers, edge runtimes. WebCrypto signs and verifies.
import { isOrdinaryPoint } from "./crypto-ed25519.ts";
import { timeOrdered } from "./crypto-id.ts";
import { isP256Point } from "./crypto-p256.ts";
import type { Algorithm, CryptoSource, PrivateJwk, PublicKey } from "./crypto-source.ts";

export { sha256 } from "../data/digest-web.ts";

/** For importing, generating, signing and verifying alike: each operation takes the members that it knows. */
const PARAMETERS: Readonly<Record<Algorithm, { readonly name: string; readonly namedCurve?: string; readonly hash?: string }>> = {
  Ed25519: { name: "Ed25519" },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
};

type Handle = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Imports under way and done. By object and not by what the object says of itself: nobody can put one key in another's place. */
const handles = new WeakMap<PublicKey, Promise<Handle>>();

const encoder = new TextEncoder();

/** WebCrypto tells only in a promise whether a point is on its curve. Of Ed25519 no source asks before a signature is verified. */
export const isUsable: CryptoSource["isUsable"] = ({ jwk }) => jwk.kty === "OKP" || isP256Point(jwk.x, jwk.y);

export const verifySignature: CryptoSource["verifySignature"] = async (key, text, signature) => {
  if (signature.length !== 64 || (key.algorithm === "Ed25519" && !isOrdinaryPoint(signature))) return false;
  try {
    return await crypto.subtle.verify(PARAMETERS[key.algorithm], await handleOf(key), Uint8Array.from(signature), encoder.encode(text));
  } catch {
    return false; // a key that the runtime refuses, or an algorithm that it does not have
  }
};

export const signerOf: CryptoSource["signerOf"] = async (algorithm, jwk) => {
  const handle = await crypto.subtle.importKey("jwk", membersOf(jwk), PARAMETERS[algorithm], false, ["sign"]);
  return async (text) => new Uint8Array(await crypto.subtle.sign(PARAMETERS[algorithm], handle, encoder.encode(text)));
};

export const generatePrivateJwk: CryptoSource["generatePrivateJwk"] = async (algorithm) => {
  const pair = await crypto.subtle.generateKey(PARAMETERS[algorithm], true, ["sign", "verify"]);
  return membersOf((await crypto.subtle.exportKey("jwk", (pair as { readonly privateKey: Handle }).privateKey)) as PrivateJwk);
};

export const freshId: CryptoSource["freshId"] = (milliseconds) => timeOrdered(milliseconds, crypto.randomUUID());

function handleOf(key: PublicKey): Promise<Handle> {
  const known = handles.get(key);
  if (known !== undefined) return known;
  // Asked here too, so that it does not hang on what the runtime asks of a point.
  if (!isUsable(key)) throw new TypeError("the key is not a point on its curve");
  const handle = crypto.subtle.importKey("jwk", key.jwk, PARAMETERS[key.algorithm], false, ["verify"]);
  handles.set(key, handle);
  return handle;
}

/** The key alone: WebCrypto adds what the key may be used for, and refuses a key that says it is for something else. */
function membersOf({ kty, crv, x, d, ...rest }: PrivateJwk): PrivateJwk {
  return (kty === "EC" ? { kty, crv, x, y: (rest as { readonly y: string }).y, d } : { kty, crv, x, d }) as PrivateJwk;
}
