import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copyData, type Json } from "../../src/data/json.ts";
import type { Obligation } from "../../src/pdp/obligation.ts";
import { permit, scene } from "../support/fake-pdp.ts";
import { filter, limit, records, redact, shown, WITHHELD, WRAPPINGS } from "../support/shown.ts";

describe.each(WRAPPINGS)("in %s", (_, wrap) => {
  it("records beyond the limit are cut off", async () => {
    const { result, outcome } = await shown(wrap(records("a", "b", "c")), limit(2));
    expect(result).toStrictEqual(wrap(records("a", "b")));
    expect(outcome).toMatchObject({ status: "done", records: 2 });
  });

  it("records within the limit stay", async () => {
    const { result, outcome } = await shown(wrap(records("a", "b")), limit(2));
    expect(result).toStrictEqual(wrap(records("a", "b")));
    expect(outcome.records).toBe(2);
  });

  it("a limit of nothing leaves nothing", async () => {
    expect(await shown(wrap(records("a")), limit(0))).toMatchObject({ result: wrap({ records: [] }), outcome: { records: 0 } });
  });

  it("records that are not admitted are left out, before they are counted", async () => {
    const all = records("a", "x", "a", "a");
    const { result, outcome } = await shown(wrap(all), filter("a"), limit(2));
    expect(result).toStrictEqual(wrap({ records: [all.records[0], all.records[2]] }));
    expect(outcome.records).toBe(2);
  });

  it("records without the field are left out", async () => {
    expect((await shown(wrap({ records: [{ customer_id: "a" }, {}, { customer_id: null }, { customer_id: ["a"] }] }), filter("a"))).result).toStrictEqual(
      wrap({ records: [{ customer_id: "a" }] }),
    );
  });

  it("fields are redacted", async () => {
    const data = {
      records: [
        { id: 1, ssn: "secret" },
        { id: 2, ssn: "secret" },
      ],
      note: "secret",
    };
    const { result } = await shown(wrap(data), redact("/records/*/ssn", "/note"));
    expect(result).toStrictEqual(wrap({ records: [{ id: 1 }, { id: 2 }] }));
    expect(JSON.stringify(result)).not.toContain("secret");
  });

  it("a pointer into what is not there withholds the result; only a field that is to be removed may be missing already", async () => {
    const data = { items: [{ customer_id: "a", ssn: "1" }, { customer_id: "a" }] };
    expect((await shown(wrap(data), redact("/items/*/ssn"))).result).toStrictEqual(wrap({ items: [{ customer_id: "a" }, { customer_id: "a" }] }));
    for (const obligation of [
      limit(5),
      filter("a"),
      redact("/records/*/ssn"),
      redact("/items/0/ssn/last"),
      redact("/items/*/ssn/last"),
      redact("/items/2"),
      filter("a", "/customer_id"),
    ]) {
      expect((await shown(wrap(data), obligation)).result).toBe(WITHHELD);
    }
  });

  it("a result of the only record is withheld as a whole when it is not admitted", async () => {
    expect((await shown(wrap({ customer_id: "a" }), filter("a", "/customer_id"))).result).toStrictEqual(wrap({ customer_id: "a" }));
    expect((await shown(wrap({ customer_id: "x" }), filter("a", "/customer_id"))).result).toBe(WITHHELD);
  });

  it("nothing is held back when nothing must be", async () => {
    const result = wrap({ anything: 1 });
    expect((await shown(result)).result).toBe(result);
    expect((await shown(result, { id: "l", type: "label_output", properties: { integrity: "untrusted", data_classes: ["a"] } })).result).toBe(result);
  });
});

