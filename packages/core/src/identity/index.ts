/**
 * Who signs and who asks: keys with rotation, key sets over HTTPS, and the tokens of identity providers and workloads as proof of who asks for an envelope.
 *
 * @module
 */

// Keys that sign.
export { createKeyRing, type KeyRing, type KeyRingOptions, type NewKey, type RotateOptions } from "./key-ring.ts";
export { readPrivateKey, type NamedKey } from "./private-key.ts";

// Keys that verify.
export { fixedKeys, readJwks, type JwksFormat } from "./jwks.ts";
export { remoteJwks, type RemoteJwksOptions } from "./remote-jwks.ts";
export { listedAnchors } from "./listed-anchors.ts";
export type { KeySource, ListedKey } from "./key-source.ts";

// Who asks.
export { createProofVerifier, type ProofIssuer, type ProofVerifier, type ProofVerifierOptions } from "./proof.ts";
export type { OidcIssuer } from "./oidc.ts";
export type { SpiffeIssuer } from "./spiffe.ts";
export type { IdSource, ProofAnswer, ProofDemand, ProvenIdentity, TenantSource } from "./proven-identity.ts";
export type { ProofRefusal, ProofRefused } from "./proof-refusal.ts";
export { readSpiffeId, type SpiffeId } from "./spiffe-id.ts";

// What issuers tell.
export { createEventVerifier, type EventIssuer, type EventTokenAnswer, type EventTokenProblem, type EventVerifier } from "./event-token.ts";
