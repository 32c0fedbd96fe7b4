import { describe, expect, it } from "vitest";
import { filter, limit, mcpStructured, mcpText, records, redact, shown, WITHHELD } from "../support/shown.ts";

describe("what was checked is what is shown", () => {
  it("not a member of the server's own, nor `_meta`", async () => {
    const result = { ...mcpText(records("a")), structuredContent: records("a"), _meta: { secret: "s" }, more: "m", resultType: "complete" };
    expect(Object.keys((await shown(result, filter("a"))).result as object).sort()).toEqual(["content", "resultType", "structuredContent"]);
  });

  it("not a text beside it that says more", async () => {
    const hidden = { ...mcpText(records("a", "x")), structuredContent: records("a") };
    expect(JSON.stringify((await shown(hidden, filter("a"))).result)).toBe(JSON.stringify(mcpStructured(records("a"))));
    expect(JSON.stringify((await shown(hidden, limit(1))).result)).not.toContain('\\"x\\"');
  });

  it("not a member that was repeated", async () => {
    const text = '{"records":[{"customer_id":"a","title":"secret","title":"shown"}]}';
    expect((await shown(text, filter("a"))).result).toBe('{"records":[{"customer_id":"a","title":"shown"}]}');
  });

  it("not what a getter says the second time", async () => {
    let reads = 0;
    const record = {
      get customer_id() {
        reads += 1;
        return reads === 1 ? "a" : "x";
      },
    };
    expect((await shown({ records: [record] }, filter("a"))).result).toStrictEqual({ records: [{ customer_id: "a" }] });
  });

  it("and its digest is recorded", async () => {
    const [full, cut] = [await shown(records("a"), limit(5)), await shown(records("a", "b"), limit(1))];
    expect(cut.outcome.resultDigest).toBe(full.outcome.resultDigest);
  });

  it("as data that the caller may change", async () => {
    const { result } = await shown(records("a"), limit(5));
    expect(() => Object.assign((result as { records: object[] }).records[0] ?? {}, { title: "changed" })).not.toThrow();
    expect(result).toMatchObject({ records: [{ title: "changed" }] });
  });
});

describe("a result that nobody can look into", () => {
  class Row {
    readonly customer_id = "a";
  }

  it.each([
    ["an instance of a class", { records: [new Row()] }],
    ["a date", { records: [{ customer_id: "a", at: new Date(0) }] }],
    ["a map", new Map([["records", []]])],
    ["a function", { records: [], more: () => "secret" }],
    ["bytes", { records: [], bytes: new Uint8Array(1) }],
    ["a number that is none", { records: [{ customer_id: "a", amount: Number.NaN }] }],
    ["a prototype", JSON.parse('{"records":[],"__proto__":{}}')],
    ["an MCP image", { content: [{ type: "image", data: "…", mimeType: "image/png" }] }],
    ["two MCP texts", { content: [...(mcpText(records("a")) as { content: [] }).content, ...(mcpText(records("x")) as { content: [] }).content] }],
    ["an MCP text that is prose", { content: [{ type: "text", text: "3 records: …" }] }],
    ["prose", "3 records: …"],
    ["JSON with a number that changes when it is read", '{"records":[{"customer_id":"a","id":12345678901234567890}]}'],
  ])("is withheld when something must be checked in it: %s", async (_, result) => {
    expect((await shown(result, filter("a"), limit(5))).result).toBe(WITHHELD);
  });

  it("is passed on when nothing must be", async () => {
    const row = new Row();
    expect(await shown(row)).toMatchObject({ result: row, outcome: { status: "done", records: undefined, resultDigest: undefined } });
  });
});

describe("a tool that reports an error", () => {
  const failure = { content: [{ type: "text", text: "backend down" }], isError: true };

  it("is heard when only a limit is due, and has returned no records", async () => {
    expect(await shown(failure, limit(0))).toMatchObject({ result: failure, outcome: { status: "done", records: 0 } });
  });

  it("is withheld when its text may hold what must be filtered or redacted", async () => {
    expect((await shown(failure, filter("a"))).result).toBe(WITHHELD);
    expect((await shown(failure, limit(1), redact("/a"))).result).toBe(WITHHELD);
  });

  it("is only one that says so itself, exactly", async () => {
    for (const isError of ["true", 1, {}]) expect((await shown({ ...failure, isError }, limit(1))).result).toBe(WITHHELD);
  });
});
