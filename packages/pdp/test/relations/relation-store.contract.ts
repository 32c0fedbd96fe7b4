import { describe, expect, it } from "vitest";
import type { ObjectRef, RelationStore, Tuple, TupleSubject } from "../../src/relations/index.ts";
import { randomOf } from "../../../core/test/deep/random.ts";

/** Names that are inherited, that patterns and keys glued together would mistake, or that differ only for who looks closely. */
export const HOSTILE_IDS: readonly string[] = [
  ...["*", "%", "_", "'", '"', "\\", "#member", "a#member", "a:b", "user:a", "", " ", "a ", "__proto__", "constructor", "toString"].filter((id) => id !== ""),
  ...["A", "a", "\u00e4", "a\u0308", "\u0001", "\n", "null", "0", "00", "\u{1f600}", "\uffff", "x".repeat(512)],
];

export const doc = (id: string): ObjectRef => ({ type: "Doc", id });
export const user = (id: string): ObjectRef => ({ type: "user", id });
export const tuple = (object: ObjectRef, relation: string, subject: TupleSubject): Tuple => ({ object, relation, subject });

const ALL = 1000;
const spelled = (tuples: readonly Tuple[]): readonly string[] =>
  tuples
    .map(({ object, relation, subject }) =>
      JSON.stringify([object.type, object.id, relation, subject.type, "id" in subject ? subject.id : null, "relation" in subject ? subject.relation : null]),
    )
    .sort();

/** What every store of tuples must do; each store runs this very suite. `create` makes an empty one. */
export function describeRelationStore(name: string, create: () => Promise<RelationStore>): void {
  const below = async (store: RelationStore, object: ObjectRef, tenant = "t"): Promise<readonly string[]> =>
    spelled((await store.below(tenant, [object], ALL)).tuples);

  describe(`${name}: a store of tuples`, () => {
    it("keeps what was added until it is removed, each tuple once", async () => {
      const store = await create();
      const one = tuple(doc("1"), "owner", user("a"));
      const other = tuple(doc("1"), "owner", { ...user("a"), relation: "deputy" });
      await store.write("t", { add: [one, other, one], remove: [] });
      expect(await below(store, doc("1"))).toEqual(spelled([one, other]));
      await store.write("t", { add: [], remove: [one] });
      expect(await below(store, doc("1"))).toEqual(spelled([other]));
      await store.write("t", { add: [], remove: [other] });
      expect(await below(store, doc("1"))).toEqual([]);
    });

    it("counts the writes that change something, and only those", async () => {
      const store = await create();
      const one = tuple(doc("1"), "owner", user("a"));
      expect(await store.revision("t")).toBe(0);
      const first = await store.write("t", { add: [one], remove: [] });
      expect(first).toBeGreaterThan(0);
      expect(await store.write("t", { add: [one], remove: [tuple(doc("2"), "owner", user("a"))] })).toBe(first);
      const second = await store.write("t", { add: [], remove: [one] });
      expect(second).toBeGreaterThan(first);
      expect(await store.revision("t")).toBe(second);
      expect((await store.below("t", [doc("1")], ALL)).revision).toBe(second);
      expect((await store.above("t", [user("a")], ["user"], ALL)).revision).toBe(second);
    });

    it("keeps the tuples of tenants apart (I12)", async () => {
      const store = await create();
      const one = tuple(doc("1"), "owner", user("a"));
      const everyone = tuple(doc("1"), "owner", { type: "user", everyone: true });
      await store.write("t", { add: [one, everyone], remove: [] });
      await store.write("t2", { add: [tuple(doc("1"), "owner", user("b"))], remove: [one] });
      expect(await below(store, doc("1"))).toEqual(spelled([one, everyone]));
      expect(await below(store, doc("1"), "t2")).toHaveLength(1);
      expect((await store.above("t2", [user("a")], ["user"], ALL)).tuples).toEqual([]);
      expect(await store.revision("t2")).toBeGreaterThan(0);
    });

    it("finds tuples by what they name: subjects, usersets and everyone of a type", async () => {
      const store = await create();
      const direct = tuple(doc("1"), "owner", user("a"));
      const userset = tuple(doc("2"), "owner", { ...user("a"), relation: "deputy" });
      const everyone = tuple(doc("3"), "owner", { type: "user", everyone: true });
      const star = tuple(doc("4"), "owner", user("*"));
      await store.write("t", { add: [direct, userset, everyone, star, tuple(doc("5"), "owner", user("b"))], remove: [] });
      expect(spelled((await store.above("t", [user("a")], [], ALL)).tuples)).toEqual(spelled([direct, userset]));
      expect(spelled((await store.above("t", [user("none")], ["user"], ALL)).tuples)).toEqual(spelled([everyone]));
      expect(spelled((await store.above("t", [user("*")], [], ALL)).tuples)).toEqual(spelled([star]));
      expect((await store.above("t", [{ type: "Doc", id: "a" }], ["Doc"], ALL)).tuples).toEqual([]);
      expect((await store.above("t", [], [], ALL)).tuples).toEqual([]);
    });

    it("leaves out what does not matter to a check, and nothing that does", async () => {
      const store = await create();
      const asked = tuple(doc("1"), "owner", user("a"));
      const userset = tuple(doc("1"), "owner", { type: "group", id: "g", relation: "member" });
      const everyone = tuple(doc("1"), "owner", { type: "user", everyone: true });
      const parent = tuple(doc("1"), "parent", doc("0"));
      const rest = [tuple(doc("1"), "owner", user("b")), tuple(doc("1"), "owner", { type: "group", id: "a" })];
      await store.write("t", { add: [asked, userset, everyone, parent, ...rest], remove: [] });
      const { tuples } = await store.below("t", [doc("1"), doc("none")], ALL, { subject: user("a"), tuplesets: ["parent", "other"] });
      expect(spelled(tuples)).toEqual(spelled([asked, userset, everyone, parent]));
      // What matters for two reasons comes once.
      const twice = (await store.below("t", [doc("1")], ALL, { subject: user("a"), tuplesets: ["parent", "owner"] })).tuples;
      expect(spelled(twice)).toEqual(spelled([asked, userset, everyone, parent, ...rest]));
      expect(spelled((await store.below("t", [doc("1")], ALL, { subject: user("a"), tuplesets: [] })).tuples)).toEqual(spelled([asked, userset, everyone]));
    });

    it("says when there are more tuples than wanted", async () => {
      const store = await create();
      await store.write("t", { add: Array.from({ length: 5 }, (_, index) => tuple(doc("1"), "owner", user(`u${index}`))), remove: [] });
      expect((await store.below("t", [doc("1")], 5)).tuples).toHaveLength(5);
      expect((await store.below("t", [doc("1")], 3)).tuples).toHaveLength(4);
      await store.write("t", { add: Array.from({ length: 5 }, (_, index) => tuple(doc(`d${index}`), "owner", user("x"))), remove: [] });
      expect((await store.above("t", [user("x")], [], 3)).tuples).toHaveLength(4);
    });

    it("tells names apart exactly (I14)", async () => {
      const store = await create();
      const tuples = HOSTILE_IDS.map((id) => tuple(doc(id), "owner", user(id)));
      await store.write("t", { add: tuples, remove: [] });
      for (const id of HOSTILE_IDS) {
        const own = spelled([tuple(doc(id), "owner", user(id))]);
        expect(await below(store, doc(id))).toEqual(own);
        expect(spelled((await store.above("t", [user(id)], [], ALL)).tuples)).toEqual(own);
      }
      await store.write("t", { add: [], remove: [tuple(doc("a"), "owner", user("a")), tuple(doc("%"), "owner", user("%"))] });
      expect((await store.below("t", HOSTILE_IDS.map(doc), ALL)).tuples).toHaveLength(HOSTILE_IDS.length - 2);
    });

    it("holds exactly what any sequence of changes leaves", async () => {
      const store = await create();
      const random = randomOf(7, 1);
      const ids = ["a", "b", "*"];
      const anyTuple = (): Tuple => {
        const subject = user(random.pick(ids));
        return tuple(
          doc(random.pick(ids)),
          random.pick(["owner", "parent"]),
          random.pick([subject, { ...subject, relation: "x" }, { type: "user", everyone: true as const }]),
        );
      };
      const held = new Map<string, Tuple>();
      for (let round = 0; round < 60; round++) {
        const remove = Array.from({ length: random.below(6) }, anyTuple);
        const add = Array.from({ length: random.below(6) }, anyTuple).filter((one) => !spelled(remove).includes(spelled([one])[0] as string));
        await store.write("t", { add, remove });
        for (const one of remove) held.delete(spelled([one])[0] as string);
        for (const one of add) held.set(spelled([one])[0] as string, one);
        const expected = [...held.keys()].sort();
        expect(spelled((await store.below("t", ids.map(doc), ALL)).tuples)).toEqual(expected);
        expect(spelled((await store.above("t", ids.map(user), ["user"], ALL)).tuples)).toEqual(expected);
      }
    });
  });
}

