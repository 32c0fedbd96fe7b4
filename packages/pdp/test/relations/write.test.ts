import { describe, expect, it } from "vitest";
import type { Tuple } from "../../src/relations/index.ts";
import { rejectionOf } from "../../../core/test/support/codes.ts";
import { ref, relationsWith, tupleOf } from "./fixture.ts";
import { user } from "./relation-store.contract.ts";

describe("what is written", () => {
  const owner = tupleOf("Doc:1 owner user:ann");

  it.each<readonly [string, unknown]>([
    ["a subject of a type that the relation is not for", { add: [tupleOf("Doc:1 owner group:a")] }],
    ["everyone where only some are meant", { add: [tupleOf("Doc:1 owner user:*")] }],
    ["a userset where only subjects are meant", { add: [tupleOf("Doc:1 owner group:a#member")] }],
    ["a userset of another relation", { add: [tupleOf("Doc:1 editor group:a#viewer")] }],
    ["a relation that only follows from others", { add: [tupleOf("Doc:1 signer user:ann")] }],
    ["a relation that is not there", { add: [tupleOf("Doc:1 constructor user:ann")] }],
    ["a type that is not there", { add: [tupleOf("doc:1 owner user:ann")] }],
    ["a tuple with a misspelt member", { add: [{ ...owner, subject: { ...owner.subject, realtion: "member" } }] }],
    ["a tuple with something else", { add: [{ ...owner, condition: "always" }] }],
    ["a tuple without an object", { add: [{ relation: "owner", subject: owner.subject }] }],
    ["everyone with an id", { add: [{ object: owner.object, relation: "viewer", subject: { type: "user", id: "x", everyone: true } }] }],
    ["everyone that is not true", { add: [{ object: owner.object, relation: "viewer", subject: { type: "user", everyone: 1 } }] }],
    ["an empty id", { add: [{ ...owner, object: { type: "Doc", id: "" } }] }],
    ["an id that is too long", { add: [{ ...owner, object: { type: "Doc", id: "x".repeat(513) } }] }],
    ["an id that is no text", { add: [{ ...owner, object: { type: "Doc", id: 1 } }] }],
    ["half a character", { add: [{ ...owner, object: { type: "Doc", id: "\ud800" } }] }],
    ["a tuple that is added and removed", { add: [owner], remove: [tupleOf("Doc:1 owner user:ann")] }],
    ["a tuple to remove that is none", { remove: [{ ...owner, relation: "Not a name" }] }],
    ["a change of another name", { add: [owner], delete: [] }],
    ["more than ten thousand at once", { add: Array.from({ length: 10_001 }, (_, index) => tupleOf(`Doc:${index} owner user:ann`)) }],
    ["no list", { add: owner }],
    ["nothing", null],
  ])("is refused with %s, all of it", async (_, changes) => {
    const relations = await relationsWith(["Doc:0 owner user:ann"]);
    const list =
      typeof changes === "object" && changes !== null && "add" in changes && Array.isArray(changes.add)
        ? { ...changes, add: [tupleOf("Doc:9 owner user:ann"), ...(changes.add as Tuple[])] }
        : changes;
    expect(await rejectionOf(relations.write("t", list as never))).toBe("option_invalid");
    expect(await relations.revision("t")).toBe(1);
    expect(await relations.listObjects("t", user("ann"), "owner", "Doc")).toEqual(["0"]);
  });

  it("counts from the next question on, and not before", async () => {
    const relations = await relationsWith([]);
    for (let round = 0; round < 3; round++) {
      expect(await relations.check("t", user("ann"), "reader", ref("Doc:1"))).toBe(false);
      await relations.write("t", { add: [owner] });
      expect(await relations.check("t", user("ann"), "reader", ref("Doc:1"))).toBe(true);
      await relations.write("t", { remove: [owner] });
    }
  });
});
