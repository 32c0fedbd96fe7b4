import type { Order, Terms } from "@ambit/core";
import type { ProofVerifier } from "@ambit/core/identity";
import type { ApprovalSetting } from "./approvals/approvals.ts";
import type { ApprovalChannel } from "./approvals/channel.ts";
import type { Agents } from "./config/agents.ts";
import type { Purposes } from "./config/purposes.ts";
import type { Directory } from "./directory/directory.ts";
import type { Relations } from "./relations/relations.ts";
import type { PolicyEngine } from "./engine/policy-engine.ts";
import type { SignedChains, Signing } from "./envelopes/signed-chains.ts";
import type { ArgumentCheck } from "./manifest/input-schema.ts";
import type { Manifest } from "./manifest/manifest.ts";
import type { Catalogue } from "./server/catalogue.ts";
import type { Runtime } from "./runtime.ts";

/** What is configured. A decision is taken under one set of it, from its first step to its last. */
export interface Rules {
  readonly manifest: Manifest;
  /** By tool id. */
  readonly argumentChecks: ReadonlyMap<string, ArgumentCheck>;
  readonly agents: Agents;
  readonly purposes: Purposes;
  /** What terms are told as to other processes. */
  readonly catalogue: Catalogue;
  readonly order: Order;
  readonly engine: PolicyEngine;
  /** Absent where no signed envelopes are taken. */
  readonly signed: SignedChains | undefined;
  /** What roots are signed with; absent where none are. */
  readonly signing: Signing | undefined;
  readonly terms: Terms;
  /** What tells who a delegator is; absent where no proofs are taken. */
  readonly proofs: ProofVerifier | undefined;
  readonly requireProof: boolean;
  /** Who the users are; absent where nothing is known of them but their ids. */
  readonly directory: Directory | undefined;
  /** Who is what to which thing; absent where there are no relations. */
  readonly relations: Relations | undefined;
  /** Absent where nobody can approve anything. */
  readonly approvals: ApprovalSetting | undefined;
  /** How people hear of new requests for approval. */
  readonly channels: readonly ApprovalChannel[];
}

/** Everything that a decision depends on. */
export type Setting = Rules & Omit<Runtime, "relations">;
