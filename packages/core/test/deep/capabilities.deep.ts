import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../src/data/json.ts";
import { firstWidening, readTools, whyNotAccepted, type Tools } from "../../src/token/capability.ts";
import { TOKEN_LIMITS } from "../../src/token/limits.ts";
import { failingSteps, mapOf, mapTakes, type Wire } from "../support/constraint-model.ts";
import { randomOf, type Random } from "./random.ts";
import { casesOf, count, counted, forEachCase, isWhole, say, SEED } from "./runs.ts";

// A few names and values, so that parents, children and calls meet; among them those that objects inherit, and neighbours that a sloppy comparison takes for one another.
const TOOLS = ["read", "Read", "__proto__", "constructor"];
const NAMES = ["path", "limit", "__proto__", "toString"];
const SCALARS: readonly unknown[] = [null, true, false, -1, 0, 1, 1.5, 2, 3, "", "a", "b", "1", "__proto__"];
const ELEMENTS: readonly unknown[] = [1, 2, "a", "b", "1", [1], { a: 1 }, null];
const BOUNDS = [-1, 0, 1, 1.5, 2];
const MEMBERS = { one_of: "values", not_one_of: "excluded", contains: "required", subset: "allowed" } as const;
const TYPES = ["exact", "range", "range", "one_of", "not_one_of", "contains", "subset", "wildcard", "all", "any"];

/** Own members, `__proto__` among them. */
const object = (entries: readonly (readonly [string, unknown])[]): Wire => Object.fromEntries(entries);

function someList({ some, pick }: Random, isFull = false): readonly unknown[] {
  const list = some(ELEMENTS, 40);
  return isFull && list.length === 0 ? [pick(ELEMENTS)] : list;
}

function someRange(random: Random): Wire {
  const { chance, pick } = random;
  const [a, b] = [pick(BOUNDS), pick(BOUNDS)];
  const end = (name: string, at: number): readonly (readonly [string, unknown])[] =>
    chance(30) ? [] : [[name, at], ...(chance(40) ? [[`${name}_inclusive`, chance(30)] as const] : [])];
  return object([["constraint_type", "range"], ...end("min", Math.min(a, b)), ...end("max", Math.max(a, b))]);
}

function someConstraint(random: Random, depth = 0): Wire {
  const { below, pick } = random;
  const type = depth > 2 ? "exact" : pick(TYPES);
  if (type === "exact") return { constraint_type: type, value: pick(SCALARS) };
  if (type === "range") return someRange(random);
  if (type === "wildcard") return { constraint_type: type };
  if (type === "all" || type === "any") {
    return { constraint_type: type, constraints: Array.from({ length: 1 + below(3) }, () => someConstraint(random, depth + 1)) };
  }
  return { constraint_type: type, [MEMBERS[type as keyof typeof MEMBERS]]: someList(random, type === "one_of") };
}

/** Often narrower, sometimes wider, sometimes something else altogether. */
function someChild(random: Random, parent: Wire, depth = 0): Wire {
  const { below, chance, pick, some } = random;
  if (chance(8)) return someConstraint(random, depth);
  const type = parent["constraint_type"] as string;
  if (type === "wildcard") return someConstraint(random, depth);
  if (type === "range") {
    if (chance(20)) return { constraint_type: "exact", value: pick(BOUNDS) };
    const tighter = { ...parent, ...(chance(50) ? { [`${pick(["min", "max"])}_inclusive`]: false } : {}) } as Record<string, unknown>;
    for (const end of ["min", "max"]) if (!Object.hasOwn(tighter, end)) delete tighter[`${end}_inclusive`];
    if (chance(30)) tighter["min"] = Math.min((tighter["max"] ?? 2) as number, pick(BOUNDS));
    return tighter;
  }
  if (type === "all" || type === "any") {
    const clauses = parent["constraints"] as readonly Wire[];
    const kept = type === "all" || clauses.length === 1 ? clauses : clauses.slice(below(clauses.length));
    const changed = kept.map((clause) => (chance(60) ? someChild(random, clause, depth + 1) : clause));
    return { constraint_type: type, constraints: chance(15) ? [...changed, someConstraint(random, depth + 1)] : changed.toReversed() };
  }
  if (!Object.hasOwn(MEMBERS, type)) return parent;
  const member = MEMBERS[type as keyof typeof MEMBERS];
  const list = parent[member] as readonly unknown[];
  const isNarrowedByLess = type === "one_of" || type === "subset";
  const changed = isNarrowedByLess ? some(list, 70) : [...list, ...some(ELEMENTS, 20)];
  if (type === "one_of" && chance(25)) return { constraint_type: "exact", value: pick(list.filter((value) => typeof value !== "object").concat("a")) };
  return { constraint_type: type, [member]: type === "one_of" && changed.length === 0 ? list : changed };
}

