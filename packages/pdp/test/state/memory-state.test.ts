import { expect, it } from "vitest";
import { createMemoryState } from "../../src/state/memory-state.ts";
import { commitOf, describeStateStore } from "./state-store.contract.ts";

describeStateStore("memory", async () => createMemoryState());

it("forgets a lineage with everything that belongs to it, and no other", async () => {
  const store = createMemoryState();
  await store.commit(commitOf({ want: 10, account: "one" }));
  await store.commit(commitOf({ want: 10, account: "two", lineage: "l2", callId: "c2" }));
  await store.commit(commitOf({ want: 5, account: "failed", callId: "c3", refundable: false }));
  await store.settle({ tenantId: "t1", envelopeId: "e1", callId: "c3", decisionId: "dec1", action: "cancel", used: {}, observed: false });
  store.forget("t1", "l1");
  expect(await store.commit(commitOf({ want: 10, account: "one" }))).toMatchObject({ status: "committed" });
  expect(await store.commit(commitOf({ want: 10, account: "two", callId: "c3" }))).toMatchObject({ status: "exhausted" });
});