describe("report_money", () => {
  const report = (pointer: string): Obligation => ({ id: "m", type: "report_money", properties: { pointer, currency: "EUR" } });

  it.each(WRAPPINGS)("tells what the result says was spent, in %s, and holds nothing back", async (_, wrap) => {
    const result = wrap({ receipt: { total: 1250 } });
    expect(await shown(result, report("/receipt/total"))).toMatchObject({ result, outcome: { status: "done", money: { currency: "EUR", amount: 1250 } } });
  });

  it.each([undefined, null, "1250", 12.5, -1, 2 ** 53, [1250], { total: 1250 }])("tells nothing where the result says %j", async (total) => {
    const { result, outcome } = await shown({ total }, report("/total"));
    expect(result).toStrictEqual({ total });
    expect(outcome.money).toBeUndefined();
  });

  it("tells it of a field that is removed, and of nothing that is withheld or failed", async () => {
    const told = await shown({ total: 1250, note: "x" }, report("/total"), redact("/total"));
    expect(told).toMatchObject({ result: { note: "x" }, outcome: { money: { amount: 1250 } } });
    const failed = { content: [{ type: "text", text: '{"total": 1250}' }], isError: true };
    for (const [status, result, ...obligations] of [["withheld", { total: 1250 }, limit(1)] as const, ["failed", failed] as const]) {
      const { outcome } = await shown(result, report("/total"), ...obligations);
      expect([outcome.status, outcome.money]).toEqual([status, undefined]);
    }
  });

  it.each([{ pointer: "total", currency: "EUR" }, { pointer: "/total" }, { currency: "EUR" }, { pointer: "/total", currency: "" }])(
    "is not understood as %j, and the tool does not run",
    async (properties) => {
      const malformed = { id: "m", type: "report_money", properties } as unknown as Obligation;
      const { pep, call } = await scene({ decide: () => Promise.resolve(permit([malformed])) });
      let ran = 0;
      const enforced = await pep.enforce(call(), () => (ran += 1));
      expect([ran, enforced.refused?.refusal.code]).toEqual([0, "obligation_unsupported"]);
    },
  );
});

describe("limit_records", () => {
  it("counts over all lists that its pointer names", async () => {
    const data = { groups: [{ rows: [1, 2] }, { rows: [3, 4] }, { rows: [5] }] };
    const { result, outcome } = await shown(data, limit(3, "/groups/*/rows"));
    expect(result).toStrictEqual({ groups: [{ rows: [1, 2] }, { rows: [3] }, { rows: [] }] });
    expect(outcome.records).toBe(3);
  });

  it("withholds what is no list where records should be, because nobody knows how many there are in it", async () => {
    expect(await shown({ records: null }, limit(0))).toMatchObject({ result: { records: null }, outcome: { records: 0 } });
    for (const list of [{ a: 1, b: 2, c: 3 }, "[1,2,3,4,5]", "", 3, true, {}]) {
      expect((await shown({ records: list }, limit(9))).result).toBe(WITHHELD);
      expect((await shown({ groups: [{ rows: [1] }, { rows: list }] }, limit(9, "/groups/*/rows"))).result).toBe(WITHHELD);
    }
  });

  it("takes the whole result for the records at the empty pointer: a list, one object, or `null`", async () => {
    expect((await shown([1, 2, 3], limit(2, ""))).result).toStrictEqual([1, 2]);
    expect((await shown("[1,2,3]", limit(2, ""))).result).toBe("[1,2]");
    expect(await shown({ id: 1 }, limit(1, ""))).toMatchObject({ result: { id: 1 }, outcome: { records: 1 } });
    expect((await shown({ id: 1 }, limit(0, ""))).result).toBe(WITHHELD);
    expect(await shown(null, limit(0, ""))).toMatchObject({ result: null, outcome: { records: 0 } });
  });

  it.each(["3 records: …", '{"r":1}\n{"r":2}\n{"r":3}', "", 3, true])("withholds a whole result that may be any number of records: %j", async (result) => {
    expect((await shown(result, limit(9, ""))).result).toBe(WITHHELD);
  });

  it("is never loosened by another one", async () => {
    for (const obligations of [
      [limit(1), limit(3)],
      [limit(3), limit(1)],
    ]) {
      expect(await shown(records("a", "b", "c"), ...obligations)).toMatchObject({ result: records("a"), outcome: { records: 1 } });
    }
  });
});

describe("filter_records", () => {
  it("filters at the last `*` of its pointer", async () => {
    const data = { groups: [{ rows: [{ c: "a" }, { c: "x" }] }, { rows: [{ c: "x" }] }] };
    expect((await shown(data, filter("a", "/groups/*/rows/*/c"))).result).toStrictEqual({ groups: [{ rows: [{ c: "a" }] }, { rows: [] }] });
    expect((await shown({ ids: ["a", "x", "b"] }, filter(["a", "b"], "/ids/*"))).result).toStrictEqual({ ids: ["a", "b"] });
  });

  it("does not take a name that begins with `*` for a list", async () => {
    expect((await shown({ "*c": "a", c: "x" }, filter("a", "/*c"))).result).toStrictEqual({ "*c": "a", c: "x" });
    expect((await shown({ "*c": "x", c: "a" }, filter("a", "/*c"))).result).toBe(WITHHELD);
  });

  it("all constraints must hold", async () => {
    const data = {
      records: [
        { a: "1", b: "1" },
        { a: "1", b: "2" },
        { a: "2", b: "1" },
      ],
    };
    expect((await shown(data, filter("1", "/records/*/a"), filter("1", "/records/*/b"))).result).toStrictEqual({ records: [{ a: "1", b: "1" }] });
  });

  it("of what grants nothing leaves nothing", async () => {
    expect((await shown(records("a", ""), filter([]))).result).toStrictEqual({ records: [] });
  });

  it("drops what is no list where a list is expected", async () => {
    const { result } = await shown({ records: { customer_id: "x", title: "secret" }, total: 1 }, filter("a"));
    expect(JSON.stringify(result)).not.toContain("secret");
  });
});

