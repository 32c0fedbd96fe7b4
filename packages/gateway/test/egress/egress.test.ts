import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text as readText } from "node:stream/consumers";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createEgress, type Egress, type EgressOptions } from "../../src/egress/index.ts";
import { selfSigned } from "../support/certificate.ts";
import { codeOf } from "../support/outcome.ts";
import { type Local, serve, serveBytes, serveTls } from "../support/servers.ts";

const LOOPBACK = ["127.0.0.1"];

function open(local: Local, options: Partial<EgressOptions> = {}): Egress & AsyncDisposable {
  const egress = createEgress({ origins: [local.origin], allowPrivate: LOOPBACK, ...options });
  return { ...egress, [Symbol.asyncDispose]: () => egress.close() };
}

const textOf = async (response: Promise<Response>): Promise<string> => (await response).text();
const nothing = (): void => undefined;

describe("a request", () => {
  it("arrives as it was meant, and its answer comes back", async () => {
    await using server = await serve(async (request, response) => {
      const body = await readText(request);
      response.writeHead(201, { "x-answer": "yes", "set-cookie": "session=1" });
      response.end(JSON.stringify({ method: request.method, url: request.url, body, headers: request.headers }));
    });
    await using egress = open(server);
    const response = await egress.fetch(`${server.origin}/a/../b%2f?q=1#f`, {
      method: "POST",
      body: "hello",
      headers: { "x-api-key": "k", "Mcp-Session-Id": "s" },
    });
    expect([response.status, response.headers.get("x-answer"), response.headers.has("set-cookie")]).toEqual([201, "yes", false]);
    const seen = (await response.json()) as { headers: Record<string, string> };
    expect(seen).toMatchObject({ method: "POST", url: "/b%2f?q=1", body: "hello" });
    expect(seen.headers).toEqual({
      host: `127.0.0.1:${server.port}`,
      connection: "keep-alive",
      "accept-encoding": "gzip, br",
      "x-api-key": "k",
      "mcp-session-id": "s",
      "content-type": "text/plain;charset=UTF-8",
      "content-length": "5",
    });
    expect(await textOf(egress.fetch(new Request(`${server.origin}/r`, { method: "PUT", body: "x", headers: { "x-a": "b" } })))).toContain(
      '"url":"/r","body":"x"',
    );
    const form = await egress.fetch(server.origin, { method: "POST", body: new URLSearchParams({ a: "1" }) });
    expect(await form.json()).toMatchObject({ body: "a=1", headers: { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" } });
  });

  it("gets an answer without a body where there is none", async () => {
    await using server = await serve((request, response) => response.writeHead(request.method === "HEAD" ? 200 : 204, { "content-encoding": "gzip" }).end());
    await using egress = open(server);
    expect((await egress.fetch(server.origin, { method: "HEAD" })).body).toBe(null);
    expect((await egress.fetch(server.origin)).status).toBe(204);
  });

  it("to nobody fails, without a word of the server in the error", async () => {
    await using server = await serveBytes((socket) => socket.end("HTTP/1.1 200 hunter2\r\nhunter2\r\nX: hunter2\r\n\r\n"));
    await using egress = open(server);
    const malformed: unknown = await egress.fetch(server.origin).catch((reason: unknown) => reason);
    expect(malformed).toMatchObject({ code: "upstream_unavailable" });
    expect((malformed as Error).cause).toBe(undefined);
    expect(String((malformed as Error).stack)).not.toContain("hunter2");
    await server[Symbol.asyncDispose]();
    expect(await codeOf(egress.fetch(server.origin))).toBe("upstream_unavailable");
  });

  it("fails for answers that `fetch` could not give", async () => {
    const answers = [
      "HTTP/1.1 999 x\r\ncontent-length: 0\r\n\r\n",
      "HTTP/1.1 200 x\r\ncontent-length: 5\r\n\r\nabc",
      "HTTP/1.1 200 x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na",
      "x",
    ];
    for (const answer of answers) {
      await using server = await serveBytes((socket) => socket.once("data", () => socket.end(answer)));
      await using egress = open(server);
      expect(await codeOf(textOf(egress.fetch(server.origin))), answer).toBe("upstream_unavailable");
    }
  });

  it("is over when the caller gives up, with the caller's reason, before and while the answer comes", async () => {
    await using server = await serve((request, response) => void (request.url === "/body" && response.write("a")));
    await using egress = open(server);
    const reason = new Error("enough");
    expect(await codeOf(egress.fetch(server.origin, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const early = new AbortController();
    const waiting = codeOf(egress.fetch(server.origin, { signal: early.signal }));
    setTimeout(() => early.abort(reason), 50);
    expect(await waiting).toBe(reason);
    const late = new AbortController();
    const response = await egress.fetch(`${server.origin}/body`, { signal: late.signal });
    setTimeout(() => late.abort(reason), 50);
    expect(await codeOf(response.text())).toBe(reason);
  });
});

describe("options", () => {
  it("that are no whole numbers of a timer are refused", async () => {
    for (const wrong of [0, -1, 0.5, Number.NaN, Infinity, 2 ** 31, "5" as unknown as number]) {
      for (const options of [{ deadline: wrong }, { maxResponseBytes: wrong }, { stream: { idle: wrong } }, { stream: { total: wrong } }]) {
        expect(await codeOf(() => createEgress({ origins: [], ...options }))).toBe("option_invalid");
      }
    }
  });
});

describe("the address of a name", () => {
  const hello = (): Promise<Local> => serve((_request, response) => response.end("hello"));

  it("must be public or listed: each one of the answer", async () => {
    await using server = await hello();
    const origin = `http://api.example.com:${server.port}`;
    for (const [found, expected] of [
      [["127.0.0.1"], "hello"],
      [["127.0.0.1", "127.0.0.2"], "egress_refused"],
      [["93.184.216.34", "127.0.0.1"], "egress_refused"],
      [["169.254.169.254"], "egress_refused"],
      [["::1"], "egress_refused"],
      [["localhost"], "egress_refused"],
      [[], "upstream_unavailable"],
    ] as const) {
      await using egress = open(server, { origins: [origin], resolve: () => Promise.resolve(found) });
      expect(await codeOf(textOf(egress.fetch(origin))), found.join()).toBe(expected);
    }
    expect(server.connections()).toBe(1);
  });

  it("is asked for once and used: a second answer (DNS rebinding) is never connected to", async () => {
    await using server = await hello();
    await using inside = await hello();
    const answers = [["127.0.0.1"], ["127.0.0.2"], ["169.254.169.254"]];
    let asked = 0;
    const origin = `http://rebind.example.com:${server.port}`;
    await using egress = open(server, { origins: [origin], resolve: () => Promise.resolve(answers[asked++] ?? ["127.0.0.2"]) });
    expect(await textOf(egress.fetch(origin))).toBe("hello");
    expect(asked).toBe(1);
    await egress.close();
    // A new connection asks anew, and is refused.
    await using fresh = open(server, { origins: [origin], resolve: () => Promise.resolve(answers[asked++] ?? ["127.0.0.2"]) });
    for (let time = 0; time < 3; time++) expect(await codeOf(fresh.fetch(origin))).toBe("egress_refused");
    expect(asked).toBe(4);
    expect([server.connections(), inside.connections()]).toEqual([1, 0]);
  });

  it("that is found by the system is checked too", async () => {
    await using server = await hello();
    const origin = `http://localhost:${server.port}`;
    await using closed = open(server, { origins: [origin], allowPrivate: [] });
    expect(await codeOf(closed.fetch(origin))).toBe("egress_refused");
    await using opened = open(server, { origins: [origin], allowPrivate: ["127.0.0.0/8", "::1"] });
    expect(await textOf(opened.fetch(origin))).toBe("hello");
    await using literal = open(server, { allowPrivate: [] });
    expect(await codeOf(literal.fetch(server.origin))).toBe("egress_refused");
  });

  it("is not reached in the clear unless it is listed", async () => {
    const resolve = (): Promise<readonly string[]> => Promise.resolve(["93.184.216.34"]);
    const { fetch } = createEgress({ origins: ["http://api.example.com"], resolve });
    expect(await codeOf(fetch("http://api.example.com/"))).toBe("egress_refused");
    const { fetch: literal } = createEgress({ origins: ["http://93.184.216.34"] });
    expect(await codeOf(literal("http://93.184.216.34/"))).toBe("egress_refused");
  });

  it("may take no longer than the deadline, and may fail", async () => {
    for (const resolve of [(): Promise<never> => new Promise<never>(nothing), (): Promise<never> => Promise.reject(new Error("hunter2"))]) {
      const { fetch } = createEgress({ origins: ["https://api.example.com"], resolve, deadline: 100 });
      const error: unknown = await fetch("https://api.example.com/").catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "upstream_unavailable" });
      expect(String((error as Error).stack)).not.toContain("hunter2");
    }
  });
});

describe("a secure connection", () => {
  const pem = selfSigned("api.example.com");

  it.skipIf(pem === undefined)("is made with the name, at the checked address, and believes only whom it should", async () => {
    if (pem === undefined) return;
    await using server = await serveTls((request, response) => response.end(request.headers.host), pem);
    const [name, other] = [`https://api.example.com:${server.port}`, `https://other.example.com:${server.port}`];
    const options = { origins: [name, other], resolve: (): Promise<readonly string[]> => Promise.resolve(["127.0.0.1"]) };
    await using trusting = open(server, { ...options, ca: pem.cert });
    expect(await textOf(trusting.fetch(name))).toBe(`api.example.com:${server.port}`);
    expect(await codeOf(trusting.fetch(other))).toBe("upstream_unavailable");
    await using doubting = open(server, options);
    expect(await codeOf(doubting.fetch(name))).toBe("upstream_unavailable");
  });
});

describe("a redirect", () => {
  const credentials = { authorization: "Bearer t", cookie: "c=1", "x-api-key": "k", accept: "text/plain", "mcp-session-id": "s" };
  const echo = (request: IncomingMessage, response: ServerResponse): void => {
    const { host: _host, connection: _connection, ...headers } = request.headers;
    response.end(JSON.stringify({ method: request.method, headers }));
  };
  /** Sends on to what the query says, with the status of the path. */
  const sendOn = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? "", "http://x");
    if (url.pathname === "/end") return echo(request, response);
    response.writeHead(Number(url.pathname.slice(1)), { location: url.searchParams.get("to") ?? "/end" }).end("moved");
  };

  it("within the origin keeps credentials, method and body as the standard says", async () => {
    await using server = await serve(sendOn);
    await using egress = open(server);
    for (const [status, method, expected, length] of [
      [301, "POST", "GET", undefined],
      [302, "POST", "GET", undefined],
      [302, "PUT", "PUT", "4"],
      [303, "PUT", "GET", undefined],
      [303, "HEAD", undefined, undefined],
      [307, "POST", "POST", "4"],
      [308, "DELETE", "DELETE", "4"],
    ] as const) {
      const response = await egress.fetch(`${server.origin}/${status}`, { method, headers: credentials, ...(method === "HEAD" ? {} : { body: "body" }) });
      if (expected === undefined) continue;
      const seen = (await response.json()) as { method: string; headers: Record<string, string> };
      expect([seen.method, seen.headers["content-length"], seen.headers["authorization"], seen.headers["x-api-key"]], `${status} ${method}`).toEqual([
        expected,
        length,
        "Bearer t",
        "k",
      ]);
    }
  });

  it("to another origin of the list carries nothing of ours, nor does it when it comes back", async () => {
    await using one = await serve(sendOn);
    await using two = await serve(sendOn);
    await using egress = open(one, { origins: [one.origin, two.origin] });
    for (const to of [`${two.origin}/end`, `${two.origin}/302?to=${encodeURIComponent(`${one.origin}/end`)}`]) {
      const seen = await textOf(egress.fetch(`${one.origin}/302?to=${encodeURIComponent(to)}`, { headers: credentials }));
      expect(JSON.parse(seen)).toEqual({ method: "GET", headers: { accept: "text/plain", "accept-encoding": "gzip, br" } });
    }
  });

  it("sends no body and no method that changes something to another origin", async () => {
    await using one = await serve(sendOn);
    await using two = await serve(echo);
    await using egress = open(one, { origins: [one.origin, two.origin] });
    for (const [status, method] of [
      [307, "POST"],
      [308, "PUT"],
      [302, "PUT"],
      [307, "DELETE"],
    ] as const) {
      const url = `${one.origin}/${status}?to=${encodeURIComponent(two.origin)}`;
      expect(await codeOf(egress.fetch(url, { method, ...(method === "DELETE" ? {} : { body: "secret" }) })), `${status} ${method}`).toBe("egress_refused");
    }
    expect(two.connections()).toBe(0);
  });

  it("off the list is refused: metadata services, other schemes, ports and spellings", async () => {
    await using server = await serve(sendOn);
    await using other = await serve(echo);
    await using egress = open(server);
    for (const to of [
      "http://169.254.169.254/latest/meta-data/",
      "http://metadata.google.internal/",
      "http://[::ffff:a9fe:a9fe]/",
      "https://127.0.0.1/",
      "//evil.test/",
      other.origin,
      `http://localhost:${server.port}/end`,
      `http://user:pass@127.0.0.1:${server.port}/end`,
      "file:///etc/passwd",
      "javascript:alert(1)",
      "\\\\evil.test\\",
      `http://127.0.0.1:${server.port} .evil.test/`,
    ]) {
      expect(await codeOf(egress.fetch(`${server.origin}/302?to=${encodeURIComponent(to)}`, { headers: credentials })), to).toBe("egress_refused");
    }
    expect(other.connections()).toBe(0);
  });

  it("to a name whose address must not be reached is refused, although its origin is listed", async () => {
    await using server = await serve(sendOn);
    const listed = "https://files.example.com";
    await using egress = open(server, { origins: [server.origin, listed], resolve: () => Promise.resolve(["169.254.169.254"]) });
    expect(await codeOf(egress.fetch(`${server.origin}/302?to=${listed}`))).toBe("egress_refused");
  });

  it("without end is refused, and so is each when the caller wants none", async () => {
    let hops = 0;
    await using server = await serve((_request, response) => response.writeHead(302, { location: `/${hops++}` }).end());
    await using egress = open(server);
    expect(await codeOf(egress.fetch(server.origin))).toBe("egress_refused");
    expect(hops).toBe(6);
    expect(await codeOf(egress.fetch(server.origin, { redirect: "error" }))).toBe("egress_refused");
    const manual = await egress.fetch(server.origin, { redirect: "manual" });
    expect([manual.status, manual.headers.get("location")]).toEqual([302, "/7"]);
  });

  it("to two places is refused; to none it is an answer", async () => {
    await using server = await serve((request, response) => {
      if (request.url === "/two") response.setHeader("location", ["/a", "/b"]);
      response.writeHead(302).end("here");
    });
    await using egress = open(server);
    expect(await codeOf(egress.fetch(`${server.origin}/two`))).not.toBe("here");
    expect(await textOf(egress.fetch(server.origin))).toBe("here");
  });

  it("does not wait for the end of its body", async () => {
    await using server = await serve((request, response) => {
      if (request.url === "/end") return void response.end("done");
      response.writeHead(302, { location: "/end" });
      response.write("x".repeat(1000));
    });
    await using egress = open(server);
    expect(await textOf(egress.fetch(server.origin))).toBe("done");
  });
});

describe("an answer", () => {
  const body = "hello ".repeat(1000);
  const codings = { gzip: gzipSync, "x-gzip": gzipSync, GZIP: gzipSync, deflate: deflateSync, br: brotliCompressSync };

  it("is decoded, and says no more that it was encoded", async () => {
    for (const [coding, encode] of Object.entries(codings)) {
      await using server = await serve((_request, response) => response.writeHead(200, { "content-encoding": coding }).end(encode(body)));
      await using egress = open(server, { maxResponseBytes: body.length });
      const response = await egress.fetch(server.origin);
      expect([response.headers.get("content-encoding"), response.headers.get("content-length"), await response.text()], coding).toEqual([null, null, body]);
    }
  });

  it("in a coding that is not ours, in two, or broken, is none", async () => {
    for (const [coding, sent, code] of [
      ["zstd", "x", "egress_refused"],
      ["gzip, gzip", gzipSync(gzipSync(body)), "egress_refused"],
      ["gzip, identity", gzipSync(body), "egress_refused"],
      ["constructor", "x", "egress_refused"],
      ["gzip", "no gzip", "upstream_unavailable"],
      ["gzip", gzipSync(body).subarray(0, 20), "upstream_unavailable"],
      ["br", brotliCompressSync(body).subarray(0, 5), "upstream_unavailable"],
    ] as const) {
      await using server = await serve((_request, response) => response.writeHead(200, { "content-encoding": coding }).end(sent));
      await using egress = open(server);
      expect(await codeOf(textOf(egress.fetch(server.origin))), coding).toBe(code);
    }
  });

  it("over the cap is refused, by what it says and by what comes", async () => {
    await using server = await serve((request, response) => {
      if (request.url === "/says") response.setHeader("content-length", "1001");
      response.write("x".repeat(1000));
      setTimeout(() => response.end("x"), 20);
    });
    await using egress = open(server, { maxResponseBytes: 1000 });
    expect(await codeOf(egress.fetch(`${server.origin}/says`))).toBe("egress_refused");
    const response = await egress.fetch(server.origin);
    expect(response.status).toBe(200);
    expect(await codeOf(response.text())).toBe("egress_refused");
    await using wide = open(server, { maxResponseBytes: 1001 });
    expect((await textOf(wide.fetch(server.origin))).length).toBe(1001);
  });

  it("that is a bomb is refused before it fills the memory", async () => {
    const zeros = Buffer.alloc(256 * 1024 * 1024);
    for (const [coding, bomb] of [
      ["gzip", gzipSync(zeros)],
      ["br", brotliCompressSync(zeros, { params: { 1: 2 } })],
    ] as const) {
      await using server = await serve((_request, response) => response.writeHead(200, { "content-encoding": coding }).end(bomb));
      await using egress = open(server, { maxResponseBytes: 1024 * 1024 });
      const before = process.memoryUsage().rss;
      expect(await codeOf(textOf(egress.fetch(server.origin))), coding).toBe("egress_refused");
      expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    }
  });

  it("that decodes to nothing for ever is refused by the bytes that come", async () => {
    const empty = gzipSync("");
    await using server = await serve((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      const more = (): void => void (response.destroyed || (response.write(Buffer.concat(Array.from({ length: 100 }, () => empty))), setImmediate(more)));
      more();
    });
    await using egress = open(server, { maxResponseBytes: 50_000 });
    expect(await codeOf(textOf(egress.fetch(server.origin)))).toBe("egress_refused");
  });

  it("without end is refused, and its connection closed", async () => {
    let closed: Promise<unknown> | undefined;
    await using server = await serve((_request, response) => {
      closed = once(response, "close");
      const more = (): void => void (response.destroyed || (response.write("x".repeat(1000)), setImmediate(more)));
      more();
    });
    await using egress = open(server, { maxResponseBytes: 100_000 });
    expect(await codeOf(textOf(egress.fetch(server.origin)))).toBe("egress_refused");
    await closed;
  });

  it("with headers over the cap is none", async () => {
    await using server = await serve((_request, response) => response.writeHead(200, { "x-long": "x".repeat(20_000) }).end());
    await using egress = open(server);
    expect(await codeOf(egress.fetch(server.origin))).toBe("upstream_unavailable");
  });

  it("that trickles in, headers or body, is cut off at the deadline", async () => {
    const trickle = (socket: { write: (text: string) => unknown; destroyed: boolean }, text: string): void => {
      const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : socket.write(text)), 20);
    };
    await using headers = await serveBytes((socket) => socket.once("data", () => (socket.write("HTTP/1.1 200 OK\r\n"), trickle(socket, "X: y\r\n"))));
    await using slow = open(headers, { deadline: 300 });
    expect(await codeOf(slow.fetch(headers.origin))).toBe("upstream_unavailable");
    await using bodies = await serve((_request, response) => trickle(response, "x"));
    await using slower = open(bodies, { deadline: 300 });
    const response = await slower.fetch(bodies.origin);
    expect(await codeOf(response.text())).toBe("upstream_unavailable");
    const unread = await slower.fetch(bodies.origin);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await codeOf(unread.text())).toBe("upstream_unavailable");
  });
});

