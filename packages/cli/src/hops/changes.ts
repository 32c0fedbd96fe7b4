import { canonicalJson, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { argumentTexts } from "./constraint-text.ts";
import { flatten, textsOf, type Hop } from "./hop.ts";

/**
 * What is different from the token before. `wider` is only said where any verifier would refuse it, `narrowed` only where every one sees it so; how
 * a constraint of somebody's own vocabulary compares cannot be told here.
 */
export interface Change {
  readonly kind: "narrowed" | "changed" | "wider";
  readonly dimension: string;
  /** `null`: absent. */
  readonly from: Json;
  readonly to: Json;
}

/** What a hop takes from what the one before it has. */
export function changesOf(parent: Hop, child: Hop): readonly Change[] {
  const { claims: above } = parent;
  const { claims } = child;
  const changes: Change[] = [];
  const note = (kind: Change["kind"], dimension: string, from: Json | undefined, to: Json | undefined): void => {
    if (canonicalJson(from ?? null) !== canonicalJson(to ?? null)) changes.push({ kind, dimension, from: from ?? null, to: to ?? null });
  };
  /** What there may be at most of it. */
  const falling = (dimension: string, from: Json | undefined, to: Json | undefined): void => {
    const isWithin = from === undefined || (typeof from === "number" && typeof to === "number" && to <= from);
    note(isWithin ? "narrowed" : "wider", dimension, from, to);
  };

  for (const member of ["tenant_id", "delegator_id", "session_id"]) note("wider", member, memberOf(parent, member), memberOf(child, member));
  for (const member of ["task_id", "purpose"]) note("changed", member, memberOf(parent, member), memberOf(child, member));
  toolChanges(parent, child, note);
  for (const member of ["denied_tools", "approvals"]) {
    const [from, to] = [textsOf(parent.envelope, member), textsOf(child.envelope, member)];
    note(isPart(from, to) ? "narrowed" : "wider", member, from, to);
  }
  constraintChanges(parent, child, note);
  const [budgets, limits] = [flatten(memberOf(parent, "budgets")), flatten(memberOf(child, "budgets"))];
  for (const name of new Set([...budgets.keys(), ...limits.keys()])) {
    // A map of money names the only currencies, so that one less is narrower.
    if (/(?:^|\/)money(?:\/|$)/.test(name)) note("changed", `budgets ${name}`, budgets.get(name), limits.get(name));
    else falling(`budgets ${name}`, budgets.get(name), limits.get(name));
  }
  // A token that names no audience takes none away: every one above it counts still.
  if (claims.audience !== undefined) note("narrowed", "audience", above.audience, claims.audience);
  falling("max_depth", above.maxDepth, claims.maxDepth);
  falling("expires", above.expiresAt, claims.expiresAt);
  return changes;
}

type Note = (kind: Change["kind"], dimension: string, from: Json | undefined, to: Json | undefined) => void;

function memberOf({ envelope }: Hop, member: string): Json | undefined {
  return envelope === undefined ? undefined : own(envelope, member);
}

function toolChanges(parent: Hop, child: Hop, note: Note): void {
  if (parent.envelope !== undefined && child.envelope !== undefined) {
    const reach = [...textsOf(parent.envelope, "allowed_tools"), ...textsOf(parent.envelope, "may_delegate")];
    for (const member of ["allowed_tools", "may_delegate"]) {
      const [from, to] = [textsOf(parent.envelope, member), textsOf(child.envelope, member)];
      note(isPart(to, reach) ? "narrowed" : "wider", member, from, to);
    }
    return;
  }
  if (parent.envelope !== undefined) note("wider", "envelope", true, undefined);
  const [above, own_] = [parent.claims.tools ?? new Map(), child.claims.tools ?? new Map()];
  const [from, to] = [[...above.keys()], [...own_.keys()]] as [string[], string[]];
  note(isPart(to, from) ? "narrowed" : "wider", "tools", from, to);
  for (const [tool, map] of child.claims.tools ?? []) {
    const allowed = parent.claims.tools?.get(tool);
    if (allowed === undefined) continue;
    const [before, after] = [argumentTexts(allowed), argumentTexts(map)];
    for (const name of new Set([...before.keys(), ...after.keys()])) note("changed", `${tool} ${name}`, before.get(name), after.get(name));
  }
}

function constraintChanges(parent: Hop, child: Hop, note: Note): void {
  const [above, below] = [constraintsOf(parent), constraintsOf(child)];
  for (const key of new Set([...Object.keys(above), ...Object.keys(below)])) {
    const [from, to] = [own(above, key), own(below, key)];
    const isShorter = Array.isArray(from) && Array.isArray(to) && isPart(to as readonly Json[], from as readonly Json[]);
    const kind = from === undefined || isShorter ? "narrowed" : to === undefined ? "wider" : "changed";
    note(key === "max_records" && typeof from === "number" && typeof to === "number" ? (to <= from ? "narrowed" : "wider") : kind, key, from, to);
  }
}

function constraintsOf(hop: Hop): JsonObject {
  const constraints = memberOf(hop, "resource_constraints");
  return isJsonObject(constraints) ? constraints : {};
}

function isPart(part: readonly Json[], whole: readonly Json[]): boolean {
  const elements = new Set(whole);
  return part.every((element) => elements.has(element));
}
