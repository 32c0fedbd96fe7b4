/**
 * Attenuating agent tokens on the wire: draft-niyikiza-oauth-attenuating-agent-tokens-02, JOSE profile.
 *
 * @module
 */

// Keys and anchors.
export { generatePrivateJwk, type Algorithm, type PrivateJwk, type PublicJwk, type PublicKey } from "./crypto.ts";
export { generateKey, publicKey, signingKey, thumbprintUri, type SigningKey } from "./key.ts";
export { trustAnchor, type TrustAnchor } from "./anchors.ts";

// What a holder does.
export { deriveToken, holdChain, issueRoot, type HeldChain, type NewChild, type NewRoot } from "./issue.ts";
export { signPop, type NewPop } from "./pop.ts";
export { readPresentation, writePresentation, type TokenPresentation } from "./presentation.ts";

// What anybody says and signs besides.
export { signStatement, verifyStatement } from "./statement.ts";

// Who asks a service, request by request.
export { signDpop, verifyDpop } from "./dpop.ts";

// What a verifier does.
export { createVerifier, type Verifier, type VerifierOptions } from "./verifier.ts";
export { memoryReplay, type ReplayStore } from "./replay.ts";
export { explain, type Reason, type Refused, type TokenRefusal } from "./reason.ts";
export { TOKEN_LIMITS, type TokenLimits } from "./limits.ts";
export type { Act, ActAnswer } from "./verify-act.ts";
export type { CallAnswer, ToolUse, VerifiedCall } from "./verify-call.ts";
export type { ChainAnswer, VerifiedChain } from "./verify-chain.ts";
export type { VerifiedToken } from "./verify-root.ts";
export type { TokenClaims } from "./claims.ts";
export type { ArgumentMap, NamedArgument, Tools } from "./capability.ts";
export type { Constraint } from "./constraint.ts";

// What envelopes are made of and compared by; the decision point's own, from the one source.
export type { Envelope } from "../envelope/envelope.ts";
export type { Narrowed, Narrowing } from "../envelope/attenuate.ts";
export type { Order } from "../envelope/order.ts";
export { purposeLine, type PurposeTree } from "../envelope/purposes.ts";
export { createVocabulary, type Vocabulary } from "../envelope/vocabulary.ts";
export { parseEnvelope, serializeEnvelope } from "../envelope/wire.ts";
export { digestOf } from "../data/digest.ts";

// Our profile: envelopes as signed tokens.
export { AMBIT_ENTRY } from "./profile/entry.ts";
export { envelopeIdOf } from "./profile/envelope-id.ts";
export { readLineage } from "./profile/lineage.ts";
export { deriveEnvelope, holdEnvelope, issueEnvelope, type HeldEnvelope, type NewChildEnvelope, type NewEnvelope } from "./profile/issue-envelope.ts";
export { exportEnvelope, foreignTools, type ConstraintPlace, type ForeignArgument, type ForeignTool, type NewExport } from "./profile/export-envelope.ts";
export {
  verifyEnvelopes,
  verifyForeign,
  type AatAnchor,
  type AmbitAnchor,
  type EnvelopeAnchor,
  type EnvelopesAnswer,
  type SignedEnvelope,
} from "./profile/verify-envelope.ts";