const STAR = ["*", { constraint_type: "wildcard" }] as const;

function optionally({ chance }: Random, constraint: Wire, isOptional: boolean): Wire {
  if (isOptional) return { ...constraint, optional: true };
  return chance(10) ? { ...constraint, optional: false } : constraint;
}

function someMap(random: Random): Wire {
  const { chance, some } = random;
  if (chance(8)) return {};
  const named = some(NAMES, 45).map((name) => [name, optionally(random, someConstraint(random), chance(35))] as const);
  return object(chance(35) ? [...named, STAR] : named);
}

function someMapBelow(random: Random, parent: Wire): Wire {
  const { chance, pick } = random;
  if (chance(8)) return someMap(random);
  const isOpen = Object.keys(parent).length === 0 || Object.hasOwn(parent, "*");
  const entries = Object.entries(parent)
    .filter(([name]) => name !== "*")
    .filter(([, entry]) => !chance((entry as Wire)["optional"] === true ? 30 : 4))
    .map(([name, entry]) => {
      const { optional, ...constraint } = entry as Wire;
      return [name, optionally(random, someChild(random, constraint), optional === true ? chance(60) : chance(4))] as const;
    });
  const more = chance(isOpen ? 40 : 4) ? [[pick(NAMES), optionally(random, someConstraint(random), chance(40))] as const] : [];
  return object([...more, ...entries, ...(chance(isOpen ? 60 : 5) ? [STAR] : [])]);
}

function someArguments(random: Random): Wire {
  const { chance, pick, some } = random;
  const value = (): unknown => (chance(55) ? pick(SCALARS) : chance(85) ? some(ELEMENTS, 35) : pick(ELEMENTS));
  return object(some([...NAMES, "*", "further"], 40).map((name) => [name, value()]));
}

function read(wire: Wire): Tools {
  const tools = readTools(wire as JsonObject, TOKEN_LIMITS);
  if ("kind" in tools) throw new Error(`not well-formed: ${tools.reason}`);
  return tools;
}

const CASES = 1_000_000;

describe("what a child may call", () => {
  it("is decided as the tables of the draft decide it, and never lets a call through that its parent does not", async () => {
    const verdicts = new Map<string, number>();
    let [calls, permitted, narrowed] = [0, 0, 0];
    await forEachCase("capabilities", CASES, (index) => {
      const random = randomOf(SEED, index);
      const parent = object(random.some(TOOLS, 45).map((tool) => [tool, someMap(random)]));
      const child = object([
        ...Object.keys(parent).flatMap((tool) => (random.chance(80) ? [[tool, someMapBelow(random, parent[tool] as Wire)] as const] : [])),
        ...(random.chance(4) ? [[random.pick(TOOLS), someMap(random)] as const] : []),
      ]);
      const [above, below] = [read(parent), read(child)];
      const widening = firstWidening(above, below);
      const failing = failingSteps(parent, child);
      const shown = (): string => JSON.stringify({ parent, child, widening, failing: [...failing] });
      if (widening === undefined ? failing.size > 0 : !failing.has(widening.step)) throw new Error(`another verdict than the table's: ${shown()}`);
      count(verdicts, widening?.step ?? "narrower");

      for (const [tool, map] of below) {
        const [model, parentModel] = [mapOf(child[tool] as Wire), Object.hasOwn(parent, tool) ? mapOf(parent[tool] as Wire) : undefined];
        for (let call = 0; call < 3; call++) {
          const args = someArguments(random);
          const isAccepted = whyNotAccepted(map, args as Readonly<Record<string, Json>>) === undefined;
          if (isAccepted !== mapTakes(model, args)) throw new Error(`another answer than the model's to ${JSON.stringify(args)}: ${shown()}`);
          calls++;
          if (!isAccepted) continue;
          permitted++;
          const isWithin = parentModel !== undefined && mapTakes(parentModel, args);
          if (widening !== undefined) continue;
          narrowed++;
          if (!isWithin) throw new Error(`the child alone accepts ${JSON.stringify(args)}: ${shown()}`);
        }
      }
    });
    say(`${counted(verdicts)}\n  ${calls} calls, ${permitted} of them within the child, ${narrowed} of those within one that is narrower`);
    if (!isWhole) return;
    for (const verdict of ["narrower", "4p1", "4p2", "4p3", "4p4"]) expect(verdicts.get(verdict) ?? 0, verdict).toBeGreaterThan(casesOf(CASES) / 200);
    expect(permitted).toBeGreaterThan(casesOf(CASES) / 10);
    expect(narrowed).toBeGreaterThan(casesOf(CASES) / 20);
  });
});
