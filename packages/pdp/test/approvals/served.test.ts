import { chainOf } from "@ambit/core";
import { generateKey } from "@ambit/core/token";
import { readApproval, signAnswer, type Approval, type EmbeddedPdp } from "@ambit/pdp";
import { allRoutes } from "@ambit/pdp/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { serve } from "../../../core/test/identity/issuer.ts";
import { closeAfter, ENFORCER, OBSERVER, OPERATOR, serviceScene } from "../server/scene.ts";
import { BEGIN, codeOf, NOW } from "../support/fixture.ts";
import { TENANT, TICKET } from "./scene.ts";

const VARIABLE = "AMBIT_TEST_APPROVALS_SECRET";
beforeEach(() => void vi.stubEnv(VARIABLE, Buffer.alloc(32, 7).toString("base64")));
afterEach(() => void vi.unstubAllEnvs());

type Ask = (path: string, secret: string, body?: object) => Promise<{ readonly status: number; readonly json: Readonly<Record<string, unknown>> }>;

/** A served decision point, an agent whose tickets wait for `user_1`, and the tool that it calls. */
async function scene(approvals: object = {}) {
  const base = await serviceScene({ approvals }, {}, { routes: (pdp: EmbeddedPdp, url) => (closeAfter(pdp), allRoutes({ pdp, url, now: () => NOW })) });
  const task = await base.pep.begin({ ...BEGIN, approvals: ["tickets.create"], budgets: { money: { EUR: 100 } } });
  const ran: unknown[] = [];
  const call = async (callId: string): Promise<string> =>
    codeOf(
      await base.pep.enforce({ envelope: task, tool: TICKET[0], arguments: TICKET[1], callId, turn: "1" }, (args) => {
        ran.push(args);
        return {};
      }),
    );
  const ask: Ask = async (path, secret, body) => {
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    const response = await fetch(base.url + path, body === undefined ? { headers } : { headers, method: "POST", body: JSON.stringify(body) });
    return { status: response.status, json: (await response.json()) as Readonly<Record<string, unknown>> };
  };
  const waiting = async (): Promise<readonly Approval[]> => {
    const { json } = await ask(`/ambit/v1/approvals?tenant_id=${TENANT}`, OPERATOR);
    return (json["approvals"] as readonly unknown[]).map(readApproval).filter(({ status }) => status === "pending");
  };
  return { ...base, task, ran, call, ask, waiting };
}
type Served = Awaited<ReturnType<typeof scene>>;

/** From a call that was approved to its end, and everything that somebody could try to have it once more. */
async function expectOnce({ call, ran, waiting, pepWith, connect, task }: Served): Promise<void> {
  const calls = await Promise.all(Array.from({ length: 5 }, (_, index) => call(`parallel-${index}`)));
  expect(calls.toSorted()).toEqual([...Array<string>(4).fill("approval_required"), "permit"]);
  expect(ran).toEqual([TICKET[1]]);
  const used = `parallel-${calls.indexOf("permit")}`;
  // Its approval is used up before anybody looks whether its grant is.
  expect([await call(used), await call("later")]).toEqual(["approval_required", "approval_required"]);
  // Another process of the same agent, that knows nothing of what ran.
  const elsewhere = pepWith(connect());
  const again = await elsewhere.receive(chainOf(task) ?? []);
  expect(codeOf(await elsewhere.enforce({ envelope: again, tool: TICKET[0], arguments: TICKET[1] }, () => ran.push("again")))).toBe("approval_required");
  expect([ran, (await waiting()).length]).toEqual([[TICKET[1]], 1]);
}

describe("over HTTP, a call that waits", () => {
  it("is shown with its facts, approved by whom the desk names, and runs once", async () => {
    const served = await scene();
    expect(await served.call("first")).toBe("approval_required");
    const [approval] = (await served.waiting()) as [Approval];
    expect(approval).toMatchObject({ request: { changes: { money: { amount: 5, currency: "EUR" } } }, left: [{ unit: "money/EUR", takes: 5, left: 95 }] });
    const [path, answer] = [`/ambit/v1/approvals/${approval.id}`, { tenant_id: TENANT, decision: "approve", approver: "user_1" }];
    expect(await served.ask(path, OPERATOR, answer)).toMatchObject({ status: 200, json: { status: "approved" } });
    await expectOnce(served);
    expect(await served.ask(path, OPERATOR, answer)).toMatchObject({
      status: 400,
      json: { error: { message: expect.stringContaining("approval_invalid") as unknown } },
    });
  });

  it("is approved with the signature of a person, which is good for it alone", async () => {
    const own = await generateKey();
    const served = await scene({ approvers: { approvers: { user_1: { tenants: [TENANT], keys: [own.public.jwk] } } } });
    expect(await served.call("first")).toBe("approval_required");
    const [approval] = (await served.waiting()) as [Approval];
    const signed = await signAnswer({ approval, approver: "user_1", decision: "approve", now: NOW }, own);
    const give = async (id: string): Promise<number> => (await served.ask(`/ambit/v1/approvals/${id}`, OPERATOR, { tenant_id: TENANT, signed })).status;
    expect(await give(approval.id)).toBe(200);
    await expectOnce(served);
    // The next request of the very same call has another id, and takes no answer from before.
    const [next] = (await served.waiting()) as [Approval];
    expect([next.id === approval.id, await give(next.id), await give(approval.id)]).toEqual([false, 400, 400]);
  });

  it("is told of at a webhook, whose receiver answers what it was sent, and runs once", async () => {
    const received: Readonly<Record<string, unknown>>[] = [];
    const there = closeAfter(
      await serve((response, request) => {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => {
          received.push(JSON.parse(body) as Readonly<Record<string, unknown>>);
          response.end();
        });
      }),
    );
    const own = await generateKey();
    const approvers = { approvers: { user_1: { tenants: [TENANT], keys: [own.public.jwk] } } };
    const served = await scene({ approvers, webhooks: [{ url: there.url, secret_env: VARIABLE }] });
    expect(await served.call("first")).toBe("approval_required");
    for (let count = 0; count < 400 && received.length === 0; count++) await new Promise((resolve) => setTimeout(resolve, 10));
    // The message has all that is needed to sign, and nothing of it need be believed.
    const approval = readApproval(received[0]?.["approval"]);
    expect(approval).toMatchObject({ request: { arguments: TICKET[1], delegatorId: "user_1" }, left: [{ unit: "money/EUR", takes: 5, left: 95 }] });
    const signed = await signAnswer({ approval, approver: "user_1", decision: "approve", now: NOW }, own);
    expect(await served.ask(`/ambit/v1/approvals/${approval.id}`, OPERATOR, { tenant_id: TENANT, signed })).toMatchObject({ status: 200 });
    await expectOnce(served);
  });

  it("is neither shown to the agent's enforcement point nor answered by it", async () => {
    const { call, ask, waiting, ran } = await scene();
    expect(await call("first")).toBe("approval_required");
    const [approval] = (await waiting()) as [Approval];
    const answer = { tenant_id: TENANT, decision: "approve", approver: "user_1" };
    for (const secret of [ENFORCER, OBSERVER]) {
      expect((await ask(`/ambit/v1/approvals?tenant_id=${TENANT}`, secret)).status).toBe(403);
      expect((await ask(`/ambit/v1/approvals/${approval.id}?tenant_id=${TENANT}`, secret)).status).toBe(403);
      expect((await ask(`/ambit/v1/approvals/${approval.id}`, secret, answer)).status).toBe(403);
    }
    expect([await call("second"), ran]).toEqual(["approval_required", []]);
  });
});
