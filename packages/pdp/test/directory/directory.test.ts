import type { DocumentStore, JsonObject } from "@ambit/core";
import { describe, expect, it } from "vitest";
import { createDirectory, parseUserModel, type Directory, type User } from "../../src/directory/index.ts";
import { createMemoryDocuments } from "../../src/state/memory-documents.ts";
import { codeOf, rejectionOf } from "../../../core/test/support/codes.ts";

const MODEL = parseUserModel({ roles: ["support", "approver"], attributes: { department: "string", level: "long", on_call: "boolean", regions: "strings" } });
const ANN: User = {
  id: "ann",
  roles: ["approver", "support"],
  attributes: { department: "sales", level: 3, on_call: false, regions: ["eu", "us"] },
  source: "hr",
};

function directoryWith(
  documents: DocumentStore = createMemoryDocuments(),
  fails = false,
): { readonly directory: Directory; readonly removed: string[]; at: number } {
  const removed: string[] = [];
  const state = { at: 1000, removed };
  const directory = createDirectory({
    model: MODEL,
    documents,
    now: () => state.at,
    onRemoved: async (tenantId, id) => {
      if (fails && removed.length === 0) {
        removed.push("failed");
        throw new Error("the state is not there");
      }
      removed.push(`${tenantId} ${id}`);
    },
  });
  return Object.assign(state, { directory });
}