describe("a stream of events", () => {
  const events = (write: (response: ServerResponse) => void): Promise<Local> =>
    serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      write(response);
    });

  it("comes event by event, and may outlast the deadline", async () => {
    await using server = await events((response) => {
      let sent = 0;
      const timer = setInterval(() => (sent++ < 5 ? response.write(`data: ${sent}\n\n`) : (clearInterval(timer), response.end())), 80);
    });
    await using egress = open(server, { deadline: 200 });
    const response = await egress.fetch(server.origin);
    const pieces: string[] = [];
    for await (const piece of response.body ?? []) pieces.push(Buffer.from(piece).toString());
    expect(pieces).toEqual([1, 2, 3, 4, 5].map((number) => `data: ${number}\n\n`));
  });

  it("that falls silent, or lasts too long, is cut off", async () => {
    await using silent = await events((response) => void response.write("data: 1\n\n"));
    await using idle = open(silent, { stream: { idle: 100 } });
    expect(await codeOf(textOf(idle.fetch(silent.origin)))).toBe("upstream_unavailable");
    await using endless = await events((response) => {
      const timer = setInterval(() => (response.destroyed ? clearInterval(timer) : response.write(": \n\n")), 20);
    });
    await using total = open(endless, { stream: { idle: 10_000, total: 200 } });
    expect(await codeOf(textOf(total.fetch(endless.origin)))).toBe("upstream_unavailable");
    await using capped = open(endless, { maxResponseBytes: 20 });
    expect(await codeOf(textOf(capped.fetch(endless.origin)))).toBe("egress_refused");
  });

  it("is not blamed for a reader who takes time", async () => {
    await using server = await events((response) => void response.end("data: 1\n\ndata: 2\n\n"));
    await using egress = open(server, { stream: { idle: 100 } });
    const response = await egress.fetch(server.origin);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await response.text()).toBe("data: 1\n\ndata: 2\n\n");
  });

  it("ends with its reader: the server sees the connection close", async () => {
    let closed: Promise<unknown> | undefined;
    await using server = await events((response) => {
      closed = once(response, "close");
      response.write("data: 1\n\n");
    });
    await using egress = open(server);
    const reader = (await egress.fetch(server.origin)).body?.getReader();
    await reader?.read();
    const pending = reader?.read();
    await reader?.cancel();
    expect(await pending).toEqual({ done: true, value: undefined });
    await closed;
  });

  it("is compressed and still comes event by event", async () => {
    const { createGzip } = await import("node:zlib");
    await using server = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "content-encoding": "gzip" });
      const gzip = createGzip();
      gzip.pipe(response);
      gzip.write("data: 1\n\n");
      gzip.flush();
    });
    await using egress = open(server);
    const reader = (await egress.fetch(server.origin)).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("data: 1\n\n");
    await reader?.cancel();
  });
});
