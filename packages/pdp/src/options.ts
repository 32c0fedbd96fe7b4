import type { DecisionLog } from "@ambit/core/audit";
import type { DocumentStore, StateStore } from "@ambit/core";
import type { ProofVerifier } from "@ambit/core/identity";
import type { Approval } from "./approvals/approval.ts";
import type { AnchorSource } from "./config/anchors.ts";
import type { PolicyEngine } from "./engine/policy-engine.ts";
import type { RelationStore } from "./relations/relation-store.ts";
import type { Signing } from "./envelopes/signed-chains.ts";

export interface PdpOptions {
  /** Instead of the log of the configuration. Whoever gives it closes it. */
  readonly log?: DecisionLog | undefined;
  /** Instead of the `state` of the configuration. Whoever gives it closes it. */
  readonly state?: StateStore | undefined;
  /** Documents that processes share: requests for approval. Default: `state` where it keeps documents too, else memory. */
  readonly documents?: DocumentStore | undefined;
  /** Where the tuples of relations are kept. Default: beside the `state` of the configuration in SQLite and PostgreSQL, else in memory. Whoever gives it closes it. */
  readonly relations?: RelationStore | undefined;
  /** Told of every new request for approval; what it throws or rejects is nobody's. */
  readonly onApprovalRequest?: ((approval: Approval) => void | Promise<void>) | undefined;
  /** Instead of Cedar with the policies of the configuration. */
  readonly engine?: PolicyEngine | undefined;
  /** Instead of the `signing` of the configuration: with a key that is kept elsewhere. */
  readonly signing?: Signing | undefined;
  /** Trust anchors besides those of the configuration, asked at every verification. */
  readonly anchors?: AnchorSource | undefined;
  /** Instead of the `identity` of the configuration: whose tokens are proof of a delegator. */
  readonly proofs?: ProofVerifier | undefined;
  /** Whether a task only begins with a proof of its delegator, and never because the application says so. @defaultValue false */
  readonly requireProof?: boolean | undefined;
  /** Instead of the `audience` of the configuration. */
  readonly audience?: readonly string[] | undefined;
  /** Signed chains that are remembered as verified; 0 for none. @defaultValue 1000 */
  readonly cachedChains?: number | undefined;
  /** Milliseconds that a grant can be redeemed after its decision. Default 10,000. */
  readonly grantLifetime?: number | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}
