import type { PdpOptions } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { allRoutes } from "../../src/operation/all-routes.ts";
import { createMemoryState } from "../../src/state/memory-state.ts";
import { BEGIN } from "../support/fixture.ts";
import { ENFORCER, OPERATOR, serviceScene, type ServiceScene } from "./scene.ts";

type Answer = readonly [status: number, body: Record<string, unknown>];

async function operated(options: PdpOptions = {}): Promise<ServiceScene & { readonly ask: (path: string, body?: object, secret?: string) => Promise<Answer> }> {
  const scene = await serviceScene({}, options, { routes: (pdp, url) => allRoutes({ pdp, url }) });
  const ask = async (path: string, body?: object, secret = OPERATOR): Promise<Answer> => {
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    const answer = await fetch(scene.url + path, body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) });
    return [answer.status, (await answer.json()) as Record<string, unknown>];
  };
  return { ...scene, ask };
}

const LIST = "/ambit/v1/calls?tenant_id=tenant_1";
const RECONCILE = "/ambit/v1/calls/reconcile";

/** A call whose enforcement point says, over the wire, that it cannot tell how it ended. */
async function abandoned({ pep }: ServiceScene): Promise<string> {
  const task = await pep.begin({ ...BEGIN, budgets: { money: { EUR: 100 } } });
  const admission = await pep.admit({ envelope: task, tool: "tickets_create", arguments: { title: "x", cost: 60 } });
  if (admission.admitted) await admission.abandon();
  return task.envelopeId;
}

describe("calls that nobody knows the end of", () => {
  it("are listed to an operator, and reconciled by one", async () => {
    const scene = await operated();
    const { ask } = scene;
    const envelope = await abandoned(scene);
    const [status, body] = await ask(LIST);
    expect([status, body]).toEqual([
      200,
      {
        calls: [
          {
            envelope_id: envelope,
            call_id: expect.any(String),
            lineage: expect.any(String),
            decision_id: expect.stringMatching(/^dec_/),
            tool: "tickets.create",
            state: "unknown",
            started_at: new Date(scene.now()).toISOString(),
            reserved: { "money/EUR": 60 },
          },
        ],
      },
    ]);
    const [{ call_id, decision_id }] = body["calls"] as [Record<string, string>];
    const said = { tenant_id: "tenant_1", envelope_id: envelope, call_id, outcome: "done", used: { "money/EUR": 70 }, reason: "seen at the bank" };
    expect(await ask(RECONCILE, said)).toEqual([200, { done: true, decision_id, reserved: { "money/EUR": 60 } }]);
    expect(scene.records().at(-1)).toMatchObject({ kind: "reconcile", details: { by: "ops", status: "done", exceeded: ["money/EUR"] } });
    expect(await ask(RECONCILE, said)).toEqual([200, { done: true, decision_id, reserved: { "money/EUR": 60 } }]);
    expect((await ask(RECONCILE, { ...said, outcome: "not_run", used: undefined }))[0]).toBe(404);
    expect(await ask(LIST)).toEqual([200, { calls: [] }]);
  });

  it("are paged by the names of the last one", async () => {
    const scene = await operated();
    await Promise.all([abandoned(scene), abandoned(scene)]);
    const [, { calls }] = await scene.ask(LIST);
    const [first, second] = calls as [Record<string, string>, Record<string, string>];
    const after = new URLSearchParams({ after_envelope_id: first["envelope_id"] ?? "", after_call_id: first["call_id"] ?? "" });
    expect(await scene.ask(`${LIST}&${after}`)).toEqual([200, { calls: [second] }]);
    expect((await scene.ask(`${LIST}&after_call_id=x`))[0]).toBe(400);
  });

  it("are nobody's but an operator's, in the tenants of theirs", async () => {
    const scene = await operated();
    const { ask } = scene;
    const call = { envelope_id: await abandoned(scene), call_id: "x", outcome: "done" };
    expect((await ask(LIST, undefined, ENFORCER))[0]).toBe(403);
    expect((await ask(RECONCILE, { ...call, tenant_id: "tenant_1" }, ENFORCER))[0]).toBe(403);
    expect((await ask("/ambit/v1/calls?tenant_id=tenant_2"))[0]).toBe(403);
    expect((await ask(RECONCILE, { ...call, tenant_id: "tenant_2" }))[0]).toBe(403);
    expect((await ask("/ambit/v1/calls"))[0]).toBe(400);
    expect((await ask(RECONCILE, { ...call, tenant_id: "tenant_1" }))[0]).toBe(404);
  });

  it("are reconciled by what makes sense alone", async () => {
    const scene = await operated();
    const { ask } = scene;
    const task = await scene.pep.begin(BEGIN);
    const admission = await scene.pep.admit({ envelope: task, tool: "crm_read", arguments: { customer_id: "c1", limit: 5 } });
    expect(admission.admitted).toBe(true);
    const [, { calls }] = await ask(LIST);
    const [{ envelope_id, call_id, state }] = calls as [Record<string, string>];
    expect(state).toBe("running");
    const said = { tenant_id: "tenant_1", envelope_id, call_id, outcome: "not_run" };
    const told = async (change: object): Promise<readonly [number, string]> => {
      const [status, { error }] = await ask(RECONCILE, { ...said, ...change });
      return [status, (error as { readonly message: string }).message.split(":")[0] ?? ""];
    };
    expect(await told({})).toEqual([400, "call_running"]);
    for (const change of [{ outcome: "failed" }, { used: { records: 1 } }, { outcome: "done", used: { calls: 1 }, force: true }, { force: 1 }, { call_id: 7 }])
      expect(await told(change)).toEqual([400, "option_invalid"]);
    expect((await told({ by: "somebody else" }))[0]).toBe(400);
    expect((await ask(RECONCILE, { ...said, force: true }))[0]).toBe(200);
    // Whoever still ran it cannot say how it ended any longer.
    if (admission.admitted) expect(await admission.complete({ records: [] })).toMatchObject({ released: false });
  });

  it("cannot be told or reconciled while the state is away", async () => {
    const away = { ...createMemoryState(), unsettled: () => Promise.reject(new Error("away")), reconcile: () => Promise.reject(new Error("away")) };
    const { ask } = await operated({ state: away });
    expect((await ask(LIST))[0]).toBe(503);
    expect((await ask(RECONCILE, { tenant_id: "tenant_1", envelope_id: "e", call_id: "c", outcome: "done" }))[0]).toBe(503);
  });
});
