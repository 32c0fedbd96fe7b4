import type { Json, JsonObject } from "@ambit/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostileVectors } from "../support/hostile-vectors.ts";
import { serve, type Local } from "../support/servers.ts";
import { connectApi, documentOf } from "./calls.ts";

interface Seen {
  readonly method: string;
  /** As it came, undecoded. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

let server: Local;
const seen: Seen[] = [];
beforeAll(async () => {
  server = await serve((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const connect = (document: object) => connectApi({ document, server: `${server.origin}/base` });
const inPath = { in: "path", name: "id", required: true, schema: { type: "string" } };

/** What the server saw of a call; `undefined`: nothing was sent, and the call failed. */
async function sent(api: Awaited<ReturnType<typeof connect>>, args: JsonObject, headers?: Record<string, string>): Promise<Seen | undefined> {
  const before = seen.length;
  const { isError } = await api.call("it", args, { headers });
  expect(seen.length - before).toBe(isError === true ? 0 : 1);
  return isError === true ? undefined : seen.at(-1);
}

/** A parameter's way from its value to the address. */
async function queryOf(parameter: object, value: Json): Promise<string | undefined> {
  const api = await connect(documentOf("/it", [{ in: "query", name: "q", ...parameter }]));
  return (await sent(api, { q: value }))?.url.slice("/base/it".length);
}

describe("an argument in the path", () => {
  it("is one segment of it, or nothing is sent", async () => {
    const api = await connect(documentOf("/files/{id}/text", [inPath]));
    for (const id of ["a", "a b", "é", "...", "a..b", ".ssh", "a;b=1", "x::$DATA", "a?b=c", "a#b", "50%", "*", "~", "a:b@c", "%zz"])
      expect((await sent(api, { id }))?.url, id).toBe(`/base/files/${encodeURIComponent(id)}/text`);
    const others = [
      "",
      ".",
      "..",
      "/",
      "a/b",
      "../x",
      "..\\x",
      "%2e%2e",
      "%2E.",
      ".%2e",
      "..%2fsecret",
      "%252e%252e",
      "a\0",
      "a\n",
      "..;",
      "..;a=b",
      ".;",
      "\ud800",
      "\\\\host",
    ];
    for (const id of others) expect(await sent(api, { id }), JSON.stringify(id)).toBeUndefined();
    for (const id of [null, 7, true, ["a"], {}] as const) expect(await sent(api, { id }), JSON.stringify(id)).toBeUndefined();
    expect(await sent(api, {})).toBeUndefined();
  });

  const vectors = hostileVectors<{ readonly vectors: readonly { readonly path: string }[] }>("path-constraints.json");
  it.skipIf(vectors === undefined)("does not leave its place with any path that is known to", async () => {
    const api = await connect(documentOf("/files/{id}", [inPath]));
    const pieces = (vectors?.vectors ?? []).flatMap(({ path }) => [path, ...path.split("/"), ...path.split("\\")]);
    for (const id of new Set(pieces.filter((piece) => piece.length < 2000))) {
      const request = await sent(api, { id });
      expect(request === undefined || request.url === `/base/files/${encodeURIComponent(id)}`, JSON.stringify(id)).toBe(true);
    }
    expect((await sent(api, { id: "link-to-root" }))?.url).toBe("/base/files/link-to-root");
    for (const id of ["%2e%2e", "..%2fsecret", "..\\secret", "..", ".", ""]) expect(await sent(api, { id }), id).toBeUndefined();
  });

  it("leaves the segments of the template and the base path as they are, whatever it is", async () => {
    const api = await connect(
      documentOf(
        "/a/{x}-{y}/{z}",
        ["x", "y", "z"].map((name) => ({ ...inPath, name })),
      ),
    );
    const piece = fc.oneof(fc.string({ unit: "binary", maxLength: 8 }), fc.stringMatching(/^[./\\%2eEfF;?#]{0,6}$/));
    await fc.assert(
      fc.asyncProperty(piece, piece, piece, async (x, y, z) => {
        const request = await sent(api, { x, y, z });
        if (request === undefined) return;
        expect(request.url.split("/").map(decodeURIComponent)).toEqual(["", "base", "a", `${x}-${y}`, z]);
        expect(new URL(request.url, server.origin).pathname).toBe(request.url);
      }),
      { numRuns: 300 },
    );
  });

  it("makes no dot segment together with what stands beside it", async () => {
    const api = await connect(documentOf("/a/.{id}/b", [inPath]));
    expect(await sent(api, { id: "a" })).toBeDefined();
    for (const id of [";", ";a", "."]) expect(await sent(api, { id })).toBeUndefined();
  });

  it("is a list where the document says so, of elements that stay as many", async () => {
    const api = await connect(documentOf("/it/{id}", [{ ...inPath, schema: { type: "array" } }]));
    expect((await sent(api, { id: ["a", 7, "b c"] }))?.url).toBe("/base/it/a,7,b%20c");
    for (const id of [["a,b"], [""], [], ["a", ".."], [["a"]]]) expect(await sent(api, { id })).toBeUndefined();
  });
});

describe("an argument in the query", () => {
  it("is written in the style that the document has for it", async () => {
    expect(await queryOf({}, "a&b=c#d é")).toBe("?q=a%26b%3Dc%23d%20%C3%A9");
    expect(await queryOf({}, true)).toBe("?q=true");
    expect(await queryOf({ schema: { type: "integer" } }, 10)).toBe("?q=10");
    expect(await queryOf({}, ["a", "b,c"])).toBe("?q=a&q=b%2Cc");
    expect(await queryOf({ explode: false }, ["a", "b"])).toBe("?q=a,b");
    expect(await queryOf({ style: "pipeDelimited" }, ["a", "b"])).toBe("?q=a%7Cb");
    expect(await queryOf({ style: "spaceDelimited" }, ["a", "b"])).toBe("?q=a%20b");
    const object = { type: "object", properties: { a: {}, "b c": {} } };
    expect(await queryOf({ schema: object }, { a: 1, "b c": "&" })).toBe("?a=1&b%20c=%26");
    expect(await queryOf({ schema: object, style: "deepObject" }, { a: 1 })).toBe("?q%5Ba%5D=1");
    expect(await queryOf({ content: { "application/json": { schema: object } } }, { a: [1] })).toBe("?q=%7B%22a%22%3A%5B1%5D%7D");
    expect(await queryOf({ name: "ids[]" }, "a")).toBeUndefined();
  });

  it("is not sent where the API would read something else than was decided", async () => {
    const object = { type: "object", properties: { a: {} } };
    expect(await queryOf({ schema: { type: "integer" } }, "1e9")).toBeUndefined();
    expect(await queryOf({ schema: { type: "integer" } }, 1.5)).toBeUndefined();
    expect(await queryOf({ schema: { type: ["integer", "null"] } }, null)).toBeUndefined();
    expect(await queryOf({}, null)).toBeUndefined();
    expect(await queryOf({}, { $ne: null })).toBeUndefined();
    expect(await queryOf({ explode: false }, ["a,b"])).toBeUndefined();
    expect(await queryOf({ style: "pipeDelimited" }, ["a|b"])).toBeUndefined();
    expect(await queryOf({}, [["a"]])).toBeUndefined();
    expect(await queryOf({ schema: object }, { admin: true })).toBeUndefined();
    expect(await queryOf({ schema: object, style: "deepObject" }, { "a][b": 1 })).toBeUndefined();
    expect(await queryOf({ schema: object, style: "deepObject" }, { a: { b: 1 } })).toBeUndefined();
    expect(await queryOf({ schema: object, style: "deepObject" }, "a")).toBeUndefined();
    expect(await queryOf({}, "\0")).toBeUndefined();
  });
});

describe("a call", () => {
  const document = documentOf(
    "/it/{id}",
    [inPath, { in: "header", name: "If-Match", schema: { type: "string" } }],
    { requestBody: { required: true, content: { "application/merge-patch+json": {} } } },
    "patch",
  );

  it("has a body that is written anew, and the headers that the document has", async () => {
    const request = await sent(await connect(document), { id: "a", "If-Match": '"1"', body: { b: [1, "é"], a: null } });
    expect(request).toMatchObject({ method: "PATCH", url: "/base/it/a", body: '{"b":[1,"é"],"a":null}' });
    expect(request?.headers).toMatchObject({ "if-match": '"1"', "content-type": "application/merge-patch+json" });
  });

  it("is not sent with an argument that the operation does not have, nor without one that it needs", async () => {
    const api = await connect(document);
    const calls: JsonObject[] = [
      { id: "a" },
      { body: {} },
      { id: "a", body: {}, Id: "b" },
      { id: "a", body: {}, authorization: "x" },
      { id: "a", body: {}, page_size: 9 },
    ];
    for (const args of calls) expect(await sent(api, args), JSON.stringify(args)).toBeUndefined();
    for (const name of ["constructor", "__proto__", "toString"]) {
      expect(await sent(api, JSON.parse(`{"id":"a","body":{},"${name}":{"id":1}}`) as JsonObject), name).toBeUndefined();
      await expect(api.call(name, {})).rejects.toMatchObject({ code: -32602 });
    }
    const before = seen.length;
    for (const value of ["a\r\nx: y", "é", "a\0", " a"]) {
      const refused = await api.call("it", { id: "a", body: {}, "If-Match": value }).catch((error: { readonly code: unknown }) => error.code);
      expect(refused === "egress_refused" || (refused as { isError?: boolean }).isError, value).toBeTruthy();
    }
    expect(seen.length).toBe(before);
  });

  it("has the credential of its action in its headers, and none other in the place of it", async () => {
    const api = await connect(document);
    expect((await sent(api, { id: "a", body: {} }, { authorization: "Bearer b" }))?.headers).toMatchObject({ authorization: "Bearer b" });
    const before = seen.length;
    await expect(api.call("it", { id: "a", body: {}, "If-Match": "x" }, { headers: { if_match: "y" } })).rejects.toMatchObject({ code: "egress_refused" });
    expect(seen.length).toBe(before);
  });

  it("goes nowhere but to the server that the operator gave", async () => {
    const elsewhere = { ...document, servers: [{ url: "https://evil.example" }] };
    expect((await sent(await connect(elsewhere), { id: "a", body: {} }))?.url).toBe("/base/it/a");
    const unlisted = await connectApi({ document: elsewhere, server: server.origin, allowPrivate: [] });
    await expect(unlisted.call("it", { id: "a", body: {} })).rejects.toMatchObject({ code: "egress_refused" });
  });

  it("is one of a tool: there is nothing else at an API", async () => {
    await expect((await connect(document)).request("resources/read", { uri: "a" })).rejects.toMatchObject({ code: -32601 });
  });
});

const hostile = hostileVectors<{ readonly vectors: readonly { readonly raw: string; readonly expect: string }[] }>("tool-args.json");
describe.skipIf(hostile === undefined)("arguments that are known to confuse", () => {
  it("do not reach an API that has no such arguments, and nothing of them is fetched", async () => {
    const schemas: Record<string, object> = { limit: { type: "integer" }, id: { type: "string" }, fields: { type: "array" }, ids: { type: "array" } };
    const api = await connect(
      documentOf(
        "/it",
        Object.entries(schemas).map(([name, schema]) => ({ in: "query", name, schema })),
      ),
    );
    for (const { raw } of hostile?.vectors ?? []) {
      let args: unknown;
      try {
        args = JSON.parse(raw);
      } catch {
        continue; // no JSON: the gateway's parser refuses it
      }
      if (typeof args !== "object" || args === null || Array.isArray(args)) continue;
      const request = await sent(api, args as JsonObject);
      const names = [...new URL(request?.url ?? "/", server.origin).searchParams.keys()];
      expect(
        names.every((name) => Object.hasOwn(schemas, name)),
        raw.slice(0, 80),
      ).toBe(true);
      if (Object.keys(args).some((name) => !Object.hasOwn(schemas, name))) expect(request, raw.slice(0, 80)).toBeUndefined();
    }
    expect(await sent(api, { limit: "1e9" })).toBeUndefined();
  });
});
