import { chainOf, createPep, createReceiver, type AccessRequest, type Pdp, type Pep, type Task } from "@ambit/core";
import { holdChain, signPop, type SigningKey } from "@ambit/core/token";
import { describe, expect, it } from "vitest";
import { BEGIN, fixture, NOW, outcomeOf, rejection } from "../support/fixture.ts";
import { AUDIENCE, signedFixture, type SignedFixture } from "../support/signed.ts";
import { ENFORCER, serviceScene } from "./scene.ts";

const CONTRACT = { customer_id: "c1", title: "t", terms: "r", salary: 7 };
const READ = ["contracts_read", { contract_id: "k1" }, CONTRACT] as const;
const TO = { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] } as const;
const call = (pep: Pep, task: Task): Promise<string> => outcomeOf(pep, task, ...READ);

/** Two worlds that must not differ: the decision point in the process, and behind the network. */
const WORLDS: readonly (readonly [string, typeof signedFixture])[] = [
  ["in the process", signedFixture],
  ["behind the service", serviceScene],
];

describe.each(WORLDS)("a decision point %s", (_, create) => {
  it("begins a task, decides its calls, and is on the record from beginning to end", async () => {
    const { pep, records } = await create();
    const task = await pep.begin(BEGIN);
    expect(task.envelope).toMatchObject({ agentId: "reviewer", allowedTools: BEGIN.allowedTools, expiresAt: NOW + 600_000, maxDepth: 4 });
    const enforced = await pep.enforce({ envelope: task, tool: READ[0], arguments: READ[1] }, () => CONTRACT);
    expect(enforced.refused).toBeUndefined();
    expect(enforced).toMatchObject({ result: { customer_id: "c1", title: "t", terms: "r" } });
    expect((enforced as { readonly result: object }).result).not.toHaveProperty("salary");
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k9" })).toBe("argument_not_allowed");
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1", extra: () => 1 })).toBe("argument_not_allowed");
    expect(await outcomeOf(pep, task, "mail_send", { to: "x" })).toBe("tool_not_allowed");
    expect(await outcomeOf(pep, task, "unknown_tool", {})).toBe("tool_unmapped");
    await task.end();
    await task.end();
    expect(await call(pep, task)).toBe("envelope_revoked");
    expect(records().map(({ kind, details }) => details["code"] ?? kind)).toEqual([
      "begin",
      "decision",
      "outcome",
      "argument_not_allowed",
      "argument_not_allowed",
      "tool_not_allowed",
      "tool_unmapped",
      "end",
      "envelope_revoked",
    ]);
    expect(new Set(records().map(({ envelope }) => envelope))).toEqual(new Set([task.envelopeId]));
  });

  it("has an attempt without an envelope on the record", async () => {
    const { pdp, records } = await create();
    const receiver = createReceiver({ pdp, audience: AUDIENCE, deadline: 5000, now: () => NOW });
    const admitted = await receiver.admit(undefined, { tool: "contracts_read", arguments: { contract_id: "k1" } });
    const [record] = records().filter(({ kind }) => kind === "decision");
    expect(admitted).toMatchObject({ admitted: false, refused: { decisionId: record?.decision_id, refusal: { code: "envelope_malformed" } } });
    expect(record).toMatchObject({ agent: "unknown", details: { tool: "contracts.read", decision: "deny" } });
  });

  it("refuses to begin what could not be, with the reason and what to do", async () => {
    const { pep, pepOf, keys } = await create();
    expect(await rejection(pepOf("reviewer", keys.get("stranger")).begin(BEGIN))).toBe("holder_mismatch");
    expect(await rejection(pep.begin({ ...BEGIN, tenantId: "tenant_2" }))).toBe("tenant_mismatch");
    expect(await rejection(pep.begin({ ...BEGIN, purpose: "nothing" }))).toBe("purpose_mismatch");
    expect(await rejection(pep.begin({ ...BEGIN, resourceConstraints: { colour: "red" } }))).toBe("envelope_malformed");
    await expect(pep.begin({ ...BEGIN, allowedTools: ["tickets.remove"] })).rejects.toMatchObject({
      code: "tool_unmapped",
      message: expect.stringContaining("add to its `tools`") as string,
    });
  });

  it("takes a proof from its holder, for its call, at its time, and once", async () => {
    const setting = await create();
    const { pep, pdp, keys, now } = setting;
    const task = await pep.begin(BEGIN);
    const asked: AccessRequest[] = [];
    const watched: Pdp = { ...pdp, decide: (request) => (asked.push(request), pdp.decide(request)) };
    expect(await call(setting.pepWith(watched), task)).toBe("permit");
    const [usual] = asked as [AccessRequest];
    let count = 0;
    const ask = async (presentation: unknown, change: Partial<AccessRequest["context"]> = {}): Promise<string> => {
      const context = { ...usual.context, call_id: `c${count++}`, presentation, ...change } as AccessRequest["context"];
      return (await pdp.decide({ ...usual, context })).context.refusal?.code ?? "permit";
    };
    const show = async (by: string, change: { tool?: string; args?: object; audience?: string; now?: number } = {}) => {
      const chain = chainOf(task) ?? [];
      const { tool = "contracts.read", args = { contract_id: "k1" }, audience = AUDIENCE } = change;
      const pop = await signPop({ leaf: holdChain(chain).leaf, tool, args: args as never, audience, now: change.now ?? now() }, keys.get(by) as SigningKey);
      return { kind: "chain", chain, pop } as const;
    };
    expect(await ask(await show("reviewer"))).toBe("permit");
    expect(await ask(usual.context.presentation)).toBe("pop_replayed");
    expect(await ask(await show("stranger"))).toBe("holder_mismatch");
    expect(await ask(await show("reviewer", { tool: "crm.read" }))).toBe("pop_invalid");
    expect(await ask(await show("reviewer", { args: { contract_id: "k2" } }))).toBe("pop_invalid");
    expect(await ask(await show("reviewer", { audience: "urn:other" }))).toBe("audience_mismatch");
    expect(await ask(await show("reviewer", { now: NOW - 31_000 }))).toBe("pop_invalid");
    expect(await ask(await show("reviewer"), { agent: "classifier" })).toBe("holder_mismatch");
    expect((await pdp.decide(usual)).context.refusal?.code).toBe("grant_replayed");
  });

  it("spends a grant once, and settles it once", async () => {
    const { pep, pdp, pepWith } = await create();
    const task = await pep.begin(BEGIN);
    const second: string[] = [];
    const twice: Pdp = {
      ...pdp,
      redeem: async (request) => {
        const [first, again] = [await pdp.redeem(request), await pdp.redeem(request)];
        second.push(again.redeemed ? "redeemed" : again.refusal.code);
        return first;
      },
      settle: async (outcome) => {
        const done = await pdp.settle(outcome);
        second.push(await rejection(pdp.settle({ ...outcome, grantId: "grant_other" })), await rejection(pdp.settle(outcome)));
        return done;
      },
    };
    expect(await call(pepWith(twice), task)).toBe("permit");
    // In the process a refusal is thrown as it is, behind the service as an error with a code.
    expect(second.map((code) => (code === "no code" ? "grant_replayed" : code))).toEqual(["grant_replayed", "grant_replayed", "grant_replayed"]);
  });

  it("lets a holder hand on less, to an agent of another process, and ends what was handed on for whoever did", async () => {
    const { pep, pepOf, records } = await create();
    const task = await pep.begin(BEGIN);
    const child = await pep.handOff(task, { ...TO, data: [{ label: "clause", data: "…", dataClasses: ["renewal_terms"] }] });
    const classifier = pepOf("classifier");
    const received = await classifier.receive(chainOf(child) ?? []);
    expect(received).toMatchObject({ envelopeId: child.envelopeId, decisionId: child.decisionId, depth: 1, lineage: task.lineage });
    expect(await call(classifier, received)).toBe("permit");
    expect(await outcomeOf(classifier, received, "crm_read", { customer_id: "c1" })).toBe("tool_not_allowed");
    expect(await call(pepOf("reviewer"), received)).toBe("pop_invalid");
    expect(await rejection(pep.handOff(task, { ...TO, allowedTools: ["mail.send"] }))).toBe("not_narrower");
    expect(await rejection(pep.handOff(task, { ...TO, data: [{ label: "x", data: "y", dataClasses: ["salary"] }] }))).toBe("hand_off_denied");
    expect(await rejection(pep.receive(["a.b.c"]))).toBe("envelope_malformed");
    expect(records().find(({ kind }) => kind === "hand_off")).toMatchObject({ details: { excerpts: [{ label: "clause", data_classes: ["renewal_terms"] }] } });
    await child.end();
    expect(await call(classifier, received)).toBe("envelope_revoked");
    expect(await call(pep, task)).toBe("permit");
  });

  it("goes on with a task in its lineage, and with what was spent", async () => {
    const { pep, advance } = await create();
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 3 } });
    expect([await call(pep, task), await call(pep, task)]).toEqual(["permit", "permit"]);
    advance(540_000);
    const next = await pep.renew(task, { expiresIn: "10m" });
    expect(next).toMatchObject({ lineage: task.lineage, depth: 0, envelope: { budgets: { calls: 3 } } });
    advance(120_000);
    expect([await call(pep, task), await call(pep, next), await call(pep, next)]).toEqual(["envelope_expired", "permit", "budget_exhausted"]);
    expect(await rejection(pep.as("classifier").renew(next, { expiresIn: "1h" }))).toMatch(/^(holder_mismatch|pop_invalid)$/);
  });

  it("revokes for an operator at the next question, also a grant that was given before", async () => {
    const { pep, pdp, pepWith } = await create();
    const task = await pep.begin(BEGIN);
    const revoking: Pdp = {
      ...pdp,
      redeem: async (request) => (await pdp.revoke({ tenantId: "tenant_1", by: "security", scope: "tenant" }), pdp.redeem(request)),
    };
    expect(await call(pepWith(revoking), task)).toBe("envelope_revoked");
  });

  it("holds a budget under parallel calls", async () => {
    const { pep } = await create();
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 5 } });
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => call(pep, task)));
    expect(outcomes.filter((code) => code === "permit")).toHaveLength(5);
    expect(new Set(outcomes)).toEqual(new Set(["permit", "budget_exhausted"]));
  });
});

