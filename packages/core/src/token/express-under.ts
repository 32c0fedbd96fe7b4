import { isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import type { ArgumentMap, Tools } from "./capability.ts";
import { readConstraint, type Constraint } from "./constraint.ts";
import type { TokenLimits } from "./limits.ts";
import { subsumes } from "./subsumption.ts";

/**
 * The wanted tools, written so that the parent's verifier can see that they are narrower: an `exact` below an `any` must be an `any` with that one
 * clause, and so on. Nothing is made narrower or wider here; what cannot be written in another way stays as it is, and is refused later if it is wider.
 */
export function expressUnder(parent: Tools, wanted: JsonObject, limits: TokenLimits): JsonObject {
  return mapMembers(wanted, (map, id) => {
    const allowed = parent.get(id);
    return allowed === undefined || !isJsonObject(map) ? map : expressMap(allowed, map, limits);
  });
}

function expressMap(parent: ArgumentMap, map: JsonObject, limits: TokenLimits): JsonObject {
  return mapMembers(map, (entry, name) => {
    const allowed = parent.named.get(name);
    if (allowed === undefined || !isJsonObject(entry)) return entry;
    const optional = own(entry, "optional");
    const bare = Object.fromEntries(Object.entries(entry).filter(([member]) => member !== "optional"));
    const expressed = express(allowed.constraint, bare, limits);
    return expressed === undefined ? entry : { ...expressed, ...(optional === undefined ? {} : { optional }) };
  });
}

function express(parent: Constraint, wanted: JsonObject, limits: TokenLimits): JsonObject | undefined {
  const constraint = readConstraint(wanted, limits);
  if (typeof constraint === "string") return undefined;
  const below = (limit: Constraint): JsonObject | undefined => {
    if (subsumes(limit, constraint)) return wanted;
    if (limit.type === "any") {
      for (const clause of limit.clauses) {
        const expressed = below(clause);
        if (expressed !== undefined) return { constraint_type: "any", constraints: [expressed] };
      }
    }
    if (limit.type === "all") {
      // Each clause of the parent gets one of its own, and all of them say the same: together they accept what was wanted.
      const expressed = limit.clauses.map(below);
      if (expressed.every((clause) => clause !== undefined)) return { constraint_type: "all", constraints: [...new Set(expressed)] };
    }
    return undefined;
  };
  return below(parent);
}

/** `Object.fromEntries` defines members, so that one called `__proto__` stays one. */
function mapMembers(object: JsonObject, change: (value: Json, name: string) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]));
}
