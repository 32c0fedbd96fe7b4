import { createMemoryLog, openFileLog, type DecisionLog } from "@ambit/core/audit";
import { createVocabulary, PDP_CAPABILITY, type Pdp, type StateStore } from "@ambit/core";
import { begin } from "./begin.ts";
import { createCedarEngine } from "./cedar/cedar-engine.ts";
import { parseAgents } from "./config/agents.ts";
import { loadConfig, type PdpConfig } from "./config/load-config.ts";
import { parsePurposes } from "./config/purposes.ts";
import { decide } from "./decide.ts";
import { createEnvelopeStore } from "./envelope-store.ts";
import { handOff } from "./hand-off.ts";
import { createArgumentCheck } from "./manifest/input-schema.ts";
import { parseManifest } from "./manifest/parse-manifest.ts";
import type { PolicyEngine } from "./engine/policy-engine.ts";
import { createMemoryState } from "./state/memory-state.ts";
import type { Setting } from "./setting.ts";
import { end, redeem, settle } from "./settle.ts";

export interface PdpOptions {
  /** Instead of the log of the configuration. Whoever gives it closes it. */
  readonly log?: DecisionLog | undefined;
  /** Instead of memory. */
  readonly state?: StateStore | undefined;
  /** Instead of Cedar with the policies of the configuration. */
  readonly engine?: PolicyEngine | undefined;
  /** Milliseconds that a grant can be redeemed after its decision. Default 10,000. */
  readonly grantLifetime?: number | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

/** A decision point in this process. Disposing of it closes the decision log. */
export interface EmbeddedPdp extends Pdp, AsyncDisposable {
  /** Of the policies and of the schema they were checked against. */
  readonly policyDigest: string;
  close(): Promise<void>;
}

/**
 * The embedded decision point: Cedar policies, state in memory, decisions in a hash-chained file.
 * Refuses to start (`config_invalid`, `manifest_invalid`, `policy_invalid`, `log_corrupt`) on anything that is missing, unknown or
 * contradictory. Without policies it starts and denies everything (`no_policy`).
 */
export async function createPdp(config: string | URL | PdpConfig, options: PdpOptions = {}): Promise<EmbeddedPdp> {
  const { now = Date.now, grantLifetime = 10_000 } = options;
  const loaded = await loadConfig(config);
  const vocabulary = createVocabulary(loaded.vocabulary);
  const purposes = parsePurposes(loaded.purposes.data, loaded.purposes.name);
  const agents = parseAgents(loaded.agents.data, vocabulary, loaded.agents.name);
  const manifest = parseManifest(loaded.manifest.data, loaded.manifest.name);
  const engine = options.engine ?? createCedarEngine(loaded.policies, manifest);
  const memory = createMemoryState();
  const ownLog = options.log === undefined && loaded.log !== "memory" ? await openFileLog(loaded.log, { now }) : undefined;
  const setting: Setting = {
    manifest,
    argumentChecks: new Map([...manifest.tools].map(([id, { inputSchema }]) => [id, createArgumentCheck(inputSchema)])),
    agents,
    purposes,
    order: { vocabulary, purposes },
    engine,
    envelopes: createEnvelopeStore((tenantId, lineage) => memory.forget(tenantId, lineage)),
    state: options.state ?? memory,
    log: options.log ?? ownLog ?? createMemoryLog({ now }),
    grantLifetime,
    now,
    ends: new WeakMap(),
    recording: new Map(),
  };
  const close = async (): Promise<void> => ownLog?.close();
  return Object.freeze<EmbeddedPdp>({
    capability: PDP_CAPABILITY,
    policyDigest: engine.digest,
    begin: (request) => begin(setting, request),
    handOff: (request) => handOff(setting, request),
    decide: (request) => decide(setting, request),
    redeem: (request) => redeem(setting, request),
    settle: (outcome) => settle(setting, outcome),
    end: (request) => end(setting, request),
    close,
    [Symbol.asyncDispose]: close,
  });
}
