import { afterEach, describe, expect, it } from "vitest";
import { selfSigned, send, serve, type TestServer } from "../../../core/test/identity/issuer.ts";
import { createOutbox, type Ending, type Outbox, type OutboxOptions } from "../../src/approvals/webhook/outbox.ts";

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each.close();
});

async function receiver(answer: TestServer["answer"], tls?: Parameters<typeof serve>[1]): Promise<TestServer> {
  const server = await serve(answer, tls);
  closing.push(server);
  return server;
}

function outboxWith(options: OutboxOptions = {}): Outbox {
  const outbox = createOutbox({ backoff: 1, attempts: 3, ...options });
  closing.push(outbox);
  return outbox;
}

const sendTo = (outbox: Outbox, url: string, more: Partial<Parameters<Outbox["send"]>[0]> = {}): Promise<Ending> =>
  new Promise((resolve) => {
    outbox.send({ url: new URL(url), body: "{}", headers: () => ({ "webhook-id": "1" }), isWanted: () => true, ...more }, async (ending) => resolve(ending));
  });

describe("a message", () => {
  it("is posted once where it is taken", async () => {
    let seen: unknown;
    const server = await receiver((response, request) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        seen = [request.method, request.headers["content-type"], request.headers["webhook-id"], body];
        response.writeHead(204).end();
      });
    });
    expect(await sendTo(outboxWith(), server.url)).toEqual({ outcome: "delivered" });
    expect([seen, server.requests()]).toEqual([["POST", "application/json", "1", "{}"], 1]);
  });

  it.each([500, 503, 429, 408])("is sent again after the status %s, and no more than so often", async (status) => {
    const server = await receiver((response) => response.writeHead(server.requests() < 3 ? status : 200).end());
    expect(await sendTo(outboxWith(), server.url)).toEqual({ outcome: "delivered" });
    const stuck = await receiver(send("no", "text/plain", status));
    expect(await sendTo(outboxWith(), stuck.url)).toEqual({ outcome: "failed", reason: `the answer had the status ${status}`, attempts: 3 });
    expect(stuck.requests()).toBe(3);
  });

  it.each([301, 302, 307, 308, 400, 401, 404, 410])("is not sent again after the status %s, nor anywhere else", async (status) => {
    const elsewhere = await receiver(send("{}"));
    const server = await receiver(send("", "text/plain", status, { location: elsewhere.url }));
    expect(await sendTo(outboxWith(), server.url)).toEqual({ outcome: "failed", reason: `the answer had the status ${status}`, attempts: 1 });
    expect([server.requests(), elsewhere.requests()]).toEqual([1, 0]);
  });

  it("is given up where nobody listens, answers, or is who they should be", async () => {
    const gone = await serve(send("{}"));
    await gone.close();
    expect(await sendTo(outboxWith(), gone.url)).toEqual({ outcome: "failed", reason: "the request failed (ECONNREFUSED)", attempts: 3 });
    const hung = await receiver(() => undefined);
    expect(await sendTo(outboxWith({ timeout: 20 }), hung.url)).toEqual({ outcome: "failed", reason: "there was no answer in time", attempts: 3 });
    const tls = selfSigned();
    if (tls === undefined) return;
    const stranger = await receiver(send("{}"), tls);
    expect(await sendTo(outboxWith(), stranger.url)).toMatchObject({ outcome: "failed", attempts: 3 });
    expect(stranger.requests()).toBe(0);
  });

  it("is not sent when nobody wants it any longer", async () => {
    const server = await receiver(send("{}"));
    expect(await sendTo(outboxWith(), server.url, { isWanted: () => false })).toEqual({ outcome: "failed", reason: "the request has expired", attempts: 0 });
    const broken = (): never => {
      throw new Error("no clock");
    };
    expect(await sendTo(outboxWith(), server.url, { headers: broken })).toMatchObject({ outcome: "failed", attempts: 0 });
    expect(server.requests()).toBe(0);
  });
});

describe("the outbox", () => {
  it("drops what is too much, by number and by size, and goes on when there is room", async () => {
    const open: (() => void)[] = [];
    const server = await receiver((response) => void open.push(() => response.end()));
    const outbox = outboxWith({ mostMessages: 3, mostCharacters: 100 });
    const first = sendTo(outbox, server.url, { body: "x".repeat(60) });
    expect(await sendTo(outbox, server.url, { body: "x".repeat(41) })).toMatchObject({ outcome: "dropped" });
    const [second, third] = [sendTo(outbox, server.url), sendTo(outbox, server.url)];
    expect(await sendTo(outbox, server.url)).toMatchObject({ outcome: "dropped" });
    while (open.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const answer of open.splice(0)) answer();
    expect((await Promise.all([first, second, third])).map(({ outcome }) => outcome)).toEqual(["delivered", "delivered", "delivered"]);
    const last = sendTo(outbox, server.url, { body: "x".repeat(100) });
    while (open.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    open[0]?.();
    expect(await last).toEqual({ outcome: "delivered" });
  });

  it("attempts no more at once than it may", async () => {
    let [now, most] = [0, 0];
    const server = await receiver((response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        response.end();
      }, 5);
    });
    const outbox = outboxWith({ mostAtOnce: 2 });
    const endings = await Promise.all(Array.from({ length: 10 }, () => sendTo(outbox, server.url)));
    expect([new Set(endings.map(({ outcome }) => outcome)), most]).toEqual([new Set(["delivered"]), 2]);
  });

  it("closes with an end for every message, whatever is under way", async () => {
    const hung = await receiver(() => undefined);
    const failing = await receiver(send("no", "text/plain", 500));
    const outbox = createOutbox({ mostAtOnce: 2, backoff: 3_600_000, timeout: 3_600_000 });
    const all = [sendTo(outbox, failing.url), sendTo(outbox, hung.url), sendTo(outbox, hung.url), sendTo(outbox, hung.url)];
    while (failing.requests() < 1 || hung.requests() < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await outbox.close();
    expect((await Promise.all(all)).map(({ outcome }) => outcome)).toEqual(["failed", "failed", "failed", "failed"]);
    await outbox.close();
    expect(await sendTo(outbox, failing.url)).toMatchObject({ outcome: "failed", attempts: 0 });
    expect([failing.requests(), hung.requests()]).toEqual([1, 2]);
  });
});
