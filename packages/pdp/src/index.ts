/**
 * The decision point of Ambit, embeddable.
 *
 * @module
 */
export { createPdp, type EmbeddedPdp } from "./create-pdp.ts";
export type { PdpOptions } from "./options.ts";
export type { Part, PdpConfig } from "./config/load-config.ts";
export { readApproval, type Approval, type ApprovalStatus, type BudgetLeft } from "./approvals/approval.ts";
export type { GivenAnswer } from "./approvals/approvals.ts";
export type { ApprovalRequest } from "./approvals/approval-request.ts";
export type { Changes } from "./approvals/changes.ts";
export type { Approver, Demand } from "./approvals/demand.ts";
export { signAnswer } from "./approvals/answer.ts";
export type { ApprovalDesk } from "./approvals/desk.ts";
export { parseUserModel, readClaims, readSecurityEvents, type Directory, type SecurityEvents, type User } from "./directory/index.ts";
export type { Signing } from "./envelopes/signed-chains.ts";
export type { Revocation } from "./lifecycle/revoke.ts";
export type { CallReconciliation, UnsettledPage } from "./reconcile.ts";
export type { TakenEvents } from "./lifecycle/security-events.ts";
export type { Counter } from "./counter.ts";

// What tools around the decision point need: reading what a person wrote, and writing a first version of it.
export { parseAnchors, type AnchorSource } from "./config/anchors.ts";
export { parseAgents, type Agent, type Agents, type Ceiling } from "./config/agents.ts";
export { parsePurposes, type Purpose, type Purposes } from "./config/purposes.ts";
export type { StatePart } from "./config/state.ts";
export { createMemoryState } from "./state/memory-state.ts";
export { migrateState, type MigratedState, type MigrateOptions } from "./state/migrate-state.ts";
export { parseManifest } from "./manifest/parse-manifest.ts";
export type { ConstraintMapping, Effect, Manifest, MoneyRule, RecordsRule, ToolEntry, ToolName } from "./manifest/manifest.ts";

// What other policy engines plug in as.
export type { Entity, Evaluation, PolicyAnswer, PolicyEngine } from "./engine/policy-engine.ts";
export type { PolicyFile } from "./cedar/policies.ts";
