import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { digestOf } from "../../src/data/digest.ts";
import { createVocabulary } from "../../src/envelope/vocabulary.ts";
import { PDP_CAPABILITY } from "../../src/pdp/pdp.ts";
import { pdpClient, type PdpClient } from "../../src/pdp-client/pdp-client.ts";
import type { PdpClientOptions } from "../../src/pdp-client/options.ts";

const CREDENTIALS = { kind: "bearer", token: "a-token-of-a-test" } as const;
const CATALOGUE = { purposes: { review: { tools: ["a.b"] }, classify: { parent: "review", tools: [] } } };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A server that answers what a test tells it to, and a client of it. */
async function scene(answer: (url: string) => (response: ServerResponse, incoming: IncomingMessage) => void, options: Partial<PdpClientOptions> = {}) {
  const asked: IncomingMessage[] = [];
  let connections = 0;
  const server = createServer((incoming, response) => {
    asked.push(incoming);
    incoming.resume();
    incoming.on("end", () => answer(url)(response, incoming));
  });
  server.on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client: PdpClient = pdpClient(url, { credentials: CREDENTIALS, allowLoopback: true, deadline: 5000, ...options });
  closing.push(
    () => client.close(),
    () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
  );
  return { url, client, asked, connections: () => connections };
}

const kinds = Object.fromEntries(createVocabulary({ case_ids: "subset" }).kinds);
const terms = (url: string, change: object = {}): object => ({
  policy_decision_point: url,
  capability: PDP_CAPABILITY,
  audience: ["urn:pdp"],
  vocabulary: { digest: createVocabulary({ case_ids: "subset" }).digest, kinds },
  purposes: { digest: digestOf(CATALOGUE), catalogue: CATALOGUE },
  tools: [
    {
      id: "a.b",
      names: [
        { name: "a_b", pin: "none" },
        { name: "a_b", server: "crm", pin: "none" },
      ],
    },
  ],
  ...change,
});
const send =
  (body: object, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "resolved",
    (error: { readonly code?: string }) => error.code ?? "no code",
  );

describe("the terms of a service", () => {
  it("are rebuilt with the same digests, asked for once, and again when they are old", async () => {
    let time = 0;
    const { client, asked, connections } = await scene(
      (url) => (response, incoming) => {
        if (incoming.headers["if-none-match"] === '"1"') response.writeHead(304).end();
        else send(terms(url), { etag: '"1"' })(response);
      },
      { now: () => time, termsLifetime: 1000 },
    );
    const first = await client.terms();
    expect(first.order.vocabulary.kinds.get("case_ids")).toBe("subset");
    expect(first.order.vocabulary.digest).toBe(createVocabulary({ case_ids: "subset" }).digest);
    expect([first.order.purposes.digest, first.order.purposes.parentOf("classify"), first.order.purposes.parentOf("review")]).toEqual([
      digestOf(CATALOGUE),
      "review",
      null,
    ]);
    expect([first.toolId("a_b", undefined), first.toolId("a_b", "crm"), first.toolId("a_b", "x"), first.toolId("a.b", undefined)]).toEqual([
      "a.b",
      "a.b",
      undefined,
      undefined,
    ]);
    time = 999;
    expect(await client.terms()).toBe(first);
    expect(asked).toHaveLength(1);
    time = 1000;
    expect(await client.terms()).toBe(first);
    expect(asked).toHaveLength(2);
    expect(asked[1]?.headers).toMatchObject({ "if-none-match": '"1"', authorization: "Bearer a-token-of-a-test", "accept-encoding": "identity" });
    expect(connections()).toBe(1);
  });

  it("are asked for once by all who wait", async () => {
    const { client, asked } = await scene((url) => send(terms(url)));
    await Promise.all(Array.from({ length: 10 }, () => client.terms()));
    expect(asked).toHaveLength(1);
  });

  it("that are old do not count when they cannot be read again", async () => {
    let time = 0;
    let isDown = false;
    const { client } = await scene((url) => (isDown ? (response) => void response.writeHead(500).end() : send(terms(url))), { now: () => time, retries: 0 });
    await client.terms();
    isDown = true;
    time = 60_000;
    expect(await codeOf(client.terms())).toBe("pdp_unavailable");
    isDown = false;
    expect(await codeOf(client.terms())).toBe("resolved");
  });

  const LIES: readonly (readonly [string, (url: string) => object])[] = [
    ["are of another service", () => ({ policy_decision_point: "https://other.example" })],
    ["are of nearly the same one", (url) => ({ policy_decision_point: `${url}/` })],
    ["are of one that cannot do it", () => ({ capability: "urn:other" })],
    ["have another vocabulary than their digest", () => ({ vocabulary: { digest: createVocabulary().digest, kinds } })],
    ["have a vocabulary that lacks a key", () => ({ vocabulary: { digest: createVocabulary({ case_ids: "subset" }).digest, kinds: {} } })],
    ["have a built-in key of another kind", () => ({ vocabulary: { digest: "x", kinds: { ...kinds, customer_id: "max" } } })],
    ["have another catalogue than their digest", () => ({ purposes: { digest: digestOf({}), catalogue: CATALOGUE } })],
    ["have no catalogue", () => ({ purposes: { digest: digestOf({}), catalogue: {} } })],
    ["have a purpose without a place", () => ({ purposes: { digest: digestOf({ purposes: { a: 1 } }), catalogue: { purposes: { a: 1 } } } })],
    [
      "have a name that two tools go by",
      () => ({
        tools: [
          { id: "a", names: [{ name: "n", pin: "none" }] },
          { id: "b", names: [{ name: "n", pin: "none" }] },
        ],
      }),
    ],
    ["say more than is known", () => ({ only_on_mondays: true })],
    ["say nothing of an audience", () => ({ audience: undefined })],
  ];

  it.each(LIES)("that %s are not believed", async (_, change) => {
    const { client, url } = await scene((at) => send(terms(at, change(at))));
    expect(url).toMatch(/^http:/);
    expect(await codeOf(client.terms())).toBe("pdp_response_invalid");
  });

  it("that have not changed since nothing was there are none", async () => {
    const { client } = await scene(() => (response) => void response.writeHead(304).end());
    expect(await codeOf(client.terms())).toBe("pdp_response_invalid");
  });
});

