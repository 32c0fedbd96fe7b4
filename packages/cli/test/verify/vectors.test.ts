import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSession, type Session } from "../fixtures/session.ts";

/** Third-party test data beside the repository; read in place, absent elsewhere. */
const FOLDER = fileURLToPath(new URL("../../../../../shared/vectors/aat/", import.meta.url));
const FILE = `${FOLDER}vectors.jsonl`;

interface Vector {
  readonly id: string;
  readonly expected: { readonly verdict: string };
}

let session: Session;
beforeEach(async () => {
  session = await openSession();
});
afterEach(() => session.end());

describe.skipIf(!existsSync(FILE))("ambit verify --vectors, with those of the draft (skipped where ../shared/vectors/aat is absent)", () => {
  const lines = (): readonly string[] => readFileSync(FILE, "utf8").trim().split("\n");

  test("gives the expected verdict on all 82, one JSON object a line", async () => {
    const { exitCode, out, err } = await session.run(["verify", "--vectors", FILE]);
    const results = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly id: string; readonly verdict: string });
    const expected = lines().map((line) => JSON.parse(line) as Vector);
    expect(results.map(({ id, verdict }) => [id, verdict])).toEqual(expected.map((vector) => [vector.id, vector.expected.verdict]));
    expect(results.every((result) => result.verdict === "PERMIT" || ("code" in result && "step" in result))).toBe(true);
    expect(err).toBe("82 vectors; PERMIT 20 of 20 as expected, DENY 62 of 62\nno mismatch\n");
    expect(exitCode).toBe(0);
  });

  test("tells permits and denies that are not as expected apart, and answers 1", async () => {
    const turned = lines().map((line) => {
      const vector = JSON.parse(line) as Vector;
      return vector.id === "J.1" || vector.id === "J.11" ? line.replace(`"${vector.expected.verdict}"`, vector.id === "J.1" ? '"DENY"' : '"PERMIT"') : line;
    });
    await session.write("turned.jsonl", turned.join("\n"));
    const { exitCode, out } = await session.run(["verify", "--vectors", "turned.jsonl", "--params", `${FOLDER}params.json`, "--json"]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(out.trim().split("\n").at(-1) ?? "")).toEqual({
      summary: { vectors: 82, permit: { expected: 20, agreed: 19 }, deny: { expected: 62, agreed: 61 }, mismatches: ["J.1", "J.11"] },
    });
  });
});

describe("ambit verify --vectors", () => {
  beforeEach(async () => {
    const jwk = JSON.parse(await session.read("issuer.pub.jwk")) as unknown;
    await session.write("params.json", { params: { audience: "https://v.example", pop_window: 30 }, trust_anchors: [{ iss: "https://i.example", jwk }] });
  });
  const VECTOR = { id: "\u001b[2J\u202e", expected: { verdict: "DENY" }, tool: "t", args_text: "{}", now: 1, aat_chain: [], aat_pop: "" };

  test("denies what is no presentation, on one line that no terminal obeys", async () => {
    await session.write("v.jsonl", [VECTOR, { ...VECTOR, aat_chain: 7 }].map((vector) => JSON.stringify(vector)).join("\n"));
    const { exitCode, out } = await session.run(["verify", "--vectors", "v.jsonl"]);
    expect(exitCode).toBe(0);
    expect(out.trim().split("\n")).toHaveLength(2);
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(JSON.parse(out.split("\n")[1] ?? "")).toEqual({ id: VECTOR.id, verdict: "DENY", code: "envelope_malformed", step: "1" });
  });

  test.each([
    ["nothing", ""],
    ["no JSON", "hello"],
    ["no object", "[]"],
    ["no id", JSON.stringify({ ...VECTOR, id: undefined })],
    ["no expectation", JSON.stringify({ ...VECTOR, expected: {} })],
    ["another expectation", JSON.stringify({ ...VECTOR, expected: { verdict: "MAYBE" } })],
    ["no clock", JSON.stringify({ ...VECTOR, now: "1" })],
  ])("succeeds with no file that has %s", async (_, content) => {
    await session.write("v.jsonl", content);
    expect(await session.run(["verify", "--vectors", "v.jsonl"])).toMatchObject({ exitCode: 2, err: expect.stringMatching(/^error\[file_malformed\]/) });
  });

  test.each([[{}], [[]], [{ params: {}, trust_anchors: [] }], [{ params: { audience: "a", pop_window: "30" }, trust_anchors: [{}] }]])(
    "takes no parameters like %j",
    async (params) => {
      await session.write("params.json", params);
      await session.write("v.jsonl", JSON.stringify(VECTOR));
      expect(await session.run(["verify", "--vectors", "v.jsonl"])).toMatchObject({ exitCode: 2, out: "" });
    },
  );

  test("refuses limits that no verifier can have", async () => {
    await session.write("params.json", { ...(JSON.parse(await session.read("params.json")) as object), params: { audience: "a", pop_window: 1e9 } });
    await session.write("v.jsonl", JSON.stringify(VECTOR));
    expect(await session.run(["verify", "--vectors", "v.jsonl"])).toMatchObject({ exitCode: 2, err: expect.stringMatching(/^error\[option_invalid\]/) });
  });
});
