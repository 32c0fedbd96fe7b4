import { isIdentifier, isJsonObject, type Json, type JsonObject } from "@ambit/core";
import { mayActFor, type Authenticated } from "../server/callers.ts";
import { requestProblem } from "../server/problem.ts";
import type { RouteCall } from "../server/route.ts";

/** INVARIANT I12: a caller acts for the tenants that it was let in for. */
export function tenantOf({ caller }: RouteCall, tenantId: unknown): string {
  if (!isIdentifier(tenantId)) throw requestProblem("request_malformed", "`tenant_id` must be the id of a tenant");
  if (!mayActFor(caller as Authenticated, tenantId)) throw requestProblem("forbidden", "the caller may not act for this tenant");
  return tenantId;
}

/** A body with none but these members. */
export function onlyMembers(json: Json | undefined, known: readonly string[]): JsonObject {
  if (json === undefined || !isJsonObject(json)) throw requestProblem("request_malformed", "the body must be an object");
  const other = Object.keys(json).find((member) => !known.includes(member));
  if (other !== undefined) throw requestProblem("request_malformed", "the body has a member that is not known");
  return json;
}
