import { connect } from "node:net";
import { ENDPOINTS } from "@ambit/core/pdp-client";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ENFORCER, OPERATOR, serviceScene, type SceneOptions } from "./scene.ts";

const AUTHORIZED = { authorization: `Bearer ${ENFORCER}`, "content-type": "application/json" };

interface Told {
  readonly status: number;
  readonly code: string | undefined;
}

async function scene(options: SceneOptions = {}) {
  const made = await serviceScene({}, {}, { onError: (error) => errors.push(error), ...options });
  const errors: unknown[] = [];
  const send = async (
    path: string,
    init: RequestInit & { readonly duplex?: "half" } = {},
  ): Promise<Told & { readonly answer: Response; readonly body: unknown }> => {
    const answer = await fetch(made.url + path, { method: "POST", ...init, headers: { ...AUTHORIZED, ...init.headers } });
    const text = await answer.text();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    return { answer, status: answer.status, body, code: (body as { readonly error?: { readonly code: string } } | undefined)?.error?.code };
  };
  const post = async (path: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Told> => {
    const { status, code } = await send(path, { body, headers });
    return { status, code };
  };
  return { ...made, errors, send, post };
}

const MALFORMED = { status: 400, code: "request_malformed" };
const DECIDE = ENDPOINTS.decide.path;
const TOKEN = "a.b.c";
const DECIDABLE = {
  subject: { type: "user", id: "u" },
  action: { name: "contracts_read", properties: {} },
  resource: { type: "tool", id: "contracts_read" },
  context: {
    presentation: { chain: [TOKEN], pop: TOKEN },
    agent: "reviewer",
    call_id: "c",
    call_digest: "d",
    arguments: { contract_id: "k1" },
    supported_obligations: [],
  },
};

describe("a body", () => {
  it("of the right shape is decided, however little is behind it", async () => {
    const { send } = await scene();
    const { status, body } = await send(DECIDE, { body: JSON.stringify(DECIDABLE) });
    expect(status).toBe(200);
    expect(body).toMatchObject({ decision: false, context: { refusal: { code: "envelope_malformed" } } });
  });

  it("that is no strict JSON is malformed", async () => {
    const { post } = await scene();
    const bad: readonly (string | Uint8Array)[] = [
      "",
      " ",
      "{",
      "{}}",
      "nul",
      "[1,]",
      "{'a':1}",
      "\ufeff{}",
      '{"context":1,"context":{}}',
      JSON.stringify(DECIDABLE).replace('"subject"', '"resource":{"type":"tool","id":"x"},"subject"'),
      JSON.stringify(DECIDABLE).replace('"k1"', '"\\ud800"'),
      JSON.stringify(DECIDABLE).replace('"k1"', '"\\u0000"'),
      JSON.stringify(DECIDABLE).replace('"k1"', "1e400"),
      JSON.stringify(DECIDABLE).replace('"k1"', "9007199254740993"),
      JSON.stringify(DECIDABLE).replace('"k1"', "NaN"),
      "[".repeat(100_000),
      `${'{"a":'.repeat(2000)}1${"}".repeat(2000)}`,
      new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
      Buffer.from(JSON.stringify(DECIDABLE).replace('"k1"', '"k\u00ff"'), "latin1"),
      new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]),
    ];
    for (const body of bad) expect([body.slice(0, 60), await post(DECIDE, body)]).toEqual([body.slice(0, 60), MALFORMED]);
  });

  it("that is not of its endpoint's shape is malformed: members that are missing, unknown, of another type or too long", async () => {
    const { post } = await scene();
    const change = (part: object): object => ({ ...DECIDABLE, ...part });
    const inContext = (part: object): object => change({ context: { ...DECIDABLE.context, ...part } });
    const { context: _, ...withoutContext } = DECIDABLE;
    const bad: readonly unknown[] = [
      null,
      1,
      "x",
      [],
      {},
      withoutContext,
      change({ extra: 1 }),
      change({ subject: { type: "user" } }),
      change({ subject: { type: "service", id: "u" } }),
      change({ subject: { type: "user", id: "u", properties: {} } }),
      change({ action: { name: "" } }),
      change({ action: { name: "x".repeat(1025) } }),
      change({ action: { name: "x", properties: { server: 1 } } }),
      inContext({ agent: null }),
      inContext({ agent: "x".repeat(257) }),
      inContext({ call_id: 7 }),
      inContext({ arguments: [] }),
      inContext({ arguments: null }),
      inContext({ arguments: JSON.parse('{"__proto__":{"a":1}}') as object }),
      inContext({ arguments: JSON.parse('{"a":{"__proto__":1}}') as object }),
      inContext({ arguments: { constructor: { prototype: {} } } }),
      inContext({ supported_obligations: "all" }),
      inContext({ refusal: { code: "policy_denied", message: "m", retryable: false } }),
      inContext({ refusal: { code: "argument_not_allowed", message: "m" } }),
      inContext({ presentation: { handle: "h" } }),
      inContext({ presentation: { kind: "handle", handle: "h" } }),
      inContext({ presentation: { chain: [], pop: TOKEN } }),
      inContext({ presentation: { chain: TOKEN, pop: TOKEN } }),
      inContext({ presentation: { chain: [1], pop: TOKEN } }),
      inContext({ presentation: { chain: Array.from({ length: 66 }, () => TOKEN), pop: TOKEN } }),
      inContext({ presentation: { chain: [TOKEN] } }),
      inContext({ presentation: { pop: TOKEN } }),
      inContext({ presentation: { chain: [TOKEN], chain_hash: "x", pop: TOKEN } }),
    ];
    for (const body of bad) expect([body, await post(DECIDE, JSON.stringify(body))]).toEqual([body, MALFORMED]);
  });

  it("that begins without a key is malformed: handles stay in their process", async () => {
    const { post } = await scene();
    const begin = { envelope: {}, agent: "reviewer", asserted_by: "app" };
    expect(await post(ENDPOINTS.begin.path, JSON.stringify(begin))).toEqual(MALFORMED);
    expect(await post(ENDPOINTS.begin.path, JSON.stringify({ ...begin, holder: "x" }))).toEqual(MALFORMED);
    expect(await post(ENDPOINTS.begin.path, JSON.stringify({ ...begin, holder: {} }))).toEqual({ status: 200, code: undefined });
  });

  it("is answered at no endpoint with anything but an answer or one of our problems, whatever it is", async () => {
    const { url, errors } = await scene();
    const paths = Object.values(ENDPOINTS).map(({ path }) => path);
    const hostile = fc.constantFrom<unknown>(null, "", "__proto__", "constructor", "toString", -0, 1e308, [], {}, [[]], true, "\u{1f600}", "a".repeat(5000));
    const names = fc.constantFrom(
      "presentation",
      "chain",
      "chain_hash",
      "pop",
      "agent",
      "context",
      "subject",
      "envelope",
      "holder",
      "excerpts",
      "tenant_id",
      "scope",
      "__proto__",
      "hasOwnProperty",
    );
    const { tree } = fc.letrec<{ readonly tree: unknown }>((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, hostile, fc.dictionary(names, tie("tree"), { maxKeys: 5 }), fc.array(tie("tree"), { maxLength: 3 })),
    }));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), tree, async (path, body) => {
        const authorization = `Bearer ${path.endsWith("revoke") ? OPERATOR : ENFORCER}`;
        const answer = await fetch(url + path, { method: "POST", headers: { ...AUTHORIZED, authorization }, body: JSON.stringify(body) });
        const said = (await answer.json()) as { readonly error?: object };
        if (answer.status === 200) return;
        expect([400, 409]).toContain(answer.status);
        expect(Object.keys(said)).toEqual(["error"]);
        expect(Object.keys(said.error ?? {}).sort()).toEqual(["code", "message", "request_id"]);
      }),
      { numRuns: 300 },
    );
    expect(errors).toEqual([]);
  });

  it("has the one media type, is not compressed, and not too large, whether it says so or not", async () => {
    const { post, send } = await scene({ mostBytes: 5000 });
    const body = JSON.stringify(DECIDABLE);
    for (const type of [
      "text/plain",
      "application/json; charset=utf-16",
      "application/jsonx",
      "application/json, text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
    ])
      expect([type, await post(DECIDE, body, { "content-type": type })]).toEqual([type, { status: 415, code: "media_type_unsupported" }]);
    expect(await post(DECIDE, body, { "content-encoding": "gzip" })).toEqual({ status: 415, code: "media_type_unsupported" });
    for (const type of ["application/json; charset=utf-8", "Application/JSON;charset=UTF-8"])
      expect((await post(DECIDE, body, { "content-type": type })).status).toBe(200);
    const large = JSON.stringify({ ...DECIDABLE, padding: "x".repeat(10_000) });
    expect(await post(DECIDE, large)).toEqual({ status: 413, code: "request_too_large" });
    const chunks = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("x".repeat(1000))),
    });
    const told = await send(DECIDE, { body: chunks, duplex: "half" }).catch(() => ({ status: 413, code: "request_too_large" }));
    expect(told).toMatchObject({ status: 413, code: "request_too_large" });
  });

  it("that does not come is not waited for", async () => {
    const { port } = await scene({ deadline: 200 });
    const head = `POST ${DECIDE} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${ENFORCER}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`;
    const answer = await new Promise<string>((resolve) => {
      let text = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(head));
      socket
        .setEncoding("utf8")
        .on("data", (data: string) => (text += data))
        .on("close", () => resolve(text))
        .on("error", () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain("request_timeout");
  });
});

