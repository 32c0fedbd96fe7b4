import type { Pep } from "@ambit/core";
import { describe, expect, it } from "vitest";
import type { Harness } from "../src/index.ts";
import { harness } from "./support/example.ts";
import { failedGroups } from "./support/failed-groups.ts";

const { lists: _, ...cannot } = harness.cannot ?? {};

/** The adapter of the README for a framework that shows tools, which asks `offers` which of them. */
function listing(offers: (pep: Pep) => Pep["offers"] = (pep) => pep.offers, order = (names: readonly string[]) => names): Harness {
  return {
    ...harness,
    cannot,
    list: async ({ pep, envelope, tools }) => {
      const names = tools.map(({ name }) => name);
      const offered = await offers(pep)(envelope, names);
      return order(names.filter((name) => offered.has(name)));
    },
  };
}

const first = new WeakMap<Pep["offers"], ReturnType<Pep["offers"]>>();
const ALONE = ["a list of tools"];
const LISTS = [...ALONE, "a list of tools and the decision (handles)", "a list of tools and the decision (signed envelopes)"];

const MUTANTS: readonly (readonly [flaw: string, harness: Harness, groups: readonly string[]])[] = [
  ["shows every tool", listing(() => async (_envelope, names) => new Set(names)), LISTS],
  ["shows no tool", listing(() => async () => new Set()), LISTS],
  [
    "shows every tool where it cannot be told which",
    listing(
      ({ offers }) =>
        (envelope, names) =>
          offers(envelope, names).catch(() => new Set(names)),
    ),
    ALONE,
  ],
  [
    "shows for ever what the first envelope could use",
    listing(({ offers }) => (envelope, names) => {
      const list = first.get(offers) ?? offers(envelope, names);
      first.set(offers, list);
      return list;
    }),
    ALONE,
  ],
  [
    "shows the tools of another server",
    listing(
      ({ offers }) =>
        (envelope, names) =>
          offers(envelope, names, "another"),
    ),
    ALONE,
  ],
  ["shows tools in an order of its own", listing(undefined, (names) => names.toReversed()), ALONE],
  [
    "has a decision taken on each tool that it shows",
    listing(({ admit, offers }) => async (envelope, names) => {
      for (const tool of names) await admit({ envelope, tool, arguments: {} });
      return offers(envelope, names);
    }),
    LISTS,
  ],
];

describe("an adapter that shows tools", () => {
  it("passes when it shows what the envelope could use", async () => {
    expect(await failedGroups(listing(), LISTS)).toEqual([]);
  });

  it.each(MUTANTS)("does not pass when it %s", async (_flaw, mutant, expected) => {
    expect(await failedGroups(mutant, expected)).toEqual(expected.toSorted());
  });
});
