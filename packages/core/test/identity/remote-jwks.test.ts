import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { listedAnchors } from "../../src/identity/listed-anchors.ts";
import { remoteJwks, type RemoteJwksOptions } from "../../src/identity/remote-jwks.ts";
import type { KeySource } from "../../src/identity/key-source.ts";
import { issueRoot } from "../../src/token/issue.ts";
import { generateKey, type SigningKey } from "../../src/token/key.ts";
import { createVerifier } from "../../src/token/verifier.ts";
import { codeOf, rejectionOf } from "../support/codes.ts";
import { verdict } from "../token/mint.ts";
import { ISSUER, jwks, NOW, selfSigned, send, serve, testKey, type TestKey, type TestServer } from "./issuer.ts";

let one: TestKey;
let two: TestKey;
beforeAll(async () => {
  [one, two] = [await testKey("ES256", "one"), await testKey("Ed25519", "two")];
});

const open: TestServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

interface Scene {
  readonly server: TestServer;
  readonly source: KeySource;
  /** Seconds. */
  readonly wait: (seconds: number) => void;
  readonly setClock: (seconds: number) => void;
  readonly kids: () => readonly (string | undefined)[];
}

async function scene(changes: Partial<RemoteJwksOptions> = {}, answer: TestServer["answer"] = send(jwks(one))): Promise<Scene> {
  const server = await serve(answer);
  open.push(server);
  let at = NOW;
  const source = remoteJwks({ url: server.url, allowLoopback: true, maxAge: 600, maxStale: 3600, cooldown: 30, now: () => at * 1000, ...changes });
  return {
    server,
    source,
    wait: (seconds) => (at += seconds),
    setClock: (seconds) => (at = seconds),
    kids: () => source.keys().map(({ kid }) => kid),
  };
}