describe("a request", () => {
  it("that is no HTTP, or no request to this service, is refused and harms nobody else", async () => {
    const { port, url, errors } = await scene();
    const tell = (text: string): Promise<string> =>
      new Promise((resolve) => {
        let answer = "";
        const socket = connect(port, "127.0.0.1", () => socket.end(text));
        socket
          .setEncoding("latin1")
          .on("data", (data: string) => (answer += data))
          .on("close", () => resolve(answer))
          .on("error", () => resolve(answer));
      });
    const secret = `authorization: Bearer ${ENFORCER}`;
    const bad: readonly string[] = [
      "garbage\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET /ambit/v1/terms HTTP/1.0\r\n\r\n",
      "GET http:// HTTP/1.1\r\nhost: a\r\n\r\n",
      "GET /\\ambit HTTP/1.1\r\nhost: a\r\n\r\n",
      "GET /ambit/v1/terms HTTP/1.1\r\nhost: a b\r\n\r\n",
      "BREW /ambit/v1/terms HTTP/1.1\r\nhost: a\r\n\r\n",
      "CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n",
      "TRACE /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
      `GET /ambit/v1/terms HTTP/1.1\r\nhost: a\r\n${secret}\r\n${secret}\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\nhost: a\r\nx-a: ${"a".repeat(100_000)}\r\n\r\n`,
      `POST ${DECIDE} HTTP/1.1\r\nhost: a\r\n${secret}\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`,
      `POST ${DECIDE} HTTP/1.1\r\nhost: a\r\n${secret}\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}`,
    ];
    for (const text of bad) expect([text.slice(0, 60), await tell(text)]).toEqual([text.slice(0, 60), expect.not.stringMatching(/^HTTP\/1\.1 200/)]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(errors).toEqual([]);
  });

  it("for what is not there, or with another method, is refused with a body of the same shape", async () => {
    const { send, url } = await scene();
    const told = async (path: string, method: string): Promise<unknown> => {
      const { status, code, answer } = await send(path, { method });
      return [status, code, answer.headers.get("allow")];
    };
    expect(await told("/", "GET")).toEqual([404, "not_found", null]);
    expect(await told("/ambit/v1/decide/", "POST")).toEqual([404, "not_found", null]);
    expect(await told("/ambit/v1//decide", "POST")).toEqual([404, "not_found", null]);
    expect(await told("/AMBIT/v1/decide", "POST")).toEqual([404, "not_found", null]);
    expect(await told("/ambit/v1/%64ecide", "GET")).not.toEqual([200, undefined, null]);
    expect(await told(DECIDE, "GET")).toEqual([405, "method_not_allowed", "POST"]);
    expect(await told("/ambit/v1/terms", "POST")).toEqual([405, "method_not_allowed", "GET"]);
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"])
      expect((await told(DECIDE, method)) as unknown[]).toEqual([405, "method_not_allowed", "GET, POST"]);
    expect((await fetch(`${url}/healthz`, { method: "HEAD" })).status).toBe(405);
    expect(await told("/healthz?verbose=1", "GET")).toEqual([400, "request_malformed", null]);
  });

  it("gets no word of another origin, no cache and no stack, and its own id back", async () => {
    const { send } = await scene({
      wrap: (pdp) => ({
        ...pdp,
        decide: () => {
          throw new Error("a secret of the database");
        },
      }),
    });
    const { answer, status, body } = await send(DECIDE, {
      body: JSON.stringify(DECIDABLE),
      headers: { "x-request-id": "my-id/1", origin: "https://evil.example" },
    });
    expect(status).toBe(500);
    expect(body).toEqual({ error: { code: "internal", message: "the request could not be answered", request_id: "my-id/1" } });
    expect(answer.headers.get("x-request-id")).toBe("my-id/1");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect([...answer.headers.keys()].filter((name) => /^access-control|^server$|^x-powered/.test(name))).toEqual([]);
    for (const id of ["a b", "x".repeat(129), "é"]) {
      const other = await send("/nothing", { headers: { "x-request-id": Buffer.from(id).toString("latin1") } });
      expect(other.answer.headers.get("x-request-id")).toMatch(/^req_[A-Za-z0-9_-]{16}_[0-9]+$/);
    }
  });

  it("that takes too long is given up", async () => {
    const { send } = await scene({ deadline: 100, wrap: (pdp) => ({ ...pdp, decide: () => new Promise(() => undefined) }) });
    expect(await send(DECIDE, { body: JSON.stringify(DECIDABLE) })).toMatchObject({ status: 504, code: "timeout" });
  });
});
