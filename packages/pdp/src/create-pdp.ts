import { AmbitError, PDP_CAPABILITY, type JsonObject, type Pdp, type StartedCall, type UnsettledCall } from "@ambit/core";
import { createApprovalDesk, type ApprovalDesk } from "./approvals/desk.ts";
import { clock } from "./clock.ts";
import { loadConfig, type PdpConfig } from "./config/load-config.ts";
import type { Counter } from "./counter.ts";
import type { Directory } from "./directory/directory.ts";
import type { Relations } from "./relations/relations.ts";
import { createSetting } from "./create-setting.ts";
import { decide } from "./decide.ts";
import { begin } from "./lifecycle/begin.ts";
import { end } from "./lifecycle/end.ts";
import { handOff } from "./lifecycle/hand-off.ts";
import { introduce } from "./lifecycle/introduce.ts";
import { revoke, type Revocation } from "./lifecycle/revoke.ts";
import { takeSecurityEvents, type TakenEvents } from "./lifecycle/security-events.ts";
import { inspectChain, type Inspection } from "./oauth/inspect-chain.ts";
import type { PdpOptions } from "./options.ts";
import type { Catalogue } from "./server/catalogue.ts";
import { checkSame, createRuntime } from "./runtime.ts";
import { reconcile, unsettled, type CallReconciliation, type UnsettledPage } from "./reconcile.ts";
import { isRefused } from "./refusal.ts";
import type { Rules } from "./setting.ts";
import { redeem, settle } from "./settle.ts";
import { recordLoad } from "./steps/load-record.ts";

