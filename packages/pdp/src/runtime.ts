import { createMemoryLog, openFileLog, type DecisionLog } from "@ambit/core/audit";
import { AmbitError, type DocumentStore, type StateStore } from "@ambit/core";
import { createKeyRing, type KeyRing, type NamedKey } from "@ambit/core/identity";
import { generateKey, type SigningKey } from "@ambit/core/token";
import type { Approval } from "./approvals/approvals.ts";
import type { ChainLink } from "./envelopes/chain.ts";
import { createHandles, type Handles } from "./envelopes/handles.ts";
import { createRecent, type Recent } from "./recent.ts";
import type { PdpOptions } from "./options.ts";
import { createMemoryDocuments } from "./state/memory-documents.ts";
import { createMemoryState } from "./state/memory-state.ts";

/** What a decision point remembers; it outlives every reload of its configuration. */
export interface Runtime {
  readonly handles: Handles;
  readonly state: StateStore;
  readonly documents: DocumentStore;
  readonly log: DecisionLog;
  /** Milliseconds that a grant can be redeemed. */
  readonly grantLifetime: number;
  /** Asked through `clock` only. */
  readonly now: () => number;
  /** Tells people, in nobody's way, that a request waits for them. */
  readonly notify: (approval: Approval) => void;
  /** Signed envelopes that are known to be let in. */
  readonly letIn: WeakSet<ChainLink>;
  /** Introductions that are being decided, by envelope. */
  readonly introducing: Map<string, Promise<void>>;
  /** Ends that are recorded or being recorded. */
  readonly ends: WeakMap<ChainLink, Promise<void>>;
  /** The latest permits that were recorded here, or are being recorded, by decision id. */
  readonly recorded: Recent<Promise<void>>;
}

/** What a decision point opens and has to close again, and what of it is kept here. */
export interface OwnRuntime {
  readonly runtime: Runtime;
  /** The ring of an issuer, whose current key becomes `key` where it is another one; what the one before signed goes on. */
  readonly ringOf: (issuer: string, key: NamedKey) => KeyRing;
  /** What vouched answers are signed with where no other key is configured for them. */
  readonly answerKey: SigningKey;
  readonly sweep: (now: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** `path` is the log's, or `memory`. */
export async function createRuntime(path: string, options: PdpOptions): Promise<OwnRuntime> {
  const { now = Date.now, grantLifetime = 10_000, state = createMemoryState(), onApprovalRequest } = options;
  const ownLog = options.log === undefined && path !== "memory" ? await openFileLog(path, { now }) : undefined;
  const memory = createMemoryDocuments();
  const handles = createHandles();
  const rings = new Map<string, KeyRing>();
  return {
    runtime: {
      handles,
      state,
      documents: options.documents ?? memory,
      log: options.log ?? ownLog ?? createMemoryLog({ now }),
      grantLifetime,
      now,
      // A request waits whether anybody could be told or not.
      notify: (approval) =>
        void Promise.resolve(approval)
          .then(onApprovalRequest)
          .catch(() => undefined),
      letIn: new WeakSet(),
      introducing: new Map(),
      ends: new WeakMap(),
      recorded: createRecent(10_000),
    },
    ringOf: (issuer, key) => {
      const ring = rings.get(issuer) ?? createKeyRing({ current: key, now });
      rings.set(issuer, ring);
      if (ring.current().public.thumbprint !== key.public.thumbprint) ring.rotate(key);
      return ring;
    },
    answerKey: await generateKey(),
    sweep: async (time) => {
      handles.sweep(time);
      memory.sweep(time);
      await state.sweep(time);
    },
    close: async () => ownLog?.close(),
  };
}

/** What cannot change while a decision point runs. */
export function checkSame(before: string, after: string): void {
  if (before !== after) throw new AmbitError("config_invalid", "`log` cannot change while the decision point runs; start another one");
}
