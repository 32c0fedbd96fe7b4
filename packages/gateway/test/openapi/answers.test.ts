import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONTRACTS, startContractsApi } from "../support/contracts-api.ts";
import { CANARY } from "../support/crm.ts";
import { connectApi } from "./calls.ts";

let api: Awaited<ReturnType<typeof startContractsApi>>;
beforeAll(async () => void (api = await startContractsApi()));
afterAll(() => api[Symbol.asyncDispose]());

const headers = { authorization: `Bearer ${CANARY}` };
const ask = async (kind: string, name = "answers_get", maxResponseBytes = 50_000) =>
  (await connectApi({ document: CONTRACTS, server: api.url, maxResponseBytes })).call(name, { kind }, { headers });

describe("an answer", () => {
  it("of JSON is data and the same as text, with every digit", async () => {
    const object = { id: "9007199254740993", name: "n" };
    expect(await ask("object")).toEqual({ structuredContent: object, content: [{ type: "text", text: JSON.stringify(object) }] });
    expect(await ask("list")).toEqual({ structuredContent: { result: [1, 2] }, content: [{ type: "text", text: '{"result":[1,2]}' }] });
  });

  it("of text is text, and one without a body says so", async () => {
    expect(await ask("text")).toEqual({ content: [{ type: "text", text: "a;b" }] });
    expect(await ask("empty")).toEqual({ content: [{ type: "text", text: "The API answered 204." }] });
  });

  it("of 4xx is an error with its status and the beginning of what it says", async () => {
    for (const name of ["answers_get", "answers_post"]) {
      const { isError, content, structuredContent } = await ask("missing", name);
      expect([isError, structuredContent]).toEqual([true, undefined]);
      expect(content[0]?.text).toMatch(/^The API answered 404\.\n\n\{"error":"x+$/);
      expect(content[0]?.text.length).toBeLessThan(2100);
    }
    expect(await ask("missing-picture")).toEqual({ isError: true, content: [{ type: "text", text: "The API answered 404." }] });
  });

  it.each(["broken", "latin", "picture", "events", "moved"])("that cannot be shown (%s) is an error, and nothing of it is passed on", async (kind) => {
    const { isError, content } = await ask(kind);
    expect(isError).toBe(true);
    expect(JSON.stringify(content)).not.toMatch(/png|a;b|data:|admin/);
  });

  it.each(["broken", "picture", "moved", "failing"])("that leaves open whether something was changed (%s) is no answer", async (kind) => {
    await expect(ask(kind, "answers_post")).rejects.toMatchObject({ code: "upstream_unavailable" });
  });

  it("of 5xx to what only reads is an error with what it says", async () => {
    expect(await ask("failing")).toEqual({ isError: true, content: [{ type: "text", text: "The API answered 503.\n\nit broke" }] });
  });

  it("is not followed to where nobody decided", async () => {
    await ask("moved");
    expect(api.reached.filter((request) => request.includes("admin"))).toEqual([]);
  });

  it("larger than the cap is none", async () => {
    await expect(ask("large")).rejects.toMatchObject({ code: "egress_refused" });
    expect((await ask("large", "answers_get", 200_000)).isError).toBeUndefined();
  });
});
