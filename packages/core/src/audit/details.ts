import { own, type Json, type JsonObject } from "../data/json.ts";
import type { LogRecord } from "./record.ts";

/** What was decided. Anything recorded that is neither a permit nor waits for an approval is a deny. */
export type RecordedVerdict = "permit" | "deny" | "approval_required";

export function verdictOf({ details }: Pick<LogRecord, "details">): RecordedVerdict {
  const decision = own(details, "decision");
  return decision === "permit" || decision === "approval_required" ? decision : "deny";
}

/** Whether the call went on whatever was decided of it. A record that says nothing was enforced. */
export function isObserved({ details }: Pick<LogRecord, "details">): boolean {
  return own(details, "mode") === "observe";
}

export function textAt(object: JsonObject, member: string): string | undefined {
  const value = own(object, member);
  return typeof value === "string" ? value : undefined;
}

export function numberAt(object: JsonObject, member: string): number | undefined {
  const value = own(object, member);
  return typeof value === "number" ? value : undefined;
}

export function listAt(object: JsonObject, member: string): readonly Json[] {
  const value = own(object, member);
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

export function textsAt(object: JsonObject, member: string): readonly string[] {
  return listAt(object, member).filter((element) => typeof element === "string");
}

/** INVARIANT I12: the tenant is part of every key. */
export function keyOf(tenant: string, ...rest: readonly string[]): string {
  return JSON.stringify([tenant, ...rest]);
}
