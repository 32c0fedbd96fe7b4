// Cryptography of a Node process: `node:crypto` verifies without a turn of the event loop and in less time than WebCrypto.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign, verify, type JsonWebKey, type KeyObject } from "node:crypto";
import { isOrdinaryPoint } from "./crypto-ed25519.ts";
import { timeOrdered } from "./crypto-id.ts";
import type { CryptoSource, PrivateJwk, PublicKey } from "./crypto-source.ts";

export { sha256 } from "../data/digest-node.ts";

/** Importing a key costs a quarter of a verification. By object and not by what the object says of itself: nobody can put one key in another's place. */
const handles = new WeakMap<PublicKey, KeyObject>();

export const isUsable: CryptoSource["isUsable"] = (key) => handleOf(key) !== undefined;

export const verifySignature: CryptoSource["verifySignature"] = async (key, text, signature) => {
  const handle = handleOf(key);
  if (handle === undefined || signature.length !== 64) return false;
  const bytes = Buffer.from(text, "utf8");
  if (key.algorithm === "ES256") return verify("sha256", bytes, { key: handle, dsaEncoding: "ieee-p1363" }, signature);
  return isOrdinaryPoint(signature) && verify(null, bytes, handle, signature);
};

export const signerOf: CryptoSource["signerOf"] = async (algorithm, jwk) => {
  const handle = createPrivateKey({ key: jwk as JsonWebKey, format: "jwk" });
  return async (text) => {
    const bytes = Buffer.from(text, "utf8");
    return algorithm === "Ed25519" ? sign(null, bytes, handle) : sign("sha256", bytes, { key: handle, dsaEncoding: "ieee-p1363" });
  };
};

export const generatePrivateJwk: CryptoSource["generatePrivateJwk"] = async (algorithm) => {
  const pair = algorithm === "Ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return pair.privateKey.export({ format: "jwk" }) as PrivateJwk;
};

export const freshId: CryptoSource["freshId"] = (milliseconds) => timeOrdered(milliseconds, randomUUID());

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
