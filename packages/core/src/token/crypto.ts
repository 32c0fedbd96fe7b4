// Whoever needs cryptography asks here. Where it comes from is chosen by `imports` of package.json: `node:crypto` in a Node process, WebCrypto elsewhere.
export { freshId, generatePrivateJwk, isUsable, sha256, signerOf, verifySignature } from "#crypto";
export type { Algorithm, PrivateJwk, PublicJwk, PublicKey } from "./crypto-source.ts";