describe("a key set over HTTP", () => {
  it("is fetched when it is first needed, and again when it is old", async () => {
    const { server, source, wait, kids } = await scene();
    expect([kids(), server.requests()]).toStrictEqual([[], 0]);
    await source.ready();
    expect([kids(), server.requests()]).toStrictEqual([["one"], 1]);
    wait(599);
    await source.ready();
    expect(server.requests()).toBe(1);
    wait(1);
    await source.ready();
    expect(server.requests()).toBe(2);
  });

  it("is fetched once for all who wait for it", async () => {
    const { server, source } = await scene();
    await Promise.all(Array.from({ length: 50 }, (_, index) => source.ready(index % 2 === 0 ? undefined : `unknown ${index}`)));
    expect(server.requests()).toBe(1);
  });

  it("drops what is no longer listed, takes what is new, and keeps the object of what stays", async () => {
    const { server, source, wait, kids } = await scene({}, send(jwks(one, two)));
    await source.ready();
    const [, kept] = source.keys();
    const three = await testKey("RS256", "three");
    server.answer = send(jwks(three, two));
    wait(600);
    await source.ready();
    expect(kids()).toStrictEqual(["three", "two"]);
    expect(source.keys()[1]).toBe(kept);
    server.answer = send('{"keys":[]}');
    wait(600);
    await source.ready();
    expect(kids()).toStrictEqual([]);
  });

  it("is asked for an unknown name at most once in each cooldown, whatever floods in", async () => {
    const { server, source, wait, kids } = await scene();
    await source.ready();
    for (let index = 0; index < 200; index++) await source.ready(`made-up ${index}`);
    expect(server.requests()).toBe(1);
    wait(29);
    await source.ready("made-up");
    expect(server.requests()).toBe(1);
    wait(1);
    server.answer = send(jwks(one, two));
    await Promise.all(Array.from({ length: 200 }, (_, index) => source.ready(index === 0 ? "two" : `made-up ${index}`)));
    expect([kids(), server.requests()]).toStrictEqual([["one", "two"], 2]);
    wait(40);
    await source.ready("two");
    expect(server.requests()).toBe(2);
  });

  const failures: readonly (readonly [string, TestServer["answer"]])[] = [
    ["is an error", send("{}", "application/json", 500)],
    ["is not found", send(" ", "application/json", 404)],
    ["is not modified, which was not asked", (response) => response.writeHead(304).end()],
    ["sends away", (response, request) => response.writeHead(302, { location: `${request.url}?again` }).end()],
    ["sends away for good, with a list", send('{"keys":[]}', "application/json", 308, { location: "https://example.com/" })],
    ["has no content", send("", "application/json", 204)],
    ["is empty", send("")],
    ["is a page", send('{"keys":[]}', "text/html")],
    ["has no media type", send('{"keys":[]}', "")],
    ["is of a media type that only begins like JSON", send('{"keys":[]}', "application/json-seq")],
    ["is compressed", send('{"keys":[]}', "application/json", 200, { "content-encoding": "gzip" })],
    ["is no JSON", send("{keys:[]}")],
    ["is no UTF-8", send(Buffer.from('{"keys":["\u00ff"]}', "latin1"))],
    ["repeats a member", send('{"keys":[],"keys":[]}')],
    ["says that it is too large", (response, request) => send(`{"keys":[]}${" ".repeat(200_000)}`)(response, request)],
    [
      "is too large and does not say so",
      (response) => response.writeHead(200, { "content-type": "application/json", "transfer-encoding": "chunked" }).end(`{"keys":[]}${" ".repeat(200_000)}`),
    ],
    ["says that it is larger than it is", send('{"keys":[]}', "application/json", 200, { "content-length": "9999999" })],
    ["never comes", () => undefined],
    [
      "comes a byte at a time",
      (response) => {
        response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
        const timer = setInterval(() => response.write(" "), 20);
        response.on("close", () => clearInterval(timer));
      },
    ],
    ["breaks off", (response) => response.writeHead(200, { "content-type": "application/json", "content-length": "100" }).write("{", () => response.destroy())],
    ["is no HTTP", (response) => void response.socket?.end("hello\r\n\r\n")],
  ];

  it.each(failures)("whose answer %s is unknown, and the reason asks nobody else", async (_, answer) => {
    const { server, source, kids, wait } = await scene({ timeout: 0.3, mostBytes: 200_000 }, answer);
    expect(await rejectionOf(source.ready())).toBe("state_unavailable");
    expect([kids(), server.requests()]).toStrictEqual([[], 1]);
    // Not again before the cooldown is over, and then at once: recovery needs no restart (I8).
    expect(await rejectionOf(source.ready())).toBe("state_unavailable");
    expect(server.requests()).toBe(1);
    server.answer = send(jwks(one), "application/jwk-set+json; charset=utf-8");
    wait(30);
    expect(await rejectionOf(source.ready())).toBe("nothing thrown");
    expect(kids()).toStrictEqual(["one"]);
  });

  it.each(failures.slice(0, 6))("keeps its last state when the answer %s, until that is too old, and then denies", async (_, answer) => {
    const { server, source, wait, kids } = await scene();
    await source.ready();
    server.answer = answer;
    for (const [step, requests] of [
      [3599, 2],
      [0, 2],
    ] as const) {
      wait(step);
      expect(await rejectionOf(source.ready())).toBe("nothing thrown");
      expect([kids(), server.requests()]).toStrictEqual([["one"], requests]);
    }
    wait(1);
    expect(kids()).toStrictEqual([]);
    expect(await rejectionOf(source.ready())).toBe("state_unavailable");
    expect(kids()).toStrictEqual([]);
  });

  it("is unknown when nobody listens", async () => {
    const { server, source } = await scene();
    await server.close();
    expect(await rejectionOf(source.ready())).toBe("state_unavailable");
  });

  it("is not believed to be fresh by a clock that was set back, and not known by one that is none", async () => {
    const { server, source, setClock, kids } = await scene();
    await source.ready();
    setClock(NOW - 60);
    await source.ready();
    expect([kids(), server.requests()]).toStrictEqual([["one"], 2]);
    setClock(Number.NaN);
    expect(kids()).toStrictEqual([]);
    expect(await rejectionOf(source.ready())).toBe("state_unavailable");
  });

  it("gives anchors that stay the same objects while their keys stay, so that verified chains stay verified", async () => {
    const key: SigningKey = await generateKey();
    const next: SigningKey = await generateKey();
    const listOf = (...signers: readonly SigningKey[]): TestServer["answer"] => send(jwks(...signers.map((signer) => ({ ...signer.public.jwk, use: "sig" }))));
    const { server, source, wait } = await scene({}, listOf(key));
    const anchors = listedAnchors(source, () => ({ issuer: ISSUER, kind: "ambit" }));
    const verifier = createVerifier({ anchors, audiences: ["https://pep.example"], replay: "deferred", now: () => NOW * 1000 });
    const { tokens } = await issueRoot({ issuer: ISSUER, holder: next.public, tools: {}, maxDepth: 1, expiresAt: NOW + 60, now: NOW * 1000 }, key);
    expect(verdict(await verifier.verifyChain(tokens))).toBe("envelope_signature_invalid 3a 0");
    await source.ready();
    const first = await verifier.verifyChain(tokens);
    wait(600);
    server.answer = listOf(next, key);
    await source.ready();
    expect(anchors()).toHaveLength(2);
    const again = await verifier.verifyChain(tokens);
    expect(first.verified && again.verified && again.chain === first.chain && again.chain.anchor.kind === "ambit").toBe(true);
    wait(600);
    server.answer = send(jwks({ ...key.public.jwk, use: "sig", exp: NOW - 1 }));
    await source.ready();
    expect(verdict(await verifier.verifyChain(tokens))).toBe("envelope_signature_invalid 3k 0");
    wait(600);
    server.answer = listOf(next);
    await source.ready();
    expect(verdict(await verifier.verifyChain(tokens))).toBe("envelope_signature_invalid 3b 0");
    // Keys that chains cannot be signed with are no anchors.
    wait(600);
    server.answer = send(jwks(await testKey("RS256")));
    await source.ready();
    expect([source.keys().length, anchors().length]).toStrictEqual([1, 0]);
  });
});