describe("a directory", () => {
  it("knows who a user is, as last written", async () => {
    const { directory } = directoryWith();
    expect(await directory.user("t", "ann")).toBeUndefined();
    await directory.upsertUser("t", { ...ANN, roles: ["support", "approver", "support"] });
    expect(await directory.user("t", "ann")).toEqual({ status: "active", user: ANN });
    await directory.upsertUser("t", { ...ANN, roles: [], attributes: {} });
    expect(await directory.user("t", "ann")).toEqual({ status: "active", user: { ...ANN, roles: [], attributes: {} } });
  });

  it("keeps tenants apart (I12), and names exactly (I14)", async () => {
    const { directory, removed } = directoryWith();
    await directory.upsertUser("t", ANN);
    await directory.removeUser("t2", "ann");
    expect(await directory.user("t", "ann")).toMatchObject({ status: "active" });
    expect(await directory.user("t2", "ann")).toMatchObject({ status: "removed" });
    for (const id of ["Ann", "ann.", "__proto__", "constructor"]) expect(await directory.user("t", id)).toBeUndefined();
    expect(removed).toEqual(["t2 ann"]);
  });

  it("tells of a leaver, heard of or not, and remembers them", async () => {
    const { directory, removed } = directoryWith();
    await directory.upsertUser("t", ANN);
    await directory.removeUser("t", "ann");
    await directory.removeUser("t", "never");
    expect(removed).toEqual(["t ann", "t never"]);
    expect(await directory.user("t", "ann")).toEqual({ status: "removed", id: "ann", at: 1000 });
    expect(await directory.user("t", "never")).toEqual({ status: "removed", id: "never", at: 1000 });
  });

  it("does not take a leaver back because of a token that is still around", async () => {
    const { directory } = directoryWith();
    await directory.upsertUser("t", ANN);
    await directory.removeUser("t", "ann");
    expect(await rejectionOf(directory.upsertUser("t", ANN))).toBe("proof_invalid");
    expect(await directory.user("t", "ann")).toMatchObject({ status: "removed" });
    await directory.upsertUser("t", ANN, { isReturning: true });
    expect(await directory.user("t", "ann")).toMatchObject({ status: "active" });
    await directory.upsertUser("t", ANN);
  });

  it("stays with the removal when telling of it fails, and tells of it again", async () => {
    const { directory, removed } = directoryWith(createMemoryDocuments(), true);
    await directory.upsertUser("t", ANN);
    await expect(directory.removeUser("t", "ann")).rejects.toThrow("the state is not there");
    expect(await directory.user("t", "ann")).toMatchObject({ status: "removed" });
    await directory.removeUser("t", "ann");
    expect(removed).toEqual(["failed", "t ann"]);
  });

  it("keeps the time of the first removal", async () => {
    const state = directoryWith();
    await state.directory.removeUser("t", "ann");
    state.at = 2000;
    await state.directory.removeUser("t", "ann");
    expect(await state.directory.user("t", "ann")).toMatchObject({ at: 1000 });
    expect(state.removed).toHaveLength(2);
  });

  it("never lets a write that began before a removal undo it", async () => {
    const documents = createMemoryDocuments();
    const { directory: other } = directoryWith(documents);
    let isFirst = true;
    const slow: DocumentStore = {
      ...documents,
      get: async (...key) => {
        const found = await documents.get(...key);
        if (isFirst) {
          isFirst = false;
          await other.removeUser("t", "ann");
        }
        return found;
      },
    };
    const { directory } = directoryWith(slow);
    expect(await rejectionOf(directory.upsertUser("t", ANN))).toBe("proof_invalid");
    expect(await other.user("t", "ann")).toMatchObject({ status: "removed" });
  });

  it("gives up where others never stop writing", async () => {
    const documents = createMemoryDocuments();
    const { directory } = directoryWith({ ...documents, put: async () => false });
    expect(await rejectionOf(directory.upsertUser("t", ANN))).toBe("state_unavailable");
    expect(await rejectionOf(directory.removeUser("t", "ann"))).toBe("state_unavailable");
  });

  it("lists the active users in order, a page at a time", async () => {
    const { directory } = directoryWith();
    for (const id of ["c", "a", "b", "d"]) await directory.upsertUser("t", { ...ANN, id });
    await directory.removeUser("t", "b");
    await directory.upsertUser("t2", { ...ANN, id: "x" });
    expect(await directory.listUsers("t", "", 2)).toEqual(["a", "c"]);
    expect(await directory.listUsers("t", "c", 2)).toEqual(["d"]);
    for (const limit of [0, 1001, 1.5]) expect(await rejectionOf(directory.listUsers("t", "", limit))).toBe("option_invalid");
  });

  it.each<readonly [string, unknown]>([
    ["a role that is not declared", { ...ANN, roles: ["admin"] }],
    ["an inherited name for a role", { ...ANN, roles: ["constructor"] }],
    ["roles that are no list", { ...ANN, roles: "support" }],
    ["an attribute that is not declared", { ...ANN, attributes: { clearance: 1 } }],
    ["a number for text", { ...ANN, attributes: { department: 1 } }],
    ["text for a number", { ...ANN, attributes: { level: "3" } }],
    ["a number with a fraction", { ...ANN, attributes: { level: 1.5 } }],
    ["a number beyond the safe ones", { ...ANN, attributes: { level: 2 ** 53 } }],
    ["a number for yes or no", { ...ANN, attributes: { on_call: 1 } }],
    ["a text for a set", { ...ANN, attributes: { regions: "eu" } }],
    ["a set of something else", { ...ANN, attributes: { regions: ["eu", 1] } }],
    ["an entity for a text", { ...ANN, attributes: { department: { __entity: { type: "User", id: "root" } } } }],
    ["no source", { ...ANN, source: "" }],
    ["a member that nobody knows", { ...ANN, admin: true }],
    ["an id with a space", { ...ANN, id: "a b" }],
    ["no id", { roles: [], attributes: {}, source: "hr" }],
    ["no object", null],
  ])("refuses a user with %s", async (_, user) => {
    const { directory } = directoryWith();
    expect(await rejectionOf(directory.upsertUser("t", user as User))).toBe("option_invalid");
    expect(await directory.listUsers("t", "", 10)).toEqual([]);
  });

  it("refuses to work without a tenant, or for no id", async () => {
    const { directory, removed } = directoryWith();
    for (const [tenant, id] of [
      ["", "ann"],
      ["t", ""],
      ["t", "a b"],
      [undefined, "ann"],
    ] as const) {
      expect(await rejectionOf(directory.user(tenant as string, id))).toBe("option_invalid");
      expect(await rejectionOf(directory.removeUser(tenant as string, id))).toBe("option_invalid");
    }
    expect(removed).toEqual([]);
  });

  it("reads under today's declarations what was written under others: less is nothing, another type is an error (I9)", async () => {
    const documents = createMemoryDocuments();
    await directoryWith(documents).directory.upsertUser("t", ANN);
    const under = (model: unknown): Directory => createDirectory({ model: parseUserModel(model), documents, now: () => 1, onRemoved: async () => undefined });
    expect(await under({ roles: ["support"], attributes: { level: "long" } }).user("t", "ann")).toEqual({
      status: "active",
      user: { ...ANN, roles: ["support"], attributes: { level: 3 } },
    });
    expect(await rejectionOf(under({ attributes: { level: "string" } }).user("t", "ann"))).toBe("policy_error");
  });

  it("does not take what it does not understand for an active user", async () => {
    const documents = createMemoryDocuments();
    const { directory } = directoryWith(documents);
    const contents: readonly { readonly status?: string; readonly user?: JsonObject }[] = [
      {},
      { status: "suspended", user: { ...ANN, id: "u1", attributes: {} } },
      { status: "active" },
      { status: "removed", user: { ...ANN, id: "u2", attributes: {} } },
      { status: "active", user: { ...ANN, id: "bob", attributes: {} } },
    ];
    for (const [index, content] of contents.entries()) {
      await documents.put("t", "users", `u${index}`, content, 0, Number.MAX_SAFE_INTEGER);
      expect(await rejectionOf(directory.user("t", `u${index}`))).toBe("policy_error");
      expect(await rejectionOf(directory.upsertUser("t", { ...ANN, id: `u${index}` }))).toBe(content.status === "active" ? "nothing thrown" : "proof_invalid");
    }
  });
});

