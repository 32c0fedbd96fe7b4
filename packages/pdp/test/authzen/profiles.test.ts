import type { Approval } from "@ambit/pdp";
import { accessRequestMetadata, accessRequestRoutes, readObligations, taskOf } from "@ambit/pdp/authzen";
import { createPdpService, secretDigest, servePdp, type Caller } from "@ambit/pdp/server";
import { describe, expect, it } from "vitest";
import { closeAfter } from "../server/scene.ts";
import { freePort } from "../support/free-port.ts";
import { BEGIN, fixture, NOW } from "../support/fixture.ts";

describe("obligations, as the profile has them", () => {
  it("that are none are told from no obligations", () => {
    expect(readObligations(undefined)).toEqual([]);
    expect(readObligations({})).toEqual([]);
    const fine = { id: "1", type: "step-up", properties: {} };
    expect(readObligations({ obligations: [fine] })).toEqual([fine]);
    for (const obligations of [
      "all",
      {},
      [1],
      [{ ...fine, id: 1 }],
      [{ ...fine, type: null }],
      [{ id: "1", type: "t" }],
      [{ ...fine, properties: [] }],
      [fine, fine],
    ])
      expect([obligations, readObligations({ obligations: obligations as never })]).toEqual([obligations, undefined]);
  });
});

const secret = (name: string): string => `${name}-${"s".repeat(32)}`;
const CALLERS: readonly Caller[] = [
  { kind: "secret", name: "pep", digest: secretDigest(secret("pep")), roles: ["enforce"], tenants: ["tenant_1"] },
  { kind: "secret", name: "other", digest: secretDigest(secret("other")), roles: ["enforce"], tenants: ["tenant_2"] },
];
const TICKET = { title: "renew", cost: 5 };

