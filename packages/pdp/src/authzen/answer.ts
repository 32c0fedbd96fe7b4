import { isJsonObject, own, type Json } from "@ambit/core";

/** INVARIANT I1: whether a value answers a question: own members only, and `decision` a boolean. */
export function isAnswer(value: unknown): value is { readonly decision: boolean } {
  if (typeof value !== "object" || value === null || !isJsonObject(value as Json)) return false;
  const answer = value as { readonly [member: string]: Json };
  const context = own(answer, "context");
  return typeof own(answer, "decision") === "boolean" && (context === undefined || isJsonObject(context));
}