/** What stores that processes share must do besides. `openTwo` opens the same tuples twice, as two processes have them. */
export function describeSharedRelations(name: string, openTwo: () => Promise<readonly [RelationStore, RelationStore]>): void {
  it(`${name} shows one process what another one wrote, and counts every write of both`, async () => {
    const [one, other] = await openTwo();
    const tuples = Array.from({ length: 40 }, (_, index) => tuple(doc(`${index % 7}`), "owner", user(`u${index}`)));
    await Promise.all(tuples.map((each, index) => (index % 2 === 0 ? one : other).write("t", { add: [each], remove: [] })));
    expect(
      (
        await one.below(
          "t",
          Array.from({ length: 7 }, (_, index) => doc(`${index}`)),
          100,
        )
      ).tuples,
    ).toHaveLength(40);
    expect(await one.revision("t")).toBe(40);
    expect(await other.revision("t")).toBe(40);
  });

  it(`${name} lets writes of the same tuples in any order all come through`, async () => {
    const [one, other] = await openTwo();
    const tuples = Array.from({ length: 30 }, (_, index) => tuple(doc(`${index}`), "owner", user("a")));
    const writes = Array.from({ length: 20 }, (_, round) => {
      const list = round % 2 === 0 ? tuples : tuples.toReversed();
      return (round % 4 < 2 ? one : other).write("t", round % 3 === 0 ? { add: [], remove: list } : { add: list, remove: [] });
    });
    await Promise.all(writes);
    await one.write("t", { add: tuples, remove: [] });
    expect((await other.above("t", [user("a")], [], 100)).tuples).toHaveLength(30);
  });
}
