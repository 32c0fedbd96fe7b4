import { expect, it } from "vitest";
import { createMemoryDocuments } from "../../src/state/memory-documents.ts";
import { describeDocumentStore } from "./document-store.contract.ts";

describeDocumentStore("memory", async () => createMemoryDocuments());

it("drops what need not be kept any longer, and nothing else", async () => {
  const store = createMemoryDocuments();
  await store.put("t1", "c", "old", {}, 0, 10);
  await store.put("t1", "c", "new", {}, 0, 30);
  store.sweep(20);
  expect((await store.list("t1", "c", "", 10)).map(({ id }) => id)).toEqual(["new"]);
});