const tls = selfSigned();

describe.skipIf(tls === undefined)("a key set over HTTPS", () => {
  const secure = async (ca?: string): Promise<KeySource> => {
    const server = await serve(send(jwks(one)), tls);
    open.push(server);
    return remoteJwks({ url: server.url, ...(ca === undefined ? {} : { ca }), now: () => NOW * 1000 });
  };

  it("is taken from who has a certificate that was configured", async () => {
    const source = await secure(tls?.cert);
    await source.ready();
    expect(source.keys()).toHaveLength(1);
  });

  it("is not taken from anybody else, also where the environment says not to look", async () => {
    expect(await rejectionOf((await secure()).ready())).toBe("state_unavailable");
    const other = selfSigned();
    expect(await rejectionOf((await secure(other?.cert)).ready())).toBe("state_unavailable");
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    try {
      process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
      expect(await rejectionOf((await secure()).ready())).toBe("state_unavailable");
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
  });
});

describe("where a key set is", () => {
  const at = (url: string, more: Partial<RemoteJwksOptions> = {}): string => codeOf(() => remoteJwks({ url, ...more }));

  it.each([
    "",
    "login.example.com/jwks",
    "http://login.example.com/jwks",
    "http://127.0.0.1/jwks",
    "http://localhost/jwks",
    "ftp://login.example.com/jwks",
    "file:///etc/jwks.json",
    "data:application/json,{}",
    "javascript:1",
    "https://user@login.example.com/jwks",
    "https://user:secret@login.example.com/jwks",
    "https://login.example.com/jwks#here",
  ])("cannot be %s", (url) => {
    expect(at(url)).toBe("option_invalid");
  });

  it.each([
    "http://login.example.com/jwks",
    "http://10.0.0.1/jwks",
    "http://127.0.0.1.example.com/jwks",
    "http://localhost.example.com/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://user@127.0.0.1/",
  ])("cannot be %s either when this machine is allowed", (url) => {
    expect(at(url, { allowLoopback: true })).toBe("option_invalid");
    expect(at("http://127.0.0.1/", { allowLoopback: true })).toBe("nothing thrown");
    expect(at("http://[::1]:1/", { allowLoopback: true })).toBe("nothing thrown");
    expect(at("http://localhost/", { allowLoopback: "true" as never })).toBe("option_invalid");
  });

  it.each<[string, Partial<RemoteJwksOptions>]>([
    ["a negative age", { maxAge: -1 }],
    ["no age", { maxAge: 0 }],
    ["an age that is no number", { maxAge: Number.NaN }],
    ["an endless staleness", { maxStale: Number.POSITIVE_INFINITY }],
    ["a staleness below the age", { maxAge: 600, maxStale: 599 }],
    ["no cooldown", { cooldown: 0 }],
    ["a timeout of hours", { timeout: 3601 }],
    ["a size without end", { mostBytes: Number.POSITIVE_INFINITY }],
    ["another format", { format: "pem" as never }],
  ])("cannot be watched with %s", (_, more) => {
    expect(at("https://login.example.com/jwks", more)).toBe("option_invalid");
  });
});
