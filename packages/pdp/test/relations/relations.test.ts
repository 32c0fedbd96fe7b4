import { describe, expect, it } from "vitest";
import { createMemoryRelations, createRelations, parseRelationModel, type RelationStore } from "../../src/relations/index.ts";
import { codeOf, rejectionOf } from "../../../core/test/support/codes.ts";
import { elsewhere, MODEL, NONE, ref, relationsWith, tupleOf } from "./fixture.ts";
import { HOSTILE_IDS, user } from "./relation-store.contract.ts";

describe("a relation", () => {
  it("is what a tuple says, what follows from another relation, and what comes from a parent", async () => {
    const relations = await relationsWith(["Doc:1 owner user:ann", "Doc:1 parent Folder:f", "Folder:f parent Folder:top", "Folder:top viewer user:bob"]);
    expect(await relations.relationsOf("t", user("ann"), ref("Doc:1"))).toEqual({ ...NONE, owner: true, editor: true, viewer: true, reader: true });
    expect(await relations.relationsOf("t", user("bob"), ref("Doc:1"))).toEqual({ ...NONE, viewer: true, reader: true });
    expect(await relations.relationsOf("t", user("eve"), ref("Doc:1"))).toEqual(NONE);
    expect(await relations.relationsOf("t", user("ann"), ref("Doc:2"))).toEqual(NONE);
  });

  it("goes through groups of groups, to users and agents alike", async () => {
    const relations = await relationsWith([
      "Doc:1 editor group:a#member",
      "group:a member group:b#member",
      "group:b member user:ann",
      "group:b member agent:bot",
    ]);
    expect(await relations.check("t", user("ann"), "editor", ref("Doc:1"))).toBe(true);
    expect(await relations.check("t", ref("agent:bot"), "editor", ref("Doc:1"))).toBe(true);
    expect(await relations.check("t", ref("agent:ann"), "editor", ref("Doc:1"))).toBe(false);
  });

  it("to everyone reaches those whom no tuple names, of that type only", async () => {
    const relations = await relationsWith(["Doc:1 viewer user:*"]);
    expect(await relations.check("t", user("never heard of"), "reader", ref("Doc:1"))).toBe(true);
    expect(await relations.check("t", ref("agent:bot"), "viewer", ref("Doc:1"))).toBe(false);
    expect(await relations.check("t", ref("martian:x"), "viewer", ref("Doc:1"))).toBe(false);
    expect(await relations.check("t", user("a"), "viewer", ref("Doc:2"))).toBe(false);
  });

  it("is taken away by an exclusion, whoever gave it", async () => {
    const relations = await relationsWith([
      "Doc:1 viewer user:*",
      "Doc:1 owner user:ann",
      "Doc:1 blocked user:ann",
      "Doc:1 blocked group:out#member",
      "group:out member user:bob",
    ]);
    expect(await relations.check("t", user("ann"), "viewer", ref("Doc:1"))).toBe(true);
    for (const id of ["ann", "bob"]) expect(await relations.check("t", user(id), "reader", ref("Doc:1"))).toBe(false);
    expect(await relations.check("t", user("cat"), "reader", ref("Doc:1"))).toBe(true);
    await relations.write("t", { add: [tupleOf("Doc:1 blocked user:*")] });
    expect(await relations.check("t", user("cat"), "reader", ref("Doc:1"))).toBe(false);
  });

  it("needs all of an intersection", async () => {
    const relations = await relationsWith(["Doc:1 editor user:ann", "Doc:1 cleared user:ann", "Doc:1 editor user:bob", "Doc:1 cleared user:cat"]);
    for (const [id, expected] of [
      ["ann", true],
      ["bob", false],
      ["cat", false],
    ] as const)
      expect(await relations.check("t", user(id), "signer", ref("Doc:1"))).toBe(expected);
  });

  it("ends where groups or folders lead back to themselves", async () => {
    const relations = await relationsWith([
      ...[
        "group:a member group:b#member",
        "group:b member group:c#member",
        "group:c member group:a#member",
        "group:b member group:b#member",
        "group:c member user:ann",
      ],
      ...["Folder:x parent Folder:y", "Folder:y parent Folder:x", "Folder:x parent Folder:x", "Folder:y viewer group:a#member", "Doc:1 parent Folder:x"],
    ]);
    expect(await relations.check("t", user("ann"), "viewer", ref("Doc:1"))).toBe(true);
    expect(await relations.check("t", user("bob"), "viewer", ref("Doc:1"))).toBe(false);
    expect(await relations.listObjects("t", user("ann"), "viewer", "Folder")).toEqual(["x", "y"]);
  });

  it("that was denied only because another one was still open is asked for again once that one holds", async () => {
    // `c` is met while `a` is open, and leans on `x`, which leans on `a`; then `a` turns out to hold because of `z`.
    const relations = await relationsWith([
      ...["group:a member group:x#member", "group:a member group:c#member", "group:a member group:z#member"],
      ...["group:x member group:a#member", "group:c member group:x#member", "group:z member user:ann"],
    ]);
    expect(await relations.listObjects("t", user("ann"), "member", "group")).toEqual(["a", "c", "x", "z"]);
    expect(await relations.listObjects("t", user("bob"), "member", "group")).toEqual([]);
  });

  it("is asked for in time that grows with the tuples, however many ways lead from one to the next", async () => {
    const levels = 20;
    const lattice = Array.from({ length: levels }, (_, level) =>
      [0, 1].flatMap((from) => [0, 1].map((to) => `group:${level}.${from} member group:${level + 1}.${to}#member`)),
    );
    const back = [`group:${levels}.0 member group:0.0#member`, "Doc:1 editor group:0.0#member"];
    for (const tuples of [lattice.flat(), [...lattice.flat(), ...back]]) {
      const relations = await relationsWith([...tuples, "Doc:1 editor group:0.0#member"], { steps: 300 });
      expect(await relations.check("t", user("ann"), "editor", ref("Doc:1"))).toBe(false);
    }
  });

  it("does not hold because of tuples that the model has no place for any more", async () => {
    const store = createMemoryRelations();
    await relationsWith(["Doc:1 viewer user:*", "Doc:1 editor group:a#member", "group:a member user:ann", "Doc:1 owner user:bob"], {}, store);
    const model = parseRelationModel({
      types: {
        user: {},
        group: { relations: { member: ["user"] } },
        Doc: { relations: { owner: ["group"], editor: ["group"], viewer: { any: [["user"], "editor"] } } },
      },
    });
    const later = createRelations({ model, store });
    for (const id of ["ann", "bob"]) expect(await later.relationsOf("t", user(id), ref("Doc:1"))).toEqual({ owner: false, editor: false, viewer: false });
    await later.write("t", { remove: [tupleOf("Doc:1 viewer user:*"), tupleOf("Doc:1 editor group:a#member")] });
    expect(await createRelations({ model: MODEL, store }).check("t", user("x"), "viewer", ref("Doc:1"))).toBe(false);
  });
});