describe("a client", () => {
  const options = (change: object = {}): PdpClientOptions => ({ credentials: CREDENTIALS, ...change });

  it("asks nobody but over TLS, and no URL that says more than where", () => {
    const urls = [
      "http://pdp.example",
      "http://127.0.0.1:1",
      "ftp://pdp.example",
      "pdp.example",
      "",
      "https://u@pdp.example",
      "https://u:p@pdp.example",
      "https://pdp.example/?a=1",
      "https://pdp.example/#a",
    ];
    for (const url of urls) expect(() => pdpClient(url, options())).toThrow(expect.objectContaining({ code: "option_invalid" }));
    expect(() => pdpClient("http://pdp.example", options({ allowLoopback: true }))).toThrow(expect.objectContaining({ code: "option_invalid" }));
    expect(() => pdpClient("http://127.0.0.1.example", options({ allowLoopback: true }))).toThrow(expect.objectContaining({ code: "option_invalid" }));
    expect(pdpClient("https://pdp.example/tenant/", options()).capability).toBe(PDP_CAPABILITY);
  });

  it("takes no option out of its bounds, and no credentials that are none", () => {
    const bad = [
      { deadline: 0 },
      { deadline: Number.NaN },
      { deadline: Infinity },
      { retries: -1 },
      { retries: 0.5 },
      { breaker: { failures: 0, pause: 1 } },
      { termsLifetime: -1 },
      { mostBytes: 1 },
      { connections: 0 },
      { credentials: undefined },
      { credentials: { kind: "none" } },
      { credentials: { kind: "bearer", token: "" } },
      { credentials: { kind: "bearer", token: "a b" } },
      { credentials: { kind: "bearer", token: "a\r\nx: y" } },
    ];
    for (const change of bad) expect(() => pdpClient("https://pdp.example", options(change))).toThrow(expect.objectContaining({ code: "option_invalid" }));
  });

  it("whose token cannot be had asks nothing", async () => {
    const { client, asked } = await scene((url) => send(terms(url)), { credentials: { kind: "bearer", token: () => Promise.reject(new Error("no token")) } });
    expect(await codeOf(client.terms())).toBe("pdp_unavailable");
    expect(asked).toHaveLength(0);
  });

  it("is not changed by whoever hears of its problems", async () => {
    const heard: string[] = [];
    const onProblem = (error: { readonly code: string }): never => {
      heard.push(error.code);
      throw new Error("not my problem");
    };
    const { client } = await scene(() => (response) => void response.writeHead(500).end(), { onProblem, retries: 0 });
    expect(await codeOf(client.terms())).toBe("pdp_unavailable");
    expect(heard).toEqual(["pdp_unavailable"]);
  });

  it("asks below the path of its URL", async () => {
    const { url, asked } = await scene(() => (response) => void response.writeHead(500).end());
    const client = pdpClient(`${url}/tenant/`, { credentials: CREDENTIALS, allowLoopback: true, retries: 0 });
    closing.push(() => client.close());
    expect(await codeOf(client.terms())).toBe("pdp_unavailable");
    expect(asked.map((request) => request.url)).toEqual(["/tenant/ambit/v1/terms"]);
  });
});