describe("redact_fields", () => {
  it("of elements by index leaves the other indexes as they are", async () => {
    expect((await shown({ row: ["a", "b", "c"] }, redact("/row/0", "/row/1"))).result).toStrictEqual({ row: [null, null, "c"] });
  });

  const CONTRACT = { customer_id: "c1", title: "t", terms: "r", salary: 7 };

  it("may name a field twice", async () => {
    const expected = { customer_id: "c1", title: "t", terms: "r" };
    expect((await shown(CONTRACT, filter("c1", "/customer_id"), redact("/salary"), redact("/salary"), limit(1, ""))).result).toStrictEqual(expected);
    expect((await shown(CONTRACT, redact("/salary", "/salary"))).result).toStrictEqual(expected);
  });

  it("lets one object lack a field only when another pointer names something in it", async () => {
    const { salary: _, ...unpaid } = CONTRACT;
    expect((await shown(unpaid, redact("/salary", "/terms"))).result).toStrictEqual({ customer_id: "c1", title: "t" });
    expect((await shown(unpaid, filter("c1", "/customer_id"), redact("/salary"))).result).toStrictEqual(unpaid);
    expect((await shown({ records: [], total: 0 }, limit(1), redact("/salary"))).result).toStrictEqual({ records: [], total: 0 });
    expect((await shown({ a: { b: 1 } }, redact("/a/b", "/a/c"))).result).toStrictEqual({ a: {} });
    // Nothing says that this is built as the manifest thinks; what is to be removed may stand anywhere in it.
    expect((await shown(unpaid, redact("/salary"))).result).toBe(WITHHELD);
    expect((await shown(unpaid, redact("/salary"), limit(1, ""))).result).toBe(WITHHELD);
    expect((await shown({ result: CONTRACT }, redact("/salary", "/terms"))).result).toBe(WITHHELD);
    expect((await shown({ a: { b: 1 } }, redact("/a/b", "/c"))).result).toBe(WITHHELD);
  });

  it("of everything withholds the result", async () => {
    for (const result of [{ a: 1 }, [], "text", 0, false, "", null, undefined]) expect((await shown(result, redact(""))).result).toBe(WITHHELD);
  });

  it("withholds a result that is not there", async () => {
    for (const result of [null, undefined, 0, "", "text", "{broken", []]) expect((await shown(result, redact("/a"))).result).toBe(WITHHELD);
  });
});

describe("for any data", () => {
  const field = fc.constantFrom<Json>("a", "x", null, 1, ["a"], "");
  const rows = fc.array(fc.oneof(fc.record({ customer_id: field, title: fc.string() }, { requiredKeys: [] }), fc.jsonValue() as fc.Arbitrary<Json>), {
    maxLength: 6,
  });

  it("what is shown has no record of another customer and no more records than allowed, in every wrapping", async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom(...WRAPPINGS), fc.nat({ max: 4 }), async (list, [, wrap], max) => {
        const data = JSON.parse(JSON.stringify({ records: list })) as { records: Json[] };
        const admitted = data.records.filter(
          (row) => typeof row === "object" && row !== null && !Array.isArray(row) && (row as { customer_id?: Json }).customer_id === "a",
        );
        const { result, outcome } = await shown(wrap(data), filter("a"), limit(max));
        if (result === WITHHELD) expect(isPlain(data)).toBe(false);
        else expect(result).toStrictEqual(wrap({ records: admitted.slice(0, max) }));
        if (result !== WITHHELD) expect(outcome.records).toBe(Math.min(max, admitted.length));
      }),
      { numRuns: 200 },
    );
  });
});

function isPlain(data: unknown): boolean {
  try {
    copyData(data, "obligation_unsupported", "the data");
    return true;
  } catch {
    return false;
  }
}
