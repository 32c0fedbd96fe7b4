import { createMemoryLog, openFileLog, type DecisionLog } from "@ambit/core/audit";
import { AmbitError, type DocumentStore, type StateStore } from "@ambit/core";
import { createKeyRing, type KeyRing, type NamedKey } from "@ambit/core/identity";
import { generateKey, type SigningKey } from "@ambit/core/token";
import { isDeepStrictEqual } from "node:util";
import { createOutbox, type Outbox } from "./approvals/webhook/outbox.ts";
import type { LoadedConfig } from "./config/load-config.ts";
import type { ChainLink } from "./envelopes/chain.ts";
import { createCounters, type Counters } from "./counter.ts";
import { createHandles, type Handles } from "./envelopes/handles.ts";
import type { RelationStore } from "./relations/relation-store.ts";
import { createReceipts, type Receipts } from "./receipts.ts";
import { createRecent, type Recent } from "./recent.ts";
import type { PdpOptions } from "./options.ts";
import { createRefusals, type Refusals } from "./refusals.ts";
import { openMemory, openState } from "./state/open-state.ts";

/** What a decision point remembers; it outlives every reload of its configuration. */
export interface Runtime {
  readonly handles: Handles;
  readonly state: StateStore;
  readonly documents: DocumentStore;
  /** The tuples. */
  readonly relations: RelationStore;
  readonly log: DecisionLog;
  /** Milliseconds that a grant can be redeemed. */
  readonly grantLifetime: number;
  /** Asked through `clock` only. */
  readonly now: () => number;
  /** What is on its way to webhooks. */
  readonly outbox: Outbox;
  /** Signed envelopes that are known to be let in. */
  readonly letIn: WeakSet<ChainLink>;
  /** Introductions that are being decided, by envelope. */
  readonly introducing: Map<string, Promise<void>>;
  /** Ends that are recorded or being recorded. */
  readonly ends: WeakMap<ChainLink, Promise<void>>;
  /** The latest permits that were recorded here, or are being recorded, by decision id. */
  readonly recorded: Recent<Promise<void>>;
  readonly receipts: Receipts;
  /** The latest security event tokens that nothing came of. */
  readonly ignoredEvents: Recent<true>;
  readonly counters: Counters;
  readonly refusals: Refusals;
}

/** What a decision point opens and has to close again, and what of it is kept here. */
export interface OwnRuntime {
  readonly runtime: Runtime;
  /** The ring of an issuer. Once activated, `key` is its current one; what the one before signed goes on. */
  readonly ringOf: (issuer: string, key: NamedKey) => { readonly ring: KeyRing; readonly activate: () => void };
  /** What vouched answers are signed with where no other key is configured for them; absent where others may read them: to them it is nobody's key. */
  readonly answerKey: SigningKey | undefined;
  readonly sweep: (now: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Where what is opened is. */
type Places = Pick<LoadedConfig, "log" | "state">;

export async function createRuntime({ log: path, state: place }: Places, options: PdpOptions): Promise<OwnRuntime> {
  const { now = Date.now, grantLifetime = 10_000 } = options;
  const opened = options.state === undefined ? await openState(place) : openMemory();
  const state = options.state ?? opened.state;
  const ownLog =
    options.log === undefined && path !== "memory"
      ? await openFileLog(path, { now }).catch(async (error: unknown) => {
          await opened.close();
          throw error;
        })
      : undefined;
  const documents = options.documents ?? (keepsDocuments(state) ? state : opened.documents);
  const outbox = createOutbox();
  const log = options.log ?? ownLog ?? createMemoryLog({ now });
  const counters = createCounters();
  const refusals = createRefusals({ log, counter: counters.unrecordedRefusals });
  const handles = createHandles();
  const rings = new Map<string, KeyRing>();
  return {
    runtime: {
      handles,
      state,
      documents,
      relations: options.relations ?? opened.relations,
      log,
      grantLifetime,
      now,
      outbox,
      letIn: new WeakSet(),
      introducing: new Map(),
      ends: new WeakMap(),
      recorded: createRecent(10_000),
      receipts: createReceipts(documents),
      ignoredEvents: createRecent(10_000),
      counters,
      refusals,
    },
    ringOf: (issuer, key) => {
      const ring = rings.get(issuer) ?? createKeyRing({ current: key, now });
      const isOther = ring.current().public.thumbprint !== key.public.thumbprint;
      // A key that was rotated out signs no more; found out before anything is changed.
      if (isOther && ring.keys().some(({ key: listed }) => listed?.thumbprint === key.public.thumbprint))
        throw new AmbitError("config_invalid", "the key of `signing` was used before and replaced; take a new one");
      return {
        ring,
        activate: () => {
          rings.set(issuer, ring);
          if (isOther) ring.rotate(key);
        },
      };
    },
    answerKey: documents === opened.documents && place.kind === "memory" ? await generateKey() : undefined,
    sweep: async (time) => {
      handles.sweep(time);
      await opened.sweep(time);
      if (state !== opened.state) await state.sweep(time);
    },
    close: async () => {
      try {
        // What cannot be delivered any more is on the record first.
        await outbox.close();
        await refusals.close();
        await ownLog?.close();
      } finally {
        await opened.close();
      }
    },
  };
}

/** What cannot change while a decision point runs. */
export function checkSame(before: Places, after: Places): void {
  for (const name of ["log", "state"] as const)
    if (!isDeepStrictEqual(before[name], after[name]))
      throw new AmbitError("config_invalid", `\`${name}\` cannot change while the decision point runs; start another one`);
}

/** As the stores that processes share do: approvals are where budgets are, unless somebody says otherwise. */
function keepsDocuments(state: StateStore | (StateStore & DocumentStore)): state is StateStore & DocumentStore {
  return "get" in state && "put" in state && "list" in state;
}
