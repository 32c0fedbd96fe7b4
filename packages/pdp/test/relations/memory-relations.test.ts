import { expect, it } from "vitest";
import { createMemoryRelations } from "../../src/relations/index.ts";
import { describeRelationStore, doc, tuple, user } from "./relation-store.contract.ts";

describeRelationStore("memory", async () => createMemoryRelations());

it("keeps nothing of objects and subjects that no tuple names any more", async () => {
  const store = createMemoryRelations();
  const tuples = [
    tuple(doc("1"), "owner", user("a")),
    tuple(doc("1"), "owner", { ...user("b"), relation: "deputy" }),
    tuple(doc("1"), "parent", doc("1")),
    tuple(doc("2"), "owner", { type: "user", everyone: true }),
  ];
  await store.write("t", { add: tuples, remove: [] });
  expect([...(store.graphOf?.("t")?.nodes.keys() ?? [])]).toEqual(["Doc", "user"]);
  await store.write("t", { add: [], remove: tuples });
  expect(store.graphOf?.("t")?.nodes.size).toBe(0);
});
