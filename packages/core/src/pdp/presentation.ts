import type { JsonObject } from "../data/json.ts";
import type { PublicJwk } from "../token/crypto.ts";

/**
 * How a holder shows the envelope that it acts under. In process an unguessable handle that the decision point gave out; else the signed chain, with a
 * proof of the holder's key over exactly what is asked for. A handle is a capability: nothing of it goes into logs, spans or messages.
 */
export type Presentation =
  | { readonly kind: "handle"; readonly handle: string }
  | {
      readonly kind: "chain";
      /** From the root to the leaf. */
      readonly chain: readonly string[];
      readonly pop: string;
    };

/** What a holder keeps of it: a chain is worth nothing without a proof, and each is made for one question. */
export type Holding = Extract<Presentation, { readonly kind: "handle" }> | { readonly kind: "chain"; readonly chain: readonly string[] };

/** What a holder signs to go on from an envelope: the new one, and the key that it is to be bound to. */
export function renewalArgs(envelope: JsonObject, holder: PublicJwk | undefined): JsonObject {
  return { envelope, holder: holder === undefined ? null : { ...holder } };
}

/** What a proof names instead of a tool where something else than a call is asked for. No tool id has a colon. */
export const ACTS: { readonly end: "ambit:end"; readonly renew: "ambit:renew" } = Object.freeze({ end: "ambit:end", renew: "ambit:renew" });
