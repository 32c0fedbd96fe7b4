import { request } from "node:http";
import { createPdpService, type Route, type RouteAnswer } from "@ambit/pdp/server";
import { describe, expect, it } from "vitest";
import { signedFixture } from "../support/signed.ts";
import { serviceScene } from "./scene.ts";

const open = (path: string, answer: unknown): Route => ({ method: "GET", path, role: "open", handle: async () => answer as RouteAnswer });

/** What cannot be sent, whoever's route answers it. */
const UNSENDABLE: Readonly<Record<string, unknown>> = {
  "/line": { headers: { "x-note": "a\r\nset-cookie: b" } },
  "/nul": { headers: { "x-note": "a\0" } },
  "/wide": { headers: { "x-note": "\u2028" } },
  "/name": { headers: { "x note": "a" } },
  "/length": { headers: { "Content-Length": "1" }, json: {} },
  "/chunks": { headers: { "transfer-encoding": "chunked" }, json: {} },
  "/type": { text: { type: "text/plain\r\nx: y", body: "a" } },
  "/status": { status: 99, json: {} },
  "/text": { status: "200", json: {} },
  "/nothing": { status: 204, json: {} },
};

const SENDABLE: readonly Route[] = [
  open("/empty", { status: 204 }),
  open("/same", { status: 304, headers: { ETag: '"a"' } }),
  open("/json", { json: { text: "ü" }, headers: { "Cache-Control": "public", "X-Request-Id": "other" } }),
  open("/plain", { status: 202, text: { type: "text/plain; charset=utf-8", body: "ü" } }),
];

interface Got {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** By Node's own client, which shows what came as it came. */
function get(url: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { headers: { "x-request-id": "r" } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers as Got["headers"], body: Buffer.concat(chunks).toString() }));
    });
    asking.on("error", reject);
    asking.end();
  });
}

describe("what a route answers", () => {
  it("is sent with one of each header, ours last, and with its length", async () => {
    const { url } = await serviceScene({}, {}, { routes: SENDABLE });
    const common = { "cache-control": "no-store", "x-content-type-options": "nosniff", "x-request-id": "r" };
    const json = await get(`${url}/json`);
    expect(json).toMatchObject({ status: 200, headers: { ...common, "content-type": "application/json", "content-length": "13" }, body: '{"text":"ü"}' });
    expect(await get(`${url}/plain`)).toMatchObject({
      status: 202,
      headers: { ...common, "content-type": "text/plain; charset=utf-8", "content-length": "2" },
    });
    const same = await get(`${url}/same`);
    expect(same).toMatchObject({ status: 304, headers: { ...common, etag: '"a"' }, body: "" });
    expect(same.headers).not.toHaveProperty("content-type");
    expect(await get(`${url}/empty`)).toMatchObject({ status: 204, headers: common, body: "" });
  });

  it("is the same for a server that takes responses", async () => {
    const { pdp } = await signedFixture();
    const service = createPdpService({ pdp, url: "https://pdp.example", callers: [], routes: SENDABLE });
    for (const { path } of SENDABLE) {
      const asked = new Request(`https://pdp.example${path}`, { headers: { "x-request-id": "r" } });
      const [response, written] = [await service.fetch(asked), await service.answer(asked)];
      expect(response.status).toBe(written.status);
      expect(Object.fromEntries(response.headers)).toEqual(written.headers);
      expect(await response.text()).toBe(written.body ?? "");
    }
  });

  it("is a problem of ours where nothing could send it, and the connection goes on", async () => {
    const errors: unknown[] = [];
    const routes = Object.entries(UNSENDABLE).map(([path, answer]) => open(path, answer));
    const { url } = await serviceScene({}, {}, { routes, onError: (error) => errors.push(error) });
    for (const path of Object.keys(UNSENDABLE)) {
      const { status, headers, body } = await get(`${url}${path}`);
      expect([path, status, JSON.parse(body)]).toMatchObject([path, 500, { error: { code: "internal", request_id: "r" } }]);
      expect(headers).not.toHaveProperty("set-cookie");
    }
    expect(errors).toHaveLength(Object.keys(UNSENDABLE).length);
  });

  it("closes its connection once the service stops", async () => {
    const { url, service } = await serviceScene({}, {}, { routes: SENDABLE });
    expect((await get(`${url}/plain`)).headers).not.toHaveProperty("connection", "close");
    service.drain();
    expect((await get(`${url}/plain`)).headers).toHaveProperty("connection", "close");
    expect((await get(`${url}/nowhere`)).headers).toHaveProperty("connection", "close");
  });

  it("is found by its path and its method, exactly", async () => {
    const { url } = await serviceScene({}, {}, { routes: [open("/things/:id", { json: {} }), open("/things/mine", { json: { is: "mine" } })] });
    const asked = async (path: string, method = "GET"): Promise<readonly unknown[]> => {
      const answer = await fetch(`${url}${path}`, { method });
      return [answer.status, answer.headers.get("allow")];
    };
    expect(await asked("/things/1")).toEqual([200, null]);
    expect(await asked("/things/mine")).toEqual([200, null]);
    expect(await asked("/things/mine", "POST")).toEqual([405, "GET"]);
    expect(await asked("/things/1", "DELETE")).toEqual([405, "GET, POST"]);
    expect(await asked("/things/1", "HEAD")).toEqual([405, "GET, POST"]);
    expect(await asked("/things/1/")).toEqual([404, null]);
    expect(await asked("/THINGS/1")).toEqual([404, null]);
  });
});