describe("what users are described by", () => {
  const issuer = { id: { claim: "sub" }, tenant: { id: "t" } };

  it("can be nothing", () => {
    const model = parseUserModel({});
    expect([...model.roles, ...model.attributes, ...model.issuers]).toEqual([]);
  });

  it.each<readonly [string, unknown]>([
    ["an unknown member", { role: ["support"] }],
    ["a role with a space", { roles: ["the support"] }],
    ["an attribute of no type", { attributes: { level: "number" } }],
    ["an attribute that entities have of themselves", { attributes: { tenant: "string" } }],
    ["an attribute with a capital", { attributes: { Level: "long" } }],
    ["an issuer without a tenant", { issuers: { i: { id: { claim: "sub" } } } }],
    ["an issuer without an id", { issuers: { i: { tenant: { id: "t" } } } }],
    ["a tenant claim for no tenants in particular", { issuers: { i: { ...issuer, tenant: { claim: "tid" } } } }],
    ["a tenant claim for none", { issuers: { i: { ...issuer, tenant: { claim: "tid", among: [] } } } }],
    ["a claim and a pointer", { issuers: { i: { ...issuer, id: { claim: "sub", pointer: "/sub" } } } }],
    ["a pointer to many", { issuers: { i: { ...issuer, roles: { pointer: "/a/*" } } } }],
    ["a pointer to everything", { issuers: { i: { ...issuer, roles: { pointer: "" } } } }],
    ["a map to a role that is not declared", { roles: ["support"], issuers: { i: { ...issuer, roles: { claim: "groups", map: { g: "admin" } } } } }],
    ["a mapped attribute that is not declared", { issuers: { i: { ...issuer, attributes: { level: { claim: "l" } } } } }],
    ["an issuer of no name", { issuers: { "": issuer } }],
  ])("is refused with %s", (_, model) => {
    expect(codeOf(() => parseUserModel(model))).toBe("config_invalid");
  });
});

describe("a user who was asked for a moment ago", () => {
  /** Two decision points over one store, with how often the first one asked it. */
  function two(): {
    readonly here: ReturnType<typeof directoryWith>;
    readonly there: Directory;
    readonly asked: () => number;
    readonly hold: (gate: Promise<void>) => void;
  } {
    const documents = createMemoryDocuments();
    let [asked, gate] = [0, Promise.resolve()];
    const get: DocumentStore["get"] = async (...row) => {
      asked++;
      const found = await documents.get(...row);
      await gate;
      return found;
    };
    return {
      here: directoryWith({ ...documents, get }),
      there: directoryWith(documents).directory,
      asked: () => asked,
      hold: (until) => void (gate = until),
    };
  }
  const level = async (directory: Directory): Promise<unknown> => {
    const known = await directory.user("t", "ann");
    return known?.status === "active" ? known.user.attributes["level"] : known?.status;
  };

  it("is not asked for again within a second, unless they were written here", async () => {
    const { here, there, asked } = two();
    await there.upsertUser("t", ANN);
    for (let count = 0; count < 3; count++) expect(await level(here.directory)).toBe(3);
    expect(asked()).toBe(1);
    await here.directory.upsertUser("t", { ...ANN, attributes: { level: 4 } });
    expect(await level(here.directory)).toBe(4);
    await here.directory.removeUser("t", "ann");
    expect(await level(here.directory)).toBe("removed");
  });

  it("is as another process wrote them after that second, also where the clock went back", async () => {
    const { here, there } = two();
    await there.upsertUser("t", ANN);
    expect(await level(here.directory)).toBe(3);
    await there.removeUser("t", "ann");
    here.at += 999;
    expect(await level(here.directory)).toBe(3);
    here.at += 1;
    expect(await level(here.directory)).toBe("removed");
    await there.upsertUser("t", ANN, { isReturning: true });
    here.at -= 1;
    expect(await level(here.directory)).toBe(3);
  });

  it("is not remembered as what was read while somebody wrote, nor as unknown", async () => {
    const { here, there, hold } = two();
    expect(await level(here.directory)).toBeUndefined();
    await there.upsertUser("t", ANN);
    let open: () => void = () => undefined;
    hold(new Promise((resolve) => (open = resolve)));
    const reading = level(here.directory);
    await Promise.resolve();
    hold(Promise.resolve());
    await here.directory.upsertUser("t", { ...ANN, attributes: { level: 5 } });
    open();
    expect([await reading, await level(here.directory)]).toEqual([3, 5]);
  });
});
