import type { DocumentStore } from "@ambit/core";
import { describe, expect, it } from "vitest";

const LATER = 2_000_000_000_000;

/** What every document store must do; each store runs this very suite. `create` gives an empty one. */
export function describeDocumentStore(name: string, create: () => Promise<DocumentStore>): void {
  describe(`${name}: documents`, () => {
    it("are written and read as they are", async () => {
      const store = await create();
      const content = { a: [1, "ü\u{1F600}", null, { b: false }], n: -9007199254740991, "": "" };
      expect(await store.get("t1", "c", "d")).toBeUndefined();
      expect(await store.put("t1", "c", "d", content, 0, LATER)).toBe(true);
      expect(await store.get("t1", "c", "d")).toMatchObject({ id: "d", version: 1, content });
      expect((await store.get("t1", "c", "d"))?.content).toStrictEqual(content);
    });

    it("are written over by who has read the last version, and by nobody else", async () => {
      const store = await create();
      expect(await store.put("t1", "c", "d", { n: 1 }, 1, LATER)).toBe(false);
      expect(await store.put("t1", "c", "d", { n: 1 }, 0, LATER)).toBe(true);
      expect(await store.put("t1", "c", "d", { n: 2 }, 0, LATER)).toBe(false);
      expect(await store.put("t1", "c", "d", { n: 3 }, 1, LATER)).toBe(true);
      expect(await store.put("t1", "c", "d", { n: 4 }, 1, LATER)).toBe(false);
      expect(await store.get("t1", "c", "d")).toMatchObject({ version: 2, content: { n: 3 } });
    });

    it("are written by one of many who write at the same time", async () => {
      const store = await create();
      const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => store.put("t1", "c", "d", { n }, 0, LATER)));
      expect(answers.filter((isWritten) => isWritten)).toHaveLength(1);
      const again = await Promise.all(Array.from({ length: 20 }, (_, n) => store.put("t1", "c", "d", { n }, 1, LATER)));
      expect(again.filter((isWritten) => isWritten)).toHaveLength(1);
    });

    it("are listed page by page, in the order of their ids", async () => {
      const store = await create();
      const ids = ["b", "a", "B", "a:1", "é", "_", "10", "9"];
      for (const id of ids) await store.put("t1", "c", id, { id }, 0, LATER);
      const sorted = [...ids].sort();
      expect((await store.list("t1", "c", "", 3)).map(({ id }) => id)).toEqual(sorted.slice(0, 3));
      expect((await store.list("t1", "c", sorted[2] as string, 100)).map(({ id }) => id)).toEqual(sorted.slice(3));
      expect(await store.list("t1", "c", sorted.at(-1) as string, 100)).toEqual([]);
    });

    it("mix neither with those of another tenant nor of another collection", async () => {
      const store = await create();
      await store.put("t1", "c", "d", { n: 1 }, 0, LATER);
      for (const [tenant, collection] of [
        ["t2", "c"],
        ["t1", "c2"],
        ["t1c", ""],
        ["", "t1c"],
        ["__proto__", "c"],
        ["t1", "constructor"],
      ] as const) {
        expect(await store.get(tenant, collection, "d")).toBeUndefined();
        expect(await store.list(tenant, collection, "", 10)).toEqual([]);
        expect(await store.put(tenant, collection, "d", {}, 0, LATER)).toBe(true);
      }
      expect(await store.get("t1", "c", "d")).toMatchObject({ version: 1, content: { n: 1 } });
    });
  });
}