describe("past a limit", () => {
  const chain = (length: number): string[] => Array.from({ length }, (_, index) => `group:${index} member group:${index + 1}#member`);

  it("there is no answer, rather than a no", async () => {
    const tuples = [...chain(10), "group:10 member user:ann", "Doc:1 cleared user:ann", "Doc:1 editor group:0#member"];
    for (const store of [createMemoryRelations(), elsewhere(createMemoryRelations())]) {
      const relations = await relationsWith(tuples, { depth: 13 }, store);
      expect(await relations.check("t", user("ann"), "signer", ref("Doc:1"))).toBe(true);
      const shallow = createRelations({ model: MODEL, store, limits: { depth: 11 } });
      expect(await rejectionOf(shallow.check("t", user("ann"), "editor", ref("Doc:1")))).toBe("policy_error");
      expect(await rejectionOf(shallow.relationsOf("t", user("ann"), ref("Doc:1")))).toBe("policy_error");
    }
  });

  it("an exclusion that cannot be looked at to its end takes away the answer, not the exclusion", async () => {
    const tuples = [...chain(10), "group:10 member user:ann", "Doc:1 viewer user:*", "Doc:1 blocked group:0#member"];
    const wide = Array.from({ length: 20 }, (_, index) => `Doc:2 blocked group:w${index}#member`);
    for (const store of [createMemoryRelations(), elsewhere(createMemoryRelations())]) {
      const relations = await relationsWith([...tuples, ...wide, "Doc:2 viewer user:*"], {}, store);
      expect(await relations.check("t", user("ann"), "reader", ref("Doc:1"))).toBe(false);
      for (const limits of [{ depth: 6 }, { steps: 8 }]) {
        const limited = createRelations({ model: MODEL, store, limits });
        for (const id of ["ann", "bob"]) expect(await rejectionOf(limited.check("t", user(id), "reader", ref("Doc:1")))).toBe("policy_error");
        expect(await rejectionOf(limited.listObjects("t", user("ann"), "reader", "Doc"))).toBe("policy_error");
      }
      const narrow = createRelations({ model: MODEL, store, limits: { steps: 15 } });
      expect(await rejectionOf(narrow.check("t", user("ann"), "reader", ref("Doc:2")))).toBe("policy_error");
    }
  });

  it("a search finds nothing, rather than a part", async () => {
    const tuples = Array.from({ length: 10 }, (_, index) => [`Doc:${index} owner user:ann`, `Doc:0 editor user:u${index}`]).flat();
    const store = createMemoryRelations();
    const relations = await relationsWith(tuples, { found: 9 }, store);
    expect(await rejectionOf(relations.listObjects("t", user("ann"), "owner", "Doc"))).toBe("policy_error");
    expect(await rejectionOf(relations.listSubjects("t", "user", "editor", ref("Doc:0")))).toBe("policy_error");
    const enough = createRelations({ model: MODEL, store, limits: { found: 11 } });
    expect(await enough.listObjects("t", user("ann"), "owner", "Doc")).toHaveLength(10);
    expect((await enough.listSubjects("t", "user", "editor", ref("Doc:0"))).ids).toHaveLength(11);
  });

  it("a check does not load more from elsewhere than it may", async () => {
    const tuples = Array.from({ length: 10 }, (_, index) => `Doc:1 editor group:${index}#member`);
    const relations = await relationsWith(tuples, { found: 9 }, elsewhere(createMemoryRelations()));
    expect(await rejectionOf(relations.check("t", user("ann"), "editor", ref("Doc:1")))).toBe("policy_error");
  });

  it("of what is only looked at because something is not loaded yet, the check goes on", async () => {
    const wide = Array.from({ length: 20 }, (_, index) => `Doc:1 editor group:w${index}#member`);
    const tuples = ["Doc:1 editor group:0#member", ...wide, ...chain(3), "group:3 member user:ann"];
    for (const store of [createMemoryRelations(), elsewhere(createMemoryRelations())]) {
      const relations = await relationsWith(tuples, { steps: 15 }, store);
      expect(await relations.check("t", user("ann"), "editor", ref("Doc:1"))).toBe(true);
      expect(await rejectionOf(relations.check("t", user("bob"), "editor", ref("Doc:1")))).toBe("policy_error");
    }
  });

  it("limits are whole numbers that the engine can keep", () => {
    for (const limits of [{ depth: 0 }, { depth: 257 }, { steps: 1.5 }, { steps: Number.NaN }, { found: -1 }, { found: Infinity }]) {
      expect(codeOf(() => createRelations({ model: MODEL, store: createMemoryRelations(), limits }))).toBe("option_invalid");
    }
  });

  it("the deepest that can be allowed is not too deep for the process", async () => {
    const relations = await relationsWith([...chain(254), "group:254 member user:ann"], { depth: 256 });
    expect(await relations.check("t", user("ann"), "member", ref("group:0"))).toBe(true);
  });
});

