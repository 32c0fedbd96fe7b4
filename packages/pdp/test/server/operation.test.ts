import { pdpClient } from "@ambit/core/pdp-client";
import { createPdpService, requestProblem, secretDigest, servePdp, type Route } from "@ambit/pdp/server";
import { describe, expect, it } from "vitest";
import { createMemoryState } from "../../src/state/memory-state.ts";
import { BEGIN, fixture, outcomeOf, rejection } from "../support/fixture.ts";
import { signedFixture } from "../support/signed.ts";
import { CALLERS, closeAfter, ENFORCER, OBSERVER, serviceScene } from "./scene.ts";
import { freePort } from "../support/free-port.ts";

const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

describe("the service", () => {
  it("says that it lives, and whether what it needs is there, and no more", async () => {
    let isThere = true;
    let time = 0;
    const { pdp } = await signedFixture();
    const service = createPdpService({
      pdp,
      url: "https://pdp.example",
      callers: CALLERS,
      now: () => time,
      ready: { store: async () => (isThere ? undefined : Promise.reject(new Error("no route to 10.0.0.7"))), log: async () => undefined },
    });
    const ask = async (path: string): Promise<readonly [number, unknown]> => {
      const answer = await service.fetch(new Request(`https://pdp.example${path}`, { headers: { "x-request-id": "r" } }));
      return [answer.status, await answer.json()];
    };
    const unready = { error: { code: "unavailable", message: "the service is not ready", request_id: "r" } };
    expect(await ask("/healthz")).toEqual([200, { status: "ok" }]);
    expect(await ask("/readyz")).toEqual([200, { status: "ok" }]);
    isThere = false;
    expect(await ask("/readyz")).toEqual([200, { status: "ok" }]); // asked a moment ago
    time += 1000;
    expect(await ask("/readyz")).toEqual([503, unready]);
    isThere = true;
    time += 1000;
    expect(await ask("/readyz")).toEqual([200, { status: "ok" }]);
    service.drain();
    expect(await ask("/readyz")).toEqual([503, unready]);
    expect(await ask("/healthz")).toEqual([200, { status: "ok" }]);
  });

  it("is ready where the state can be read, as the embedded decision point says", async () => {
    const state = createMemoryState();
    let isThere = true;
    const { pdp } = await fixture(
      {},
      { state: { ...state, revokedAt: (...asked) => (isThere ? state.revokedAt(...asked) : Promise.reject(new Error("away"))) } },
    );
    await expect(pdp.ready()).resolves.toBeUndefined();
    isThere = false;
    await expect(pdp.ready()).rejects.toThrow("away");
  });

  it("counts what it decided by code and how long it took by route, without a name that anybody chose", async () => {
    const { pep, url } = await serviceScene();
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k9" })).toBe("argument_not_allowed");
    expect((await fetch(`${url}/tenant_1/user_1`)).status).toBe(404);
    const answer = await fetch(`${url}/metrics`, { headers: bearer(OBSERVER) });
    const text = await answer.text();
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    for (const line of [
      'ambit_pdp_requests_total{route="/ambit/v1/decide",status="200"} 2',
      'ambit_pdp_requests_total{route="none",status="404"} 1',
      'ambit_pdp_decisions_total{kind="begin",decision="permit",code="none"} 1',
      'ambit_pdp_decisions_total{kind="decide",decision="permit",code="none"} 1',
      'ambit_pdp_decisions_total{kind="decide",decision="deny",code="argument_not_allowed"} 1',
      'ambit_pdp_request_duration_seconds_count{route="/ambit/v1/decide"} 2',
      'ambit_pdp_request_duration_seconds_bucket{route="/ambit/v1/decide",le="+Inf"} 2',
    ])
      expect(text.split("\n")).toContain(line);
    for (const name of ["tenant_1", "user_1", "reviewer", task.envelopeId, "k9", "c1"]) expect(text).not.toContain(name);
    for (const line of text.trimEnd().split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\} [0-9.e+-]+)$/);
  });

  it("tells its terms to whoever enforces, and that they have not changed", async () => {
    const { url, pdp } = await serviceScene();
    const terms = await fetch(`${url}/ambit/v1/terms`, { headers: bearer(ENFORCER) });
    const etag = terms.headers.get("etag") ?? "";
    expect(await terms.json()).toMatchObject({ policy_decision_point: url, capability: "urn:ambit:pdp:1", audience: ["urn:example:pdp"] });
    expect((await fetch(`${url}/ambit/v1/terms`, { headers: { ...bearer(ENFORCER), "if-none-match": etag } })).status).toBe(304);
    expect((await fetch(`${url}/ambit/v1/terms`, { headers: { ...bearer(ENFORCER), "if-none-match": '"other"' } })).status).toBe(200);
    const { order, toolId } = await pdp.terms();
    expect([toolId("contracts_read", undefined), toolId("contracts_read", "crm"), toolId("contracts_read", "other"), toolId("toString", undefined)]).toEqual([
      "contracts.read",
      "contracts.read",
      undefined,
      undefined,
    ]);
    expect([order.purposes.parentOf("classify"), order.purposes.parentOf("review"), order.purposes.parentOf("constructor")]).toEqual([
      "review",
      null,
      undefined,
    ]);
  });

  it("carries further routes: their roles, their bodies, their way of telling a problem", async () => {
    const told = (): { readonly type: string; readonly body: string } => ({ type: "application/json", body: '"no"' });
    const routes: readonly Route[] = [
      {
        method: "GET",
        path: "/things/:id",
        role: "evaluate",
        takesQuery: true,
        handle: async ({ params, query, caller }) => ({ json: { ...params, page: query.get("page"), by: caller?.name } }),
      },
      {
        method: "POST",
        path: "/token",
        role: "open",
        body: "form",
        handle: async ({ form, caller }) => ({ json: { grant: form?.get("grant_type"), by: caller ?? null }, status: 201 }),
      },
      { method: "POST", path: "/echo", role: "evaluate", handle: async ({ json }) => ({ json }) },
      {
        method: "POST",
        path: "/evaluation",
        role: "evaluate",
        tell: told,
        handle: async () => {
          throw requestProblem("request_malformed", "no subject");
        },
      },
    ];
    const secret = "a-secret-of-somebody-who-only-asks-questions";
    const asker = { kind: "secret", name: "asker", digest: secretDigest(secret), roles: ["evaluate"], tenants: [] } as const;
    const { url } = await serviceScene({}, {}, { routes, callers: [...CALLERS, asker] });
    const ask = async (path: string, init: RequestInit = {}): Promise<readonly [number, string]> => {
      const answer = await fetch(url + path, init);
      return [answer.status, await answer.text()];
    };
    expect(await ask("/things/7?page=2", { headers: bearer(secret) })).toEqual([200, '{"id":"7","page":"2","by":"asker"}']);
    expect((await ask("/things/7", { headers: bearer(ENFORCER) }))[0]).toBe(403);
    const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" } };
    expect(await ask("/token", { ...form, body: "grant_type=x" })).toEqual([201, '{"grant":"x","by":null}']);
    expect((await ask("/token", { ...form, body: "grant_type=x&grant_type=y" }))[0]).toBe(400);
    expect((await ask("/token", { method: "POST", body: "{}", headers: { "content-type": "application/json" } }))[0]).toBe(415);
    const json = { method: "POST", body: "{}", headers: { "content-type": "application/json", ...bearer(secret) } };
    expect(await ask("/evaluation", json)).toEqual([400, '"no"']);
    expect(await ask("/evaluation", { ...json, headers: { "content-type": "application/json" } })).toEqual([401, '"no"']);
    expect(await ask("/evaluation", { ...json, body: '{"a":1,"a":2}' })).toEqual([400, '"no"']);
    expect(await ask("/echo", { ...json, body: '{"a":[1.5,"x"]}' })).toEqual([200, '{"a":[1.5,"x"]}']);
    expect((await ask("/echo", { ...json, body: '{"a":9007199254740993}' }))[0]).toBe(400);
    const { pdp } = await signedFixture();
    const twice = [...routes, { ...(routes[0] as Route) }];
    expect(() => createPdpService({ pdp, url, callers: [], routes: twice })).toThrow(expect.objectContaining({ code: "option_invalid" }));
  });

  it("listens on loopback only, unless there is TLS", async () => {
    const { pdp } = await signedFixture();
    const service = createPdpService({ pdp, url: "https://pdp.example", callers: CALLERS });
    for (const host of ["0.0.0.0", "::", "192.0.2.1", "", "localhost.example"])
      expect(await rejection(servePdp(service, { port: 0, host }))).toBe("option_invalid");
    const server = closeAfter(await servePdp(service, { port: 0, host: "0.0.0.0", behindProxy: true, grace: 100 }));
    expect(await rejection(servePdp(service, { port: server.port }))).toBe("EADDRINUSE");
    await server.close();
    await server.close();
  });

  it("of another name than the one that was asked is not believed", async () => {
    const { pdp } = await signedFixture();
    const port = await freePort();
    const service = createPdpService({ pdp, url: "https://pdp.example", callers: CALLERS });
    closeAfter(await servePdp(service, { port, grace: 100 }));
    const client = closeAfter(pdpClient(`http://127.0.0.1:${port}`, { credentials: { kind: "bearer", token: ENFORCER }, allowLoopback: true, deadline: 5000 }));
    expect(await rejection(client.terms())).toBe("pdp_response_invalid");
  });
});
