import { copyData, type JsonObject } from "../data/json.ts";
import { AmbitError } from "../errors.ts";
import type { Refusal } from "../pdp/decision.ts";
import { refusal } from "./ask.ts";

/** Arguments that are not plain data are not asked about, but the attempt is still recorded. */
export function readArguments(raw: unknown): { readonly args: JsonObject; readonly flaw?: Refusal } {
  try {
    const args = copyData(raw ?? {}, "argument_not_allowed", "the arguments");
    if (typeof args === "object" && args !== null && !Array.isArray(args)) return { args: args as JsonObject };
    return { args: {}, flaw: { ...refusal("argument_not_allowed", "the arguments must be an object"), step: "call" } };
  } catch (error) {
    const message = AmbitError.isInstance(error) ? error.message : "the arguments cannot be read";
    return { args: {}, flaw: { ...refusal("argument_not_allowed", message), step: "call" } };
  }
}
