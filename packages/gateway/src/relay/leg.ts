import { digestOf, own, type Json, type JsonObject } from "@ambit/core";
import { EncryptJWT, jwtDecrypt } from "jose";

/** One of several rounds of a call whose upstream asks for more before it answers (`input_required`, SEP-2322). */
export interface Leg {
  /** Of the call that all of them are: it is decided in each, and charged once. */
  readonly callId: string;
  readonly turn: string;
  /** What the upstream wants back. */
  readonly state: string | undefined;
  /** The names of what it asked. */
  readonly asked: readonly string[];
}

/** What a leg is bound to: it is good for nothing else. */
export interface LegOf {
  readonly server: string;
  readonly method: string;
  readonly params: JsonObject;
  /** The envelope of whoever asks. */
  readonly envelope: { readonly tenantId: string; readonly delegatorId: string; readonly agentId: string; readonly taskId: string };
}

/** Seals what has to come back with the next round, as the client may read or change whatever passes through it. */
export interface LegSeal {
  seal(leg: Leg, of: LegOf): Promise<string>;
  /** What was sealed, and the digest of what it is bound to. `undefined`: it is not of ours, or too old. */
  open(text: string): Promise<{ readonly leg: Leg; readonly boundTo: string } | undefined>;
}

const LIFETIME = 600;

/** `key`: 32 bytes, the same in all replicas. `now` in milliseconds since the epoch. */
export function createLegSeal(key: Uint8Array, now: () => number): LegSeal {
  return {
    seal: async ({ callId, turn, state, asked }, of) =>
      new EncryptJWT({ call: callId, turn, asked, of: boundTo(of), ...(state === undefined ? {} : { state }) })
        .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
        .setExpirationTime(Math.floor(now() / 1000) + LIFETIME)
        .encrypt(key),
    open: async (text) => {
      try {
        const { payload } = await jwtDecrypt(text, key, {
          currentDate: new Date(now()),
          keyManagementAlgorithms: ["dir"],
          contentEncryptionAlgorithms: ["A256GCM"],
          requiredClaims: ["exp", "call", "turn", "of", "asked"],
        });
        const [callId, turn, of, state, asked] = ["call", "turn", "of", "state", "asked"].map((name) =>
          own(payload as { readonly [name: string]: Json }, name),
        );
        if (typeof callId !== "string" || typeof turn !== "string" || typeof of !== "string") return undefined;
        const names = Array.isArray(asked) ? (asked as readonly Json[]).filter((name) => typeof name === "string") : [];
        return { leg: { callId, turn, state: typeof state === "string" ? state : undefined, asked: names }, boundTo: of };
      } catch {
        return undefined; // not of ours, and refused by the caller
      }
    },
  };
}

/** INVARIANT I4, I12: the same request, to the same upstream, of the same task. */
export function boundTo({ server, method, params, envelope }: LegOf): string {
  const { tenantId, delegatorId, agentId, taskId } = envelope;
  return digestOf({ server, method, params, tenantId, delegatorId, agentId, taskId });
}