describe("a search", () => {
  it("finds the objects that a subject has a relation to, through groups, folders and everyone", async () => {
    const relations = await relationsWith([
      ...[
        "Doc:own owner user:ann",
        "Doc:group editor group:a#member",
        "group:a member user:ann",
        "Doc:folder parent Folder:f",
        "Folder:f viewer group:a#member",
      ],
      ...["Doc:all viewer user:*", "Doc:blocked viewer user:*", "Doc:blocked blocked user:ann", "Doc:other owner user:bob"],
    ]);
    expect(await relations.listObjects("t", user("ann"), "reader", "Doc")).toEqual(["all", "folder", "group", "own"]);
    expect(await relations.listObjects("t", user("nobody"), "reader", "Doc")).toEqual(["all", "blocked"]);
    expect(await relations.listObjects("t", user("ann"), "member", "group")).toEqual(["a"]);
  });

  it("finds the subjects, and says when everyone else has the relation as well", async () => {
    const relations = await relationsWith([
      "Doc:1 viewer user:*",
      "Doc:1 owner user:ann",
      "Doc:1 blocked user:bob",
      "Doc:2 editor group:a#member",
      "group:a member user:cat",
      "group:a member agent:bot",
    ]);
    expect(await relations.listSubjects("t", "user", "reader", ref("Doc:1"))).toEqual({ ids: ["ann"], others: true, except: ["bob"] });
    expect(await relations.listSubjects("t", "user", "editor", ref("Doc:2"))).toEqual({ ids: ["cat"], others: false, except: [] });
    expect(await relations.listSubjects("t", "agent", "editor", ref("Doc:2"))).toEqual({ ids: ["bot"], others: false, except: [] });
    expect(await relations.listSubjects("t", "user", "reader", ref("Doc:none"))).toEqual({ ids: [], others: false, except: [] });
  });
});