/** A call that waits for its delegator, and the endpoints over HTTP. */
async function scene() {
  const base = await fixture({ approvals: {} });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const routes = accessRequestRoutes({ approvals: base.pdp.approvals, url, now: base.now });
  const service = createPdpService({ pdp: base.pdp, url, callers: CALLERS, routes });
  closeAfter(await servePdp(service, { port, grace: 100 }));
  const task = await base.pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
  const call = async (args: object = TICKET) => base.pep.enforce({ envelope: task, tool: "tickets_create", arguments: args }, () => ({}));
  const { refused } = await call();
  if (refused === undefined) throw new Error("permitted");
  const { id = "", expiresAt = 0 } = refused.refusal.approval ?? {};
  const submission = {
    subject: { type: "user", id: "user_1" },
    action: { name: "tickets.create" },
    resource: { type: "tool", id: "tickets.create" },
    context: { tenant: "tenant_1", arguments: TICKET, business_justification: "because" },
    denial: { evaluation_id: id, expires_at: new Date(expiresAt).toISOString() },
  };
  const ask = async (path: string, body?: object, who = "pep") => {
    const headers = { authorization: `Bearer ${secret(who)}`, "content-type": "application/json" };
    const response = await fetch(path.startsWith("http") ? path : url + path, {
      method: body === undefined ? "GET" : "POST",
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      headers: response.headers,
      json: (await response.json()) as { readonly [member: string]: unknown },
    };
  };
  const [waiting] = await base.pdp.approvals.list("tenant_1");
  return { ...base, url, call, ask, submission, approval: waiting as Approval };
}

describe("access requests, as the profile has them", () => {
  it("go by the id that the deny names, lead to a task, and end with the very call asked again", async () => {
    const { url, ask, submission, pdp, approval, call } = await scene();
    const submitted = await ask("/access/v1/requests", submission);
    const { task } = submitted.json as { readonly task: { readonly id: string; readonly status_endpoint: string; readonly status: string } };
    expect([submitted.status, task.status, submitted.headers.get("location")]).toEqual([202, "pending", task.status_endpoint]);
    expect((await ask("/access/v1/requests", submission)).json).toEqual(submitted.json);
    const pending = await ask(task.status_endpoint);
    expect([pending.status, pending.json, pending.headers.get("retry-after")]).toEqual([200, submitted.json, "5"]);
    await pdp.approvals.answer({ tenantId: "tenant_1", id: approval.id, approver: "user_1", decision: "approve", assertedBy: "app" });
    const approved = await ask(task.status_endpoint);
    const result = {
      mode: "reevaluate",
      approval: { id: approval.id, approved_at: new Date(NOW).toISOString(), approved_until: new Date(NOW + 900_000).toISOString() },
    };
    expect(approved.json).toMatchObject({ task: { id: task.id, status: "approved" }, result });
    expect((await ask("/access/v1/requests", submission)).status).toBe(201);
    expect((await call()).refused).toBeUndefined();
    expect((await ask(task.status_endpoint)).json).toMatchObject({ task: { status: "approved" }, result });
    expect(accessRequestMetadata(url)).toEqual({
      access_request_endpoint: `${url}/access/v1/requests`,
      capabilities: ["urn:openid:authzen:capability:access-request"],
    });
  });

  it("that are denied, or came too late, are no approval", async () => {
    const { ask, submission, pdp, approval, advance } = await scene();
    await pdp.approvals.answer({ tenantId: "tenant_1", id: approval.id, approver: "user_1", decision: "deny", assertedBy: "app" });
    const denied = await ask("/access/v1/requests", submission);
    expect([denied.status, denied.json]).toEqual([201, { task: expect.objectContaining({ status: "denied" }) as unknown }]);
    advance(900_000);
    const late = await ask("/access/v1/requests", submission);
    expect([late.status, late.type, late.json["type"]]).toEqual([410, "application/problem+json", "urn:openid:authzen:access-request:error:expired_denial"]);
    const { task } = denied.json as { readonly task: { readonly status_endpoint: string } };
    const gone = await ask(task.status_endpoint);
    expect([gone.status, gone.json["type"]]).toEqual([410, "urn:openid:authzen:access-request:error:task_expired"]);
  });

  it("about anything else than what was denied are refused", async () => {
    const { ask, submission } = await scene();
    const context = (change: object): object => ({ context: { ...submission.context, ...change } });
    const changes: readonly object[] = [
      { subject: { type: "user", id: "user_2" } },
      { subject: { type: "agent", id: "user_1" } },
      { action: { name: "crm.read" } },
      { resource: { type: "tool", id: "crm.read" } },
      { resource: { type: "Tool", id: "tickets.create" } },
      { denial: undefined },
      { denial: { ...submission.denial, evaluation_id: `${submission.denial.evaluation_id}1` } },
      { denial: { ...submission.denial, evaluation_id: "apr_x.1" } },
      { denial: { ...submission.denial, expires_at: "soon" } },
      { denial: { expires_at: submission.denial.expires_at } },
      context({ arguments: { ...TICKET, cost: 6 } }),
      context({ arguments: undefined }),
      context({ arguments: null }),
      context({ tenant: "tenant_2" }),
      context({ tenant: undefined }),
      context({ purpose: "other" }),
      context({ agent: "classifier" }),
      context({ task: "another" }),
      { subject: undefined },
    ];
    for (const change of changes) {
      const { status, json } = await ask("/access/v1/requests", { ...submission, ...change });
      expect([change, status, json["type"]]).toEqual([change, 400, "urn:openid:authzen:access-request:error:invalid_denial_binding"]);
    }
    expect((await ask("/access/v1/requests", { ...submission, items: [] })).json["type"]).toBe("urn:openid:authzen:access-request:error:not_requestable");
    expect((await ask("/access/v1/requests", { ...submission, denial: { ...submission.denial, expires_at: new Date(NOW).toISOString() } })).status).toBe(410);
    expect((await ask("/access/v1/requests", { ...submission, ...context({ purpose: "review", agent: "reviewer", delegator: "user_1" }) })).status).toBe(202);
  });

  it("of another tenant are not there", async () => {
    const { ask, submission, approval, url } = await scene();
    expect((await ask("/access/v1/requests", submission, "other")).status).toBe(400);
    const { task } = taskOf(approval, url) as { readonly task: { readonly id: string } };
    expect((await ask(`/access/v1/requests/${task.id}`)).status).toBe(200);
    expect((await ask(`/access/v1/requests/${task.id}`, undefined, "other")).status).toBe(404);
    for (const id of ["x", "arq_", "arq_e30", `${task.id}=`, `arq_${Buffer.from('["tenant_1","a","b"]').toString("base64url")}`]) {
      const { status, json } = await ask(`/access/v1/requests/${id}`);
      expect([id, status, json["type"]]).toEqual([id, 404, "urn:openid:authzen:access-request:error:unknown_task"]);
    }
  });
});
