import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { readApproval, type EmbeddedPdp } from "@ambit/pdp";
import { allRoutes, secretDigest } from "@ambit/pdp/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { send, serve, type TestServer } from "../../../core/test/identity/issuer.ts";
import { BEGIN, CONFIG, fixture, NOW, outcomeOf, rejection } from "../support/fixture.ts";
import { CALLERS, closeAfter, ENFORCER, OBSERVER, OPERATOR, serviceScene, type ServiceScene } from "../server/scene.ts";

const TICKET = ["tickets_create", { title: "renew", cost: 5 }] as const;
const KEY = Buffer.alloc(32, 7);
const VARIABLE = "AMBIT_TEST_WEBHOOK_SECRET";
const APPROVER = "the-secret-of-an-approval-desk-long-enough";

beforeEach(() => void vi.stubEnv(VARIABLE, `whsec_${KEY.toString("base64")}`));
afterEach(() => void vi.unstubAllEnvs());

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function receiver(answer: TestServer["answer"] = send("{}")): Promise<TestServer & { readonly received: Received[] }> {
  const received: Received[] = [];
  const server = await serve((response, request) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      answer(response, request);
    });
  });
  return closeAfter(Object.assign(server, { received }));
}

async function scene(url: string): Promise<ServiceScene & { readonly embedded: EmbeddedPdp }> {
  const made: EmbeddedPdp[] = [];
  const callers = [...CALLERS, { kind: "secret", name: "desk", digest: secretDigest(APPROVER), roles: ["approve"], tenants: ["tenant_1"] } as const];
  const base = await serviceScene(
    { approvals: { webhooks: [{ url, secret_env: VARIABLE }] } },
    {},
    {
      callers,
      routes: (pdp, at) => {
        made.push(closeAfter(pdp));
        return allRoutes({ pdp, url: at, now: () => NOW });
      },
    },
  );
  return { ...base, embedded: made[0] as EmbeddedPdp };
}
async function until(isSo: () => boolean): Promise<void> {
  for (let count = 0; count < 400 && !isSo(); count++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(isSo()).toBe(true);
}

const ask = (url: string, path: string, secret: string, body?: string): Promise<Response> =>
  fetch(url + path, {
    headers: { authorization: `Bearer ${secret}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { method: "POST", body }),
  });

describe("a webhook", () => {
  it("hears of a request once, signed, as a submission that the answer can be given to", async () => {
    const there = await receiver();
    const { pep, url } = await scene(there.url);
    const task = await pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
    for (let count = 0; count < 3; count++) expect(await outcomeOf(pep, task, ...TICKET)).toBe("approval_required");
    await until(() => there.received.length > 0);
    const [{ headers, body }] = there.received as [Received];
    const message = JSON.parse(body) as { readonly approval: { readonly id: string } };
    const { id } = message.approval;
    expect(message).toMatchObject({
      subject: { type: "user", id: "user_1" },
      action: { name: "tickets.create" },
      resource: { type: "tool", id: "tickets.create" },
      context: { tenant: "tenant_1", agent: "reviewer", purpose: "review", arguments: TICKET[1] },
      denial: { evaluation_id: id, expires_at: "2026-05-12T18:15:00.000Z" },
    });
    expect(readApproval(message.approval)).toMatchObject({
      id,
      status: "pending",
      request: { arguments: TICKET[1], changes: { money: { amount: 5, currency: "EUR" } } },
    });
    const timestamp = String(NOW / 1000);
    const signature = createHmac("sha256", KEY).update(`${id}.${timestamp}.${body}`).digest("base64");
    expect(headers).toMatchObject({
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${signature}`,
      "content-type": "application/json",
    });

    const submitted = await ask(url, "/access/v1/requests", ENFORCER, body);
    expect([submitted.status, await submitted.json()]).toMatchObject([202, { task: { status: "pending" } }]);
    const answer = JSON.stringify({ tenant_id: "tenant_1", decision: "approve", approver: "user_1" });
    expect((await ask(url, `/ambit/v1/approvals/${id}`, OPERATOR, answer)).status).toBe(200);
    expect(await outcomeOf(pep, task, ...TICKET)).toBe("permit");
    expect(there.received.length).toBe(1);
    expect(await (await ask(url, "/metrics", OBSERVER)).text()).toContain('ambit_pdp_approval_notices_total{outcome="delivered"} 1\n');
  });

  it("that refuses changes nothing but the record, which names no address", async () => {
    const there = await receiver(send("no", "text/plain", 404));
    const { pep, url, records } = await scene(`${there.url}/token-of-somebody`);
    const task = await pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
    expect(await outcomeOf(pep, task, ...TICKET)).toBe("approval_required");
    await until(() => records().some(({ kind }) => kind === "approval_notice"));
    const [asked, notice] = records().filter(({ kind }) => kind === "approval_request" || kind === "approval_notice");
    expect(notice).toMatchObject({
      tenant: "tenant_1",
      decision_id: asked?.decision_id,
      details: { tool: "tickets.create", channel: "webhook", host: new URL(there.url).host, outcome: "failed", attempts: 1 },
    });
    expect(JSON.stringify(records())).not.toMatch(/token-of-somebody|whsec|BwcH/);
    expect(await (await ask(url, "/metrics", OBSERVER)).text()).toContain('ambit_pdp_approval_notices_total{outcome="failed"} 1\n');
    expect((await ask(url, "/ambit/v1/approvals?tenant_id=tenant_1", APPROVER)).status).toBe(200);
  });

  it("that never answers delays no decision, and the decision point closes", async () => {
    const there = await receiver(() => undefined);
    const { pep, embedded, records } = await scene(there.url);
    const task = await pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
    expect(await outcomeOf(pep, task, ...TICKET)).toBe("approval_required");
    await until(() => there.requests() > 0);
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, { customer_id: "c1" })).toBe("permit");
    await embedded.close();
    expect(records().filter(({ kind }) => kind === "approval_notice")).toMatchObject([{ details: { outcome: "failed" } }]);
  });

  it("that was configured anew is told from then on, and the old one no more", async () => {
    const [before, after] = [await receiver(), await receiver()];
    const approvals = (url: string): object => ({ webhooks: [{ url, secret_env: VARIABLE }] });
    const { pdp, pep } = await fixture({ approvals: approvals(before.url) });
    closeAfter(pdp);
    await pdp.reload({ ...CONFIG, approvals: approvals(after.url) });
    const task = await pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
    expect(await outcomeOf(pep, task, ...TICKET)).toBe("approval_required");
    await until(() => after.received.length === 1);
    expect(before.received).toEqual([]);
  });

  it.each([
    { url: "http://192.0.2.1/hook" },
    { url: "ftp://127.0.0.1/hook" },
    { url: "https://user:password@hooks.example/" },
    { url: "https://hooks.example/#a" },
    { url: "nowhere" },
    { url: undefined },
    { url: "https://hooks.example/", url_env: VARIABLE },
    { url_env: "AMBIT_TEST_UNSET" },
    { url: "https://hooks.example/", secret_env: "AMBIT_TEST_UNSET" },
    { url: "https://hooks.example/", secret_env: undefined },
    { url: "https://hooks.example/", secret: "whsec_AAAA" },
  ])("is not configured like this: %j", async (webhook) => {
    expect(await rejection(fixture({ approvals: { webhooks: [{ secret_env: VARIABLE, ...webhook }] } }))).toBe("config_invalid");
  });

  it.each([
    "short",
    "",
    `whsec_${Buffer.alloc(23).toString("base64")}`,
    Buffer.alloc(65).toString("base64"),
    Buffer.alloc(32, 255).toString("base64url"),
    "ab cd",
  ])("takes no secret like %j, and quotes none", async (secret) => {
    vi.stubEnv(VARIABLE, secret);
    const made = fixture({ approvals: { webhooks: [{ url: "https://hooks.example/", secret_env: VARIABLE }] } });
    const message = await made.then(
      () => "",
      (error: Error) => error.message,
    );
    expect(await rejection(made)).toBe("config_invalid");
    if (secret.length > 4) expect(message).not.toContain(secret);
  });
});