describe("tenants and names", () => {
  it("do not mix: what is written for one tenant says nothing about another (I12)", async () => {
    const relations = await relationsWith(["Doc:1 owner user:ann"]);
    for (const tenant of ["T", "t2", "constructor", "__proto__"]) {
      expect(await relations.check(tenant, user("ann"), "owner", ref("Doc:1"))).toBe(false);
      expect(await relations.listObjects(tenant, user("ann"), "owner", "Doc")).toEqual([]);
      expect(await relations.listSubjects(tenant, "user", "owner", ref("Doc:1"))).toMatchObject({ ids: [] });
    }
    await relations.write("t2", { remove: [tupleOf("Doc:1 owner user:ann")] });
    expect(await relations.check("t", user("ann"), "owner", ref("Doc:1"))).toBe(true);
  });

  it("compare exactly (I14), and no id means anyone but its own", async () => {
    for (const store of [createMemoryRelations(), elsewhere(createMemoryRelations())]) {
      const relations = createRelations({ model: MODEL, store });
      const [first, ...rest] = HOSTILE_IDS;
      for (const id of HOSTILE_IDS) await relations.write("t", { add: [{ object: { type: "Doc", id }, relation: "owner", subject: user(id) }] });
      for (const id of HOSTILE_IDS) {
        expect(await relations.listObjects("t", user(id), "owner", "Doc")).toEqual([id]);
        expect((await relations.listSubjects("t", "user", "owner", { type: "Doc", id })).ids).toEqual([id]);
      }
      for (const id of rest) expect(await relations.check("t", user(first as string), "owner", { type: "Doc", id })).toBe(false);
      expect(await relations.check("t", user("somebody"), "owner", ref("Doc:*"))).toBe(false);
    }
  });

  it("that cannot be stored have no relations", async () => {
    const relations = await relationsWith(["Doc:1 viewer user:*"]);
    for (const id of ["", "\ud800", "a\0", "x".repeat(513)]) {
      expect(await relations.relationsOf("t", user(id), ref("Doc:1"))).toEqual(NONE);
      expect(await relations.relationsOf("t", user("ann"), { type: "Doc", id })).toEqual(NONE);
      expect(await relations.check("t", user(id), "viewer", ref("Doc:1"))).toBe(false);
      expect(await relations.listObjects("t", user(id), "viewer", "Doc")).toEqual([]);
      expect(await relations.listSubjects("t", "user", "viewer", { type: "Doc", id })).toMatchObject({ ids: [], others: false });
    }
  });

  it("of types without relations have none to tell", async () => {
    const relations = await relationsWith([]);
    for (const type of ["user", "Tool", "constructor", "__proto__"]) expect(await relations.relationsOf("t", user("ann"), { type, id: "x" })).toEqual({});
  });

  it("that are no question are refused", async () => {
    const relations = await relationsWith(["Doc:1 owner user:ann"]);
    const bad = (value: unknown): never => value as never;
    for (const question of [
      () => relations.check("t", user("ann"), "toString", ref("Doc:1")),
      () => relations.check("t", user("ann"), "owner", ref("doc:1")),
      () => relations.check("", user("ann"), "owner", ref("Doc:1")),
      () => relations.check(bad(undefined), user("ann"), "owner", ref("Doc:1")),
      () => relations.check("t", bad({ type: "user", id: 1 }), "owner", ref("Doc:1")),
      () => relations.relationsOf("t", user("ann"), bad({ type: "Doc", id: ["1"] })),
      () => relations.relationsOf("a b", user("ann"), ref("Doc:1")),
      () => relations.listObjects("t", user("ann"), "owner", "folder"),
      () => relations.listSubjects("t", "person", "owner", ref("Doc:1")),
      () => relations.listSubjects("t", "user", "own", ref("Doc:1")),
      () => relations.write("", {}),
      () => relations.revision(""),
    ]) {
      expect(await rejectionOf(question())).toBe("option_invalid");
    }
  });
});