describe("behind the service", () => {
  it("has on the record on whose word a task began", async () => {
    const { pep, records } = await serviceScene();
    await pep.begin(BEGIN);
    expect(records()[0]).toMatchObject({ kind: "begin", details: { decision: "permit", asserted_by: "app app", session: expect.any(String) } });
  });

  it("an agent without a key has no envelope, and what a handle stands for is not there", async () => {
    const { client, now, problems } = await serviceScene();
    const pep = createPep({ pdp: client, agent: "reviewer", now });
    await expect(pep.begin(BEGIN)).rejects.toMatchObject({ code: "holder_mismatch", message: expect.stringContaining("`keys`") as string });
    const { pep: other } = await fixture();
    const task = await other.begin(BEGIN);
    expect(await call(pep, task)).toBe("pdp_unavailable");
    expect(problems.map(({ code }) => code)).toEqual(["envelope_malformed"]);
    expect(await rejection(pep.handOff(task, TO))).toBe("envelope_malformed");
  });

  it("the credentials can be renewed, and without them nothing is decided", async () => {
    const { connect, pepWith, problems } = await serviceScene();
    let token = "x".repeat(40);
    const pep = pepWith(connect({ credentials: { kind: "bearer", token: () => token } }));
    expect(await rejection(pep.begin(BEGIN))).toBe("pdp_unavailable");
    expect(problems.at(-1)?.message).toContain("credentials");
    token = ENFORCER;
    expect(await call(pep, await pep.begin(BEGIN))).toBe("permit");
  });

  it("arguments that are too large are refused as such", async () => {
    const { pep } = await serviceScene({}, {}, { mostBytes: 20_000 });
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k".repeat(30_000) })).toBe("argument_not_allowed");
  });

  it("a client that was closed asks nothing", async () => {
    const { client, pep } = await serviceScene();
    const task = await pep.begin(BEGIN);
    await client.close();
    expect(await call(pep, task)).toBe("pdp_unavailable");
  });

  it("a service that stops answers what it was asked, and takes no more", async () => {
    let release = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (release = resolve));
    let asked = (): void => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const scene = await serviceScene(
      {},
      {},
      {
        wrap: (pdp) => ({
          ...pdp,
          decide: async (request) => {
            asked();
            await waiting;
            return pdp.decide(request);
          },
        }),
      },
    );
    const { pep, server, url, client } = scene;
    const task: Task = await pep.begin(BEGIN);
    const calling = pep.admit({ envelope: task, tool: READ[0], arguments: READ[1] });
    await isAsked;
    const closing = server.close();
    expect(await rejection(fetch(`${url}/healthz`))).not.toBe("resolved");
    release();
    // Decided, and then the grant cannot be spent any longer.
    expect(await calling).toMatchObject({ admitted: false, refused: { refusal: { code: "pdp_unavailable" } } });
    await closing;
    await client.close();
    expect((scene satisfies SignedFixture).records().filter(({ kind }) => kind === "decision")).toHaveLength(1);
  });
});
