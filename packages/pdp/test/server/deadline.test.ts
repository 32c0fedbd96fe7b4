import { connect } from "node:net";
import { createPdpService, type Route } from "@ambit/pdp/server";
import { describe, expect, it } from "vitest";
import { signedFixture } from "../support/signed.ts";
import { serviceScene } from "./scene.ts";

const never = new Promise<never>(() => undefined);

describe("a request whose time is over", () => {
  it("is heard of by its route, whether it asked for the signal before or after", async () => {
    const { pdp } = await signedFixture();
    const told: boolean[] = [];
    const early: Route = {
      method: "GET",
      path: "/early",
      role: "open",
      handle: ({ signal }) => {
        signal.addEventListener("abort", () => told.push(signal.aborted));
        return never;
      },
    };
    let late: (() => void) | undefined;
    const waiting: Route = {
      method: "GET",
      path: "/late",
      role: "open",
      handle: async (call) => {
        await new Promise<void>((resolve) => (late = resolve));
        told.push(call.signal.aborted);
        return {};
      },
    };
    const service = createPdpService({ pdp, url: "https://pdp.example", callers: [], routes: [early, waiting], deadline: 20 });
    const ask = async (path: string): Promise<number> => (await service.fetch(new Request(`https://pdp.example${path}`))).status;
    expect(await ask("/early")).toBe(504);
    expect(told).toEqual([true]);
    expect(await ask("/late")).toBe(504);
    late?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([true, true]);
  });

  it("has a signal that stays quiet where there was an answer", async () => {
    const { pdp } = await signedFixture();
    const signals: AbortSignal[] = [];
    const route: Route = { method: "GET", path: "/now", role: "open", handle: async ({ signal }) => (signals.push(signal), { json: {} }) };
    const service = createPdpService({ pdp, url: "https://pdp.example", callers: [], routes: [route], deadline: 20 });
    expect((await service.fetch(new Request("https://pdp.example/now"))).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });

  it("is its sender's fault while a body comes piece by piece, and the connection ends with it", async () => {
    const route: Route = { method: "POST", path: "/slow", role: "open", handle: async ({ json }) => ({ json }) };
    const { port } = await serviceScene({}, {}, { routes: [route], deadline: 100 });
    const head = `POST /slow HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
    const answer = await new Promise<string>((resolve) => {
      let text = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(`${head}1\r\n{\r\n`));
      const more = setInterval(() => socket.write("1\r\n \r\n"), 10);
      socket
        .setEncoding("utf8")
        .on("data", (data: string) => (text += data))
        .on("error", () => undefined)
        .on("close", () => {
          clearInterval(more);
          resolve(text);
        });
    });
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain("request_timeout");
    expect(answer.toLowerCase()).toContain("connection: close");
  });
});
