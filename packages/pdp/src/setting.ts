import type { DecisionLog } from "@ambit/core/audit";
import type { Order, StateStore } from "@ambit/core";
import type { Agents } from "./config/agents.ts";
import type { Purposes } from "./config/purposes.ts";
import type { PolicyEngine } from "./engine/policy-engine.ts";
import type { ChainLink, EnvelopeStore } from "./envelope-store.ts";
import type { ArgumentCheck } from "./manifest/input-schema.ts";
import type { Manifest } from "./manifest/manifest.ts";

/** Everything that a decision depends on. */
export interface Setting {
  readonly manifest: Manifest;
  /** By tool id. */
  readonly argumentChecks: ReadonlyMap<string, ArgumentCheck>;
  readonly agents: Agents;
  readonly purposes: Purposes;
  readonly order: Order;
  readonly engine: PolicyEngine;
  readonly envelopes: EnvelopeStore;
  readonly state: StateStore;
  readonly log: DecisionLog;
  /** Milliseconds that a grant can be redeemed. */
  readonly grantLifetime: number;
  /** Asked through `clock` only. */
  readonly now: () => number;
  /** Ends that are recorded or being recorded. */
  readonly ends: WeakMap<ChainLink, Promise<void>>;
  /** Permits that are being recorded, by decision id. */
  readonly recording: Map<string, Promise<void>>;
}
