import { isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import { accepts, readConstraint, WILDCARD, type Constraint } from "./constraint.ts";
import { describeConstraint, whyNotSubsumed } from "./describe.ts";
import type { TokenLimits } from "./limits.ts";
import { because, quoted, type Reason } from "./reason.ts";
import { subsumes } from "./subsumption.ts";

/** What a token lets its holder ask for: tool ids, compared as exact strings (INVARIANT I14), and what their arguments may be. */
export type Tools = ReadonlyMap<string, ArgumentMap>;

/** A constraint map of draft section 3.3, `{}` already read as `{"*": wildcard}`. */
export interface ArgumentMap {
  readonly named: ReadonlyMap<string, NamedArgument>;
  /** Whether it has `*`: arguments that it does not name are let through. */
  readonly isOpen: boolean;
}

export interface NamedArgument {
  readonly constraint: Constraint;
  readonly isOptional: boolean;
}

/** The empty capability set: what a token without an AAT entry stands for. */
export const NO_TOOLS: Tools = new Map();

export interface CapabilityProblem {
  /** `shape`: no map of maps (steps 3m, 4n). `constraint`: a constraint that is not well-formed (steps 3n, 4o). */
  readonly kind: "shape" | "constraint";
  readonly reason: string;
}

/** Reads the `tools` member of an AAT entry, constraints of tools that nobody invokes included. */
export function readTools(json: Json | undefined, limits: TokenLimits): Tools | CapabilityProblem {
  const shape = (reason: string): CapabilityProblem => ({ kind: "shape", reason });
  if (!isJsonObject(json)) return shape("`tools` is not an object");
  const ids = Object.keys(json);
  if (ids.length > limits.tools) return shape(`there are more than ${limits.tools} tools`);
  const tools = new Map<string, ArgumentMap>();
  for (const id of ids) {
    if (id.length > limits.toolIdLength) return shape(`a tool id is longer than ${limits.toolIdLength} characters`);
    const map = own(json, id);
    if (!isJsonObject(map)) return shape(`the constraints of tool ${quoted(id)} are not an object`);
    const read = readArgumentMap(map, limits);
    if (typeof read === "string") return { kind: "constraint", reason: `tool ${quoted(id)}: ${read}` };
    tools.set(id, read);
  }
  return tools;
}

/** `{}`, which nearly every tool of an envelope has. */
export const ANY_ARGUMENTS: ArgumentMap = Object.freeze({ named: new Map(), isOpen: true });

function readArgumentMap(map: JsonObject, limits: TokenLimits): ArgumentMap | string {
  const names = Object.keys(map);
  if (names.length === 0) return ANY_ARGUMENTS;
  if (names.length > limits.toolArguments) return `more than ${limits.toolArguments} arguments are named`;
  const named = new Map<string, NamedArgument>();
  let isOpen = false;
  for (const name of names) {
    const entry = own(map, name) as Json;
    const optional = isJsonObject(entry) ? own(entry, "optional") : undefined;
    if (optional !== undefined && typeof optional !== "boolean") return `\`optional\` of ${quoted(name)} is no boolean`;
    const constraint = readConstraint(optional === undefined ? entry : without(entry as JsonObject, "optional"), limits);
    if (typeof constraint === "string") return `the constraint of ${quoted(name)} ${constraint}`;
    if (name === "*") {
      if (constraint.type !== "wildcard" || optional !== undefined) return "`*` is not a bare wildcard";
      isOpen = true;
    } else {
      named.set(name, { constraint, isOptional: optional === true });
    }
  }
  return { named, isOpen };
}

function without(object: JsonObject, member: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== member));
}

/** The closed-world check of step 6b: why the arguments are outside the map, or `undefined` when they are within. */
export function whyNotAccepted(map: ArgumentMap, args: JsonObject): Reason | undefined {
  for (const [name, { constraint, isOptional }] of map.named) {
    const value = own(args, name);
    if (value === undefined) {
      if (!isOptional) return because(`argument ${quoted(name)} is missing`);
    } else if (!accepts(constraint, value)) {
      return because(`argument ${quoted(name)} has a value outside ${describeConstraint(constraint)}`);
    }
  }
  if (map.isOpen) return undefined;
  const unnamed = Object.keys(args).find((name) => !map.named.has(name));
  return unnamed === undefined ? undefined : because(`argument ${quoted(unnamed)} is not named and there is no \`*\``);
}

export interface Widening {
  /** Step 4p1 to 4p4 of the draft. */
  readonly step: string;
  /** The tool, and what of it is wider. */
  readonly what: string;
  /** What the parent has instead. */
  readonly instead: Reason;
}

/**
 * Step 4p: the first thing that `child` has and `parent` does not, or `undefined` when the child is within the parent.
 *
 * INVARIANT I2: what the child permits, the parent permits.
 */
export function firstWidening(parent: Tools, child: Tools): Widening | undefined {
  for (const [id, map] of child) {
    const allowed = parent.get(id);
    if (allowed === undefined) return { step: "4p1", what: `tool ${quoted(id)}`, instead: because("does not have it") };
    if (allowed === map) continue; // nothing is wider than itself
    const widening = widerMap(allowed, map);
    if (widening !== undefined) return { ...widening, what: `tool ${quoted(id)} with ${widening.what}` };
  }
  return undefined;
}

function widerMap(parent: ArgumentMap, child: ArgumentMap): Widening | undefined {
  const wider = (step: string, what: string, instead: string | Reason): Widening => ({
    step,
    what,
    instead: typeof instead === "string" ? because(instead) : instead,
  });
  if (child.isOpen && !parent.isOpen) return wider("4p2", "arguments that nobody named (`*`, or `{}`)", "names every argument");
  for (const name of child.named.keys()) {
    if (!parent.isOpen && !parent.named.has(name)) return wider("4p2", `argument ${quoted(name)}`, "neither names it nor has `*`");
  }
  for (const [name, { isOptional }] of parent.named) {
    if (child.named.has(name)) continue;
    if (!isOptional) return wider("4p2", `no constraint on ${quoted(name)}`, "requires it");
    if (child.isOpen) return wider("4p2", `\`*\` in place of ${quoted(name)}`, "constrains it");
  }
  for (const [name, { constraint, isOptional }] of child.named) {
    const allowed = parent.named.get(name);
    if (isOptional && allowed?.isOptional === false) return wider("4p3", `${quoted(name)} optional`, "requires it");
    const limit = allowed?.constraint ?? WILDCARD;
    if (!subsumes(limit, constraint)) {
      const inner = whyNotSubsumed(limit, constraint);
      return wider("4p4", `${quoted(name)} as ${describeConstraint(constraint)}`, because(`allows it only as ${describeConstraint(limit)}`, inner));
    }
  }
  return undefined;
}