describe("relations that are kept elsewhere", () => {
  it("are of one moment: what changed while it was loaded is loaded again", async () => {
    const store = elsewhere(createMemoryRelations());
    const writer = await relationsWith(["Doc:1 viewer user:*", "Doc:1 parent Folder:f", "Doc:1 blocked group:a#member", "group:a member user:ann"], {}, store);
    let isMoved = false;
    const relations = createRelations({
      model: MODEL,
      store: {
        ...store,
        below: async (...question) => {
          const page = await store.below(...question);
          // Between the two reads the block moves from one group to another: at no moment was it gone.
          if (!isMoved) await writer.write("t", { add: [tupleOf("Doc:1 blocked user:ann")], remove: [tupleOf("group:a member user:ann")] });
          isMoved = true;
          return page;
        },
      },
    });
    expect(await relations.check("t", user("ann"), "reader", ref("Doc:1"))).toBe(false);
  });

  it("that never stand still are given up", async () => {
    const store = elsewhere(createMemoryRelations());
    await relationsWith(["Doc:1 editor group:a#member"], {}, store);
    let revision = 1;
    const below: RelationStore["below"] = async (...question) => ({ ...(await store.below(...question)), revision: (revision += 1) });
    const relations = createRelations({ model: MODEL, store: { ...store, below } });
    expect(await rejectionOf(relations.check("t", user("ann"), "editor", ref("Doc:1")))).toBe("state_unavailable");
    expect(await rejectionOf(relations.listSubjects("t", "user", "editor", ref("Doc:1")))).toBe("state_unavailable");
  });

  it("are not answered for when the store does not answer", async () => {
    const gone = async (): Promise<never> => Promise.reject(new Error("gone"));
    const relations = createRelations({ model: MODEL, store: { write: gone, revision: gone, below: gone, above: gone } });
    await expect(relations.check("t", user("ann"), "viewer", ref("Doc:1"))).rejects.toThrow("gone");
    await expect(relations.relationsOf("t", user("ann"), ref("Doc:1"))).rejects.toThrow("gone");
    await expect(relations.listObjects("t", user("ann"), "viewer", "Doc")).rejects.toThrow("gone");
  });
});