/** A decision point in this process. Disposing of it closes the decision log. */
export interface EmbeddedPdp extends Pdp, AsyncDisposable {
  /** Of the policies and of the schema they were checked against; written with every decision. */
  readonly policyDigest: string;
  /** What takes the decisions of policy: policies that the compiler cannot do run in wasm, some thirty times slower. */
  readonly policyEngine: string;
  /**
   * Reads the configuration again, or another one, and decides by it from the next question on. What was begun under the old one goes to its end under it. Refuses whatever `createPdp` refuses, and a `log` or
   * a `state` that is another one; then everything stays as it was. Envelopes that are signed for another vocabulary or another catalogue of purposes are not taken any longer.
   */
  reload(config?: string | URL | PdpConfig): Promise<void>;
  /** Revokes what was given out until now for a task, a session, an agent, a delegator or a tenant, with everything derived from it. */
  revoke(revocation: Revocation): Promise<void>;
  /**
   * A page of the calls of a tenant that were started and of which nobody has said how they ended: they hold what they reserved until they are reconciled, and are known until 30 days
   * after the last envelope of their task has expired, an hour included.
   */
  unsettled(tenantId: string, page?: UnsettledPage): Promise<readonly UnsettledCall[]>;
  /**
   * Settles such a call: `done` with what it used, `not_run` with nothing. Saying the same again changes nothing. Throws `AmbitError`: `grant_replayed` for a call that does not wait for
   * it, `call_running` for one that was started less than 15 minutes ago and that nobody reported as unknown (unless `force`), `option_invalid`, `state_unavailable`, `log_unavailable`.
   */
  reconcile(reconciliation: CallReconciliation): Promise<StartedCall>;
  /**
   * Does what a security event token says (CAEP, RISC), once. `payload` is of a token that was verified to be one, and to be of its issuer; `audience` is what it must be for.
   * Throws `AmbitError`: `proof_invalid` and `audience_mismatch` for what is no such token, `state_unavailable` and `log_unavailable` when it has to be sent again.
   */
  takeSecurityEvents(payload: unknown, audience: string): Promise<TakenEvents>;
  /** What it counts besides its answers, for metrics. */
  counters(): readonly Counter[];
  /** Lets something of nobody's tenant be used once until a time, milliseconds since the epoch: `false` when it was used before, here or by whoever shares the state. Rejects when that cannot be told. */
  useOnce(key: string, until: number): Promise<boolean>;
  /** The tenant of a signed chain, expired or not; `undefined` for what is none. */
  tenantOf(chain: readonly string[]): Promise<string | undefined>;
  /** What a signed chain says, and whether it stands. Decides nothing and never rejects. */
  inspect(chain: readonly string[]): Promise<Inspection>;
  /** The rules of now, for who answers questions of policy by them. */
  rules(): Pick<Rules, "engine" | "manifest" | "agents" | "directory" | "relations" | "approvals">;
  /** The public keys that roots are signed with, to be published; none where none are signed. */
  jwks(): { readonly keys: readonly JsonObject[] };
  /** What the terms are made of, for who tells them to other processes. */
  catalogue(): Catalogue;
  /** Where people answer what waits for an approval. */
  readonly approvals: ApprovalDesk;
  /** Who the users are; absent where `users` is not configured. A new one after each reload. */
  readonly users: Directory | undefined;
  /** Who is what to which thing; absent where `relations` is not configured. A new one after each reload. */
  readonly relations: Relations | undefined;
  /** Resolves when the state can be read, which every decision needs; for readiness checks. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

const SWEEP_EVERY = 1024;
/** INVARIANT I12: with the space it is no tenant. */
const NO_TENANT = "no tenant";

/**
 * The embedded decision point: Cedar policies, state where the configuration says, decisions in a hash-chained file.
 * Refuses to start (`config_invalid`, `manifest_invalid`, `policy_invalid`, `log_corrupt`) on anything that is missing, unknown or
 * contradictory. Without policies it starts and denies everything (`no_policy`).
 */
export async function createPdp(config: string | URL | PdpConfig, options: PdpOptions = {}): Promise<EmbeddedPdp> {
  const { now = Date.now } = options;
  const loaded = await loadConfig(config, now);
  const own = await createRuntime(loaded, options);
  let setting = await orClose(own.close, async () => {
    const first = createSetting(loaded, options, own);
    first.activate();
    return first.setting;
  });
  let asked = 0;
  /** Now and then drops what nothing can ask for any longer, after the answer and in nobody's way. */
  const tidy = <T>(answer: Promise<T>): Promise<T> => {
    if (++asked % SWEEP_EVERY === 0) void answer.then(() => own.sweep(clock(own.runtime))).catch(() => undefined);
    return answer;
  };
  return Object.freeze<EmbeddedPdp>({
    capability: PDP_CAPABILITY,
    get policyDigest() {
      return setting.engine.digest;
    },
    get policyEngine() {
      return setting.engine.description ?? "an engine of the application";
    },
    begin: (request) => tidy(begin(setting, request)),
    terms: async () => setting.terms,
    handOff: (request) => handOff(setting, request),
    introduce: (request) => introduce(setting, request),
    decide: (request) => tidy(decide(setting, request)),
    redeem: (request) => redeem(setting, request),
    settle: (outcome) => settle(setting, outcome),
    end: (request) => end(setting, request),
    tenantOf: (chain) =>
      setting.signed === undefined
        ? Promise.resolve(undefined)
        : setting.signed.recognise(chain).then(
            ({ links }) => links[0].envelope.tenantId,
            () => undefined,
          ),
    useOnce: (key, until) => setting.state.admit(NO_TENANT, key, until),
    inspect: (chain) => inspectChain(setting, chain),
    rules: () => setting,
    jwks: () => setting.signing?.keys.toJwks() ?? { keys: [] },
    catalogue: () => setting.catalogue,
    approvals: createApprovalDesk(() => setting),
    get users() {
      return setting.directory;
    },
    get relations() {
      return setting.relations;
    },
    takeSecurityEvents: (payload, audience) => told(() => takeSecurityEvents(setting, payload, audience)),
    counters: () => Object.values(own.runtime.counters),
    revoke: (revocation) => told(() => revoke(setting, revocation)),
    unsettled: (tenantId, page) => told(() => unsettled(setting, tenantId, page)),
    reconcile: (reconciliation) => told(() => reconcile(setting, reconciliation)),
    reload: async (again = config) => {
      const next = await loadConfig(again, now);
      checkSame(loaded, next);
      const replacement = createSetting(next, options, own);
      await told(() => recordLoad(setting, replacement.setting));
      // Nothing can fail from here on.
      replacement.activate();
      setting = replacement.setting;
    },
    ready: async () => void (await setting.state.revokedAt("ready", ["tenant"])),
    close: own.close,
    [Symbol.asyncDispose]: own.close,
  });
}

/** Refusals are of the decision point's own; whoever calls it hears them as errors. */
async function told<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw isRefused(error) ? new AmbitError(error.refusal.code, error.message, { hint: error.refusal.hint }) : error;
  }
}

async function orClose<T>(close: () => Promise<void>, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await close();
    throw error;
  }
}
