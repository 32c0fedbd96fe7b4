/**
 * Ambit's core: envelopes, how they narrow, and the enforcement point.
 *
 * @module
 */

// What a newcomer types.
export { createPep, type PepOptions } from "./pep/create-pep.ts";
export type { Admission, Asked, BeginOptions, Completion, Duration, Enforced, HandOffOptions, Lifetime, Pep, RenewOptions } from "./pep/pep.ts";
export type { OnObserved } from "./pep/observe.ts";
export { chainOf, type EnvelopeSource, type Task } from "./pep/task.ts";
export type { Excerpt } from "./pdp/pdp.ts";
export { AmbitError, type ConfigCode, type ErrorCode, type RefusalCode } from "./errors.ts";

// What an adapter needs.
export type { Coverage, CoverageItem } from "./pep/coverage.ts";
export { delegate, type Delegate } from "./pep/delegate.ts";
export { definitionDigest } from "./pep/definition.ts";
export { createReceiver, type Receiver, type ReceiverOptions } from "./pep/receiver.ts";
export { callDigest, type ToolCall, type ToolDefinition } from "./pep/tool-call.ts";
export { modelRefusal, type ModelRefusal, type Refused, type Verdict } from "./pep/verdict.ts";

// What a decision point needs.
export { attenuate, meet, type Attenuation, type Narrowed, type Narrowing } from "./envelope/attenuate.ts";
export { limitsOf, type Budgets, type Limits } from "./envelope/budgets.ts";
export { CONSTRAINT_KINDS, rulesOf, type ConstraintKind, type ConstraintValue, type KindRules } from "./envelope/constraint-kinds.ts";
export { reachOf, DEFAULT_MAX_DEPTH, type Envelope, type ResourceConstraints } from "./envelope/envelope.ts";
export { isNarrower, reasonsNotNarrower } from "./envelope/is-narrower.ts";
export type { Order } from "./envelope/order.ts";
export { purposeLine, type PurposeTree } from "./envelope/purposes.ts";
export { createVocabulary, type Vocabulary } from "./envelope/vocabulary.ts";
export { parseEnvelope, serializeEnvelope } from "./envelope/wire.ts";
export { parseDecision, type Decision, type Grant, type Refusal, type Step } from "./pdp/decision.ts";
export type { AccessRequest } from "./pdp/access-request.ts";
export { SUPPORTED_OBLIGATIONS, type Integrity, type Obligation } from "./pdp/obligation.ts";
export {
  PDP_CAPABILITY,
  type BeginRequest,
  type EndRequest,
  type HandOffRequest,
  type Introduction,
  type IssueAnswer,
  type Issued,
  type CredentialUse,
  type Outcome,
  type OutcomeStatus,
  type Pdp,
  type Redemption,
} from "./pdp/pdp.ts";
export { ACTS, renewalArgs, type Holding, type Presentation } from "./pdp/presentation.ts";
export type { Terms } from "./pdp/terms.ts";
export type {
  Account,
  CallKey,
  Commit,
  CommitAnswer,
  Committed,
  Labels,
  LineageFacts,
  OnceKey,
  Reconciliation,
  ReconcileAnswer,
  Reservation,
  Settled,
  Settlement,
  StartedCall,
  StateStore,
  UnsettledCall,
} from "./state/state-store.ts";

export type { DocumentStore, StoredDocument } from "./state/document-store.ts";

// Plain data.
export { canonicalJson } from "./data/canonical.ts";
export { digestOf, randomText, saltedDigestOf } from "./data/digest.ts";
export { copyData, isJsonObject, own, type Json, type JsonObject } from "./data/json.ts";
export { isIdentifier, isMemberName, isToolId } from "./data/names.ts";
export { isPointer, valuesAt, type Pointer } from "./data/pointer.ts";
