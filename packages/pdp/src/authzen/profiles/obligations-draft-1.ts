import { isJsonObject, own, type Json, type JsonObject, type Obligation } from "@ambit/core";

/** AuthZEN Obligations Profile 1.0, draft 1 of 2026-07-03. Another draft is another module. */

/** Our obligations are of no type that is registered, so they travel as `custom`, under this name. */
export const OBLIGATION_VENDOR = "urn:ambit:obligation:1";

/** What the metadata of a decision point say that gives out such obligations. */
export function obligationsMetadata(): JsonObject {
  return { supported_obligations: ["custom"] };
}

/** Our obligations as `context.obligations`; absent where there are none. */
export function obligationsContext(obligations: readonly Obligation[] = []): { readonly obligations?: readonly JsonObject[] } {
  if (obligations.length === 0) return {};
  return {
    obligations: obligations.map(({ id, type, properties }) => ({
      id,
      type: "custom",
      properties: { vendor: OBLIGATION_VENDOR, obligation: type, parameters: properties as unknown as JsonObject },
    })),
  };
}

/** An obligation as the profile has it. */
export interface WireObligation {
  readonly id: string;
  readonly type: string;
  readonly properties: JsonObject;
}

/**
 * The obligations of an answer's `context`; `undefined` where there is something that is none, which is a deny (section 3.4). Whoever gets some must carry out every
 * one of them, on a permit and on a deny; one that is not understood makes the answer a deny.
 */
export function readObligations(context: JsonObject | undefined): readonly WireObligation[] | undefined {
  const listed = (context === undefined ? undefined : own(context, "obligations")) ?? [];
  if (!Array.isArray(listed)) return undefined;
  const read = (listed as readonly Json[]).map(readOne);
  const ids = new Set(read.map((one) => one?.id));
  return read.every((one) => one !== undefined) && ids.size === read.length ? read : undefined;
}

/** What an obligation of ours says; `undefined` for any other. Whether it is one that is known is for whoever carries it out. */
export function ourObligation({ type, properties }: WireObligation): { readonly type: string; readonly properties: JsonObject } | undefined {
  const [vendor, ours, parameters] = ["vendor", "obligation", "parameters"].map((member) => own(properties, member));
  if (type !== "custom" || vendor !== OBLIGATION_VENDOR || typeof ours !== "string" || !isJsonObject(parameters)) return undefined;
  return { type: ours, properties: parameters };
}

function readOne(json: Json): WireObligation | undefined {
  if (!isJsonObject(json)) return undefined;
  const [id, type, properties] = ["id", "type", "properties"].map((member) => own(json, member));
  return typeof id === "string" && typeof type === "string" && isJsonObject(properties) ? { id, type, properties } : undefined;
}
