import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";

/** AuthZEN Obligations Profile 1.0, draft 1 of 2026-07-03. Another draft is another module. */

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

function readOne(json: Json): WireObligation | undefined {
  if (!isJsonObject(json)) return undefined;
  const [id, type, properties] = ["id", "type", "properties"].map((member) => own(json, member));
  return typeof id === "string" && typeof type === "string" && isJsonObject(properties) ? { id, type, properties } : undefined;
}
