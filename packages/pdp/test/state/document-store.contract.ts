import type { DocumentStore, JsonObject } from "@ambit/core";
import { describe, expect, it } from "vitest";

const LATER = 2_000_000_000_000;

type SweptStore = DocumentStore & { sweep(now: number): Promise<void> | void };

/** Ids that end a text, a tag or a key, that are inherited names, that UTF-8 cannot tell apart, and that a script answers with; in the order of their code units. */
const HOSTILE = [
  ...'\0 \0\0 \u0001 \u00010000 \n " % %003a ( * 1 10 9 : A A\u0000 B [ \\ __proto__ a a:1 a}:ends:c again constructor e\u0301 toString { } \u007f \u007f0000 \u0080 ä é'.split(
    " ",
  ),
  ..."\u212a \ud7ff \ud800 \ud800a \ud800\udc00 \u{1f600} \udbff\udfff \udc00 \ue000 \ufb01 \ufffd \uffff".split(" "),
  "x".repeat(256),
].sort();

/** What every document store must do; each store runs this very suite. `create` gives an empty one. */
export function describeDocumentStore(name: string, create: () => Promise<SweptStore>): void {
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

    it("are whose id it is, and nobody else's, whatever it consists of, in the order of its code units", async () => {
      const store = await create();
      for (const id of HOSTILE.toReversed()) expect(await store.put("t1", "c", id, { id }, 0, LATER)).toBe(true);
      for (const id of HOSTILE) {
        expect(await store.put("t1", "c", id, { id }, 0, LATER)).toBe(false);
        expect(await store.get("t1", "c", id)).toMatchObject({ id, version: 1, content: { id } });
      }
      const listed = await store.list("t1", "c", "", 1000);
      expect(listed.map(({ id }) => id)).toEqual(HOSTILE);
      expect(listed.map(({ content }) => content["id"])).toEqual(HOSTILE);
      for (const [index, id] of HOSTILE.entries())
        expect((await store.list("t1", "c", id, 2)).map((next) => next.id)).toEqual(HOSTILE.slice(index + 1, index + 3));
    });

    it("hold whatever JSON can, member by member", async () => {
      const store = await create();
      const text = '{"__proto__":{"a":1},"constructor":"again","\\ud800":"\\u0000\\udc00","again":[],"z":9007199254740991,"a":1.5e-7}';
      await store.put("t1", "c", "d", JSON.parse(text) as JsonObject, 0, LATER);
      expect(JSON.stringify((await store.get("t1", "c", "d"))?.content)).toBe(text);
      expect(JSON.stringify((await store.list("t1", "c", "", 1))[0]?.content)).toBe(text);
    });

    it("are not written at a version or until a time that is none, nor listed at a length that is none", async () => {
      const store = await create();
      for (const number of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
        await expect(store.put("t1", "c", "d", {}, number, LATER)).rejects.toThrow(RangeError);
        await expect(store.list("t1", "c", "", number)).rejects.toThrow(RangeError);
        if (number !== -1) await expect(store.put("t1", "c", "d", {}, 0, number)).rejects.toThrow(RangeError);
      }
      expect(await store.put("t1", "c", "d", {}, 0, Number.MAX_SAFE_INTEGER)).toBe(true);
      expect(await store.list("t1", "c", "", 0)).toEqual([]);
      expect(await store.list("t1", "c", "", Number.MAX_SAFE_INTEGER)).toHaveLength(1);
    });

    it("are dropped when they need not be kept any longer, not sooner, and begin anew then", async () => {
      const store = await create();
      const page = async (collection: string): Promise<readonly string[]> => (await store.list("t1", collection, "", 1000)).map(({ id }) => id);
      for (let index = 0; index < 250; index += 1) await store.put("t1", "old", `d${index}`, {}, 0, index % 2 === 0 ? 10 : 20);
      await store.put("t1", "c", "longer", { n: 1 }, 0, 10);
      await store.put("t1", "c", "longer", { n: 2 }, 1, 30);
      await store.put("t1", "c", "shorter", { n: 1 }, 0, 30);
      await store.put("t1", "c", "shorter", { n: 2 }, 1, 10);
      await store.sweep(10);
      expect([(await page("old")).length, await page("c")]).toEqual([250, ["longer", "shorter"]]);
      await store.sweep(20);
      expect([(await page("old")).length, await page("c")]).toEqual([125, ["longer"]]);
      expect(await store.get("t1", "c", "shorter")).toBeUndefined();
      expect(await store.put("t1", "c", "shorter", { n: 3 }, 2, 30)).toBe(false);
      expect(await store.put("t1", "c", "shorter", { n: 3 }, 0, 30)).toBe(true);
      expect(await store.get("t1", "c", "shorter")).toMatchObject({ version: 1, content: { n: 3 } });
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
        ["t1}", ":c"],
        ["t1", ":c"],
        ["t1", "C"],
      ] as const) {
        expect(await store.get(tenant, collection, "d")).toBeUndefined();
        expect(await store.list(tenant, collection, "", 10)).toEqual([]);
        expect(await store.put(tenant, collection, "d", {}, 0, LATER)).toBe(true);
      }
      expect(await store.get("t1", "c", "d")).toMatchObject({ version: 1, content: { n: 1 } });
    });
  });
}
