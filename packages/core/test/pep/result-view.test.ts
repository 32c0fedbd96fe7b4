import { describe, expect, it } from "vitest";
import { permit, scene } from "../support/fake-pdp.ts";
import { filter, limit, mcpStructured, mcpText, records, redact, shown, WITHHELD } from "../support/shown.ts";

describe("what was checked is what is shown", () => {
  it("not a member of the server's own, nor `_meta`", async () => {
    const result = { ...mcpText(records("a")), structuredContent: records("a"), _meta: { secret: "s" }, more: "m", resultType: "complete" };
    expect(JSON.stringify((await shown({ ...mcpText(records("a")), resultType: "c2: secret" }, filter("a"))).result)).not.toContain("secret");
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
    const digests = [await shown(records("a")), await shown(records("a")), await shown(records("a"), limit(5))].map(({ outcome }) => outcome.resultDigest);
    for (const digest of digests) expect(digest).toMatch(/^hmac-sha-256:[\w-]{43}$/);
    // What can be guessed could be confirmed by a digest without a salt.
    expect(new Set(digests).size).toBe(3);
  });

  it("and not digested when it is large", async () => {
    const rows = Array.from({ length: 100_000 }, (_, index) => ({ index }));
    expect((await shown(rows)).outcome).toMatchObject({ status: "done", resultDigest: undefined });
    expect((await shown("x".repeat(300_000))).outcome.resultDigest).toBeUndefined();
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
    ["an MCP text with a byte order mark", { content: [{ type: "text", text: `\uFEFF${JSON.stringify(records("a"))}` }] }],
    ["an MCP resource", { content: [{ type: "resource", resource: { uri: "x:1", mimeType: "application/json", text: JSON.stringify(records("a")) } }] }],
    [
      "blocks of text without the object around them",
      [
        { type: "text", text: JSON.stringify(records("a")) },
        { type: "text", text: "more" },
      ],
    ],
    ["JSON with a number that changes when it is read", '{"records":[{"customer_id":"a","id":12345678901234567890}]}'],
  ])("is withheld when something must be checked in it: %s", async (_, result) => {
    expect((await shown(result, filter("a"), limit(5))).result).toBe(WITHHELD);
    for (const pointer of ["/records/*/title", "/title", "/*/title", "/content/*/title"]) expect((await shown(result, redact(pointer))).result).toBe(WITHHELD);
  });

  it("is passed on when nothing must be", async () => {
    const row = new Row();
    expect(await shown(row)).toMatchObject({ result: row, outcome: { status: "done", records: undefined, resultDigest: undefined } });
  });
});

describe("content that is no data", () => {
  const blocks = ["one", '{"two":2}', "three"].map((text) => ({ type: "text", text }));

  it("has as many records as blocks, and nothing beside them", async () => {
    const { result, outcome } = await shown({ content: blocks, _meta: { secret: "s" }, more: "m", structuredContent: ["s"] }, limit(2, ""));
    expect(result).toStrictEqual({ content: blocks.slice(0, 2) });
    expect(outcome.records).toBe(2);
    expect((await shown(blocks, limit(2, ""))).result).toStrictEqual(blocks.slice(0, 2));
    expect((await shown({ content: blocks }, limit(9))).result).toBe(WITHHELD);
  });

  it("is data where a single text is JSON, also without the object around it", async () => {
    const { content } = mcpText(records("a", "x")) as { content: object[] };
    expect((await shown(content, filter("a"))).result).toStrictEqual((mcpText(records("a")) as { content: object[] }).content);
  });
});

it("a result that makes the check itself fail is withheld, and settled as that", async () => {
  const result = JSON.parse(`${"[".repeat(60)}${"]".repeat(60)}`) as unknown;
  const original = globalThis.structuredClone;
  const { pep, pdp, call } = await scene({ decide: () => Promise.resolve(permit([limit(5, "")])) });
  const admission = await pep.admit(call());
  if (!admission.admitted) throw new Error("not admitted");
  globalThis.structuredClone = () => {
    throw new RangeError("Maximum call stack size exceeded");
  };
  try {
    expect(await admission.complete(result)).toMatchObject({ released: false, refused: { refusal: { code: "obligation_unsupported" } } });
  } finally {
    globalThis.structuredClone = original;
  }
  expect(pdp.asks("settle")).toMatchObject([{ status: "withheld" }]);
});

describe("a tool that reports an error", () => {
  const failure = { content: [{ type: "text", text: "backend down" }], isError: true };

  it("is heard when only a limit is due, and has returned no records", async () => {
    expect(await shown(failure, limit(0))).toMatchObject({ result: failure, outcome: { status: "failed", records: 0 } });
  });

  it("has failed although nothing must be checked in what it says", async () => {
    expect(await shown(failure)).toMatchObject({ result: failure, outcome: { status: "failed" } });
    for (const result of [{ ...failure, isError: false }, { ...failure, isError: "true" }, Object.create(failure), { isError: true }, { error: "down" }])
      expect(await shown(result)).toMatchObject({ result, outcome: { status: "done" } });
  });

  it("is heard in its own words only, and not for long", async () => {
    const texts = ["a".repeat(1500), "b".repeat(1500), "c"].map((text) => ({ type: "text", text }));
    const image = { type: "image", data: "…", mimeType: "image/png" };
    const loud = { isError: true, resultType: "complete", content: [image, ...texts], structuredContent: records("a", "b"), _meta: { secret: "s" } };
    const { result, outcome } = await shown(loud, limit(1));
    expect(result).toStrictEqual({
      isError: true,
      resultType: "complete",
      content: [
        { type: "text", text: "a".repeat(1500) },
        { type: "text", text: "b".repeat(500) },
      ],
    });
    expect(outcome.records).toBe(0);
    expect((await shown({ isError: true, content: [{ ...texts[0], annotations: records("a") }] }, limit(1))).result).toStrictEqual({
      isError: true,
      content: [texts[0]],
    });
  });

  it("is withheld when its text may hold what must be filtered or redacted", async () => {
    expect((await shown(failure, filter("a"))).result).toBe(WITHHELD);
    expect((await shown(failure, limit(1), redact("/a"))).result).toBe(WITHHELD);
  });

  it("is only one that says so itself, exactly", async () => {
    for (const isError of ["true", 1, {}]) expect((await shown({ ...failure, isError }, limit(1))).result).toBe(WITHHELD);
  });
});
