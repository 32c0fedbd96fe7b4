import { callDigest, chainOf, createPep, parseEnvelope, type AccessRequest, type Outcome, type Pdp, type Task } from "@ambit/core";
import { createMemoryLog } from "@ambit/core/audit";
import { generateKey, generatePrivateJwk, issueEnvelope, type SigningKey } from "@ambit/core/token";
import { signAnswer, type Approval, type GivenAnswer } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { createMemoryDocuments } from "../src/state/memory-documents.ts";
import { createMemoryState } from "../src/state/memory-state.ts";
import { BEGIN, fixture, NOW, outcomeOf, rejection } from "./support/fixture.ts";
import { AUDIENCE, signedFixture } from "./support/signed.ts";

const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
const TICKET = ["tickets_create", { title: "renew", cost: 5 }] as const;
const TENANT = "tenant_1";

function watched(pdp: Pdp): { readonly pdp: Pdp; readonly asked: AccessRequest[]; readonly settled: Outcome[] } {
  const [asked, settled]: [AccessRequest[], Outcome[]] = [[], []];
  return {
    asked,
    settled,
    pdp: { ...pdp, decide: (request) => (asked.push(request), pdp.decide(request)), settle: (outcome) => (settled.push(outcome), pdp.settle(outcome)) },
  };
}

describe("the digest of a call", () => {
  it("is computed by who decides: another call under the digest of this one is refused (I4)", async () => {
    const { pep, pdp, keys, now } = await signedFixture();
    const task = await pep.begin(BEGIN);
    const { pdp: seen, asked } = watched(pdp);
    await createPep({ pdp: seen, agent: "reviewer", keys, now }).admit({ envelope: task, tool: "crm_read", arguments: { customer_id: "c1" } });
    const [request] = asked as [AccessRequest];
    const digest = callDigest(READ[0], undefined, READ[1]);
    const forged = await pdp.decide({ ...request, context: { ...request.context, call_id: "other", call_digest: digest } });
    expect(forged.context.refusal?.code).toMatch(/^(argument_not_allowed|pop_replayed)$/);
    const { pep: plain, pdp: own } = await fixture();
    const open = await plain.begin(BEGIN);
    const { pdp: watch, asked: asks } = watched(own);
    await createPep({ pdp: watch, agent: "reviewer", now: () => NOW }).admit({ envelope: open, tool: "crm_read", arguments: { customer_id: "c1" } });
    const [usual] = asks as [AccessRequest];
    expect((await own.decide({ ...usual, context: { ...usual.context, call_id: "x", call_digest: digest } })).context.refusal?.code).toBe(
      "argument_not_allowed",
    );
  });
});

describe("what was spent", () => {
  it.each([
    ["behind a handle", fixture],
    ["that is signed", signedFixture],
  ] as const)("stays spent when a task %s goes on and its first envelope is long gone (I6)", async (_, create) => {
    const state = createMemoryState();
    const { pep, advance, now } = await create({}, { state });
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 1 } });
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    const next = await pep.renew(task, { expiresIn: "3h" });
    advance(2 * 3_600_000);
    await state.sweep(now());
    expect(await outcomeOf(pep, next, ...READ)).toBe("budget_exhausted");
  });

  it("is not given back by who only asked: how a call ended, who redeemed it says (I6)", async () => {
    const { pep, pdp } = await fixture();
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 1 } });
    const { pdp: seen, asked, settled } = watched(pdp);
    const admission = await createPep({ pdp: seen, agent: "reviewer", now: () => NOW }).admit({
      envelope: task,
      tool: READ[0],
      arguments: READ[1],
      callId: "1",
      turn: "1",
    });
    const [request] = asked as [AccessRequest];
    const thief: Outcome = {
      presentation: request.context.presentation,
      agent: "reviewer",
      callId: request.context.call_id,
      decisionId: admission.admitted ? admission.decisionId : "",
      grantId: "?",
      status: "not_run",
      redeemed: true,
    };
    await expect(pdp.settle(thief)).rejects.toMatchObject({ refusal: { code: "grant_replayed" } });
    expect(admission.admitted && (await admission.complete(READ[2])).released).toBe(true);
    expect(settled[0]?.receipt).toMatch(/^hmac-sha-256:/);
    expect(await outcomeOf(pep, task, ...READ)).toBe("budget_exhausted");
  });

  it("in a lineage is nobody's to spend from who did not issue it (I12)", async () => {
    const other = await generateKey();
    const anchors = { anchors: () => [ANCHOR], ready: async () => undefined };
    const ANCHOR = { kind: "ambit", issuer: "https://other.example", key: other.public, tenants: new Set([TENANT]) } as const;
    const { pep, keys, pdp } = await signedFixture({}, { anchors });
    const victim = await pep.begin({ ...BEGIN, budgets: { calls: 1 } });
    const { order } = await pdp.terms();
    const wire = {
      delegator_id: "user_1",
      tenant_id: TENANT,
      session_id: "s",
      task_id: "t",
      purpose: "review",
      agent_id: "reviewer",
      allowed_tools: ["contracts.read"],
      resource_constraints: {},
      expires_at: "2026-05-12T18:10:00Z",
    };
    const options = {
      envelope: parseEnvelope(wire, order.vocabulary),
      issuer: ANCHOR.issuer,
      audience: [AUDIENCE],
      now: NOW,
      holder: (keys.get("reviewer") as SigningKey).public,
    };
    const { chain } = await issueEnvelope({ ...options, lineage: victim.lineage }, other, order);
    expect(await rejection(pep.receive(chain.tokens))).toBe("envelope_malformed");
    expect(await rejection(pep.receive((await issueEnvelope(options, other, order)).chain.tokens))).toBe("resolved");
  });
});

describe("a proof", () => {
  it("that has run out between the look at it and the commit is not taken (I5)", async () => {
    let late = 0;
    const base = createMemoryState();
    const { pep, advance } = await signedFixture({}, { state: { ...base, facts: async (...key) => (advance(late), base.facts(...key)) } });
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    late = 61_000;
    expect(await outcomeOf(pep, task, ...READ)).toBe("pop_invalid");
  });

  it("names the verifier that it is for, and a renewal the key that it is for", async () => {
    const { pep, pdp, keys, now } = await signedFixture();
    const task = await pep.begin(BEGIN);
    const begun: Parameters<Pdp["begin"]>[0][] = [];
    const seen: Pdp = { ...pdp, begin: (request) => (begun.push(request), pdp.begin(request)) };
    await createPep({ pdp: seen, agent: "reviewer", keys, now }).renew(task, { expiresIn: "20m" });
    const [request] = begun;
    if (request === undefined) throw new Error("nothing was begun");
    const { holder: _, ...without } = request;
    expect(await pdp.begin(without)).toMatchObject({ decision: false });
    expect(await pdp.begin({ ...request, holder: (keys.get("stranger") as SigningKey).public.jwk as never })).toMatchObject({ decision: false });
  });
});

describe("what is given along with a hand-off", () => {
  it("is labelled, or not given: also when the receiver was faster", async () => {
    const { pep, pepOf, pdp } = await signedFixture();
    const task = await pep.begin(BEGIN);
    const child = await pep.handOff(task, { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] });
    await pepOf("classifier").receive(chainOf(child) ?? []);
    const late = { chain: chainOf(child) ?? [], agent: "reviewer", excerpts: [{ label: "x", dataClasses: ["renewal_terms"] }] };
    expect(await pdp.introduce(late)).toMatchObject({ decision: false, refusal: { code: "hand_off_denied" } });
    expect(await pdp.introduce({ ...late, excerpts: [] })).toMatchObject({ decision: true });
  });
});

describe("an approval", () => {
  const rules = [{ by: ["role:lead"], needed: 2 }];
  const scene = async (options: object = {}, lifetime = 60) => {
    const names = ["anna", "ben", "carl"] as const;
    const keys = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await generateKey()] as const)));
    const approvers = {
      approvers: Object.fromEntries(names.map((name) => [name, { tenants: [TENANT], roles: ["lead"], keys: [(keys[name] as SigningKey).public.jwk] }])),
    };
    const documents = createMemoryDocuments();
    const key = await generatePrivateJwk("Ed25519");
    const base = await fixture({ approvals: { rules, approvers, key, lifetime_seconds: lifetime } }, { documents, ...options });
    const task = await base.pep.begin({ ...BEGIN, approvals: ["tickets.create"], expiresIn: "5h" });
    const call = (own: Task = task, args: object = TICKET[1]): Promise<string> => outcomeOf(base.pep, own, TICKET[0], args);
    const pending = async (): Promise<Approval> => (await base.pdp.approvals.list(TENANT)).find(({ status }) => status === "pending") as Approval;
    const sign = async (approver: string, to: Approval): Promise<string> =>
      signAnswer({ approval: to, approver, decision: "approve", now: base.now() }, keys[approver] as SigningKey);
    const give = async (id: string, signed: string): Promise<string> => rejection(base.pdp.approvals.answer({ tenantId: TENANT, id, signed }));
    return { ...base, task, call, pending, sign, give, documents };
  };

  it("is answered anew each time: an answer from before is none to a later request of the same call (I5)", async () => {
    const { call, pending, sign, give, advance, documents, now } = await scene();
    await call();
    const first = await pending();
    const old = await sign("anna", first);
    await give(first.id, old);
    advance(3 * 3_600_000);
    documents.sweep(now());
    expect(await call()).toBe("approval_required");
    const second = await pending();
    expect(second.id).not.toBe(first.id);
    expect(await give(second.id, old)).toBe("approval_invalid");
    expect(await give(second.id, await sign("ben", second))).toBe("resolved");
    expect(await call()).toBe("approval_required");
  });

  it("counts no longer than each of its answers, however many others come after it (I7)", async () => {
    const { call, pending, sign, give, advance } = await scene();
    await call();
    const request = await pending();
    await give(request.id, await sign("anna", request));
    advance(50_000);
    await give(request.id, await sign("ben", request));
    advance(11_000);
    expect(await call()).toBe("approval_required");
  });

  it("and a request for one are on the record before they count for anybody (I11)", async () => {
    let isDown = "";
    const failing = (append: (body: never) => Promise<unknown>) => ({
      append: (body: { kind: string }) => (body.kind === isDown ? Promise.reject(new Error("disk")) : append(body as never)),
    });
    const told: string[] = [];
    const log = createMemoryLog({ now: () => NOW });
    const { call, pending, sign, give } = await scene({ log: failing((body) => log.append(body)), onApprovalRequest: () => void told.push("told") });
    isDown = "approval_request";
    expect(await call()).toBe("log_unavailable");
    expect([await pending(), told]).toEqual([undefined, []]);
    isDown = "";
    expect(await call()).toBe("approval_required");
    const request = await pending();
    isDown = "approval_answer";
    expect(await give(request.id, await sign("anna", request))).not.toBe("resolved");
    isDown = "";
    expect((await pending()).answers).toEqual([]);
  });

  it("is not asked for without end: people are not to be worn out", async () => {
    const { call, pdp } = await scene();
    const codes: string[] = [];
    for (let cost = 0; cost < 103; cost++) codes.push(await call(undefined, { title: "t", cost }));
    expect(new Set(codes.slice(0, 100))).toEqual(new Set(["approval_required"]));
    expect(new Set(codes.slice(100))).toEqual(new Set(["budget_exhausted"]));
    const seen: string[] = [];
    for (let after = ""; ;) {
      const page = await pdp.approvals.list(TENANT, { after, limit: 7 });
      seen.push(...page.map(({ id }) => id));
      if (page.length < 7) break;
      after = page.at(-1)?.id ?? "";
    }
    expect(new Set(seen).size).toBe(100);
  });

  it("is given by nobody with a key of an agent", async () => {
    const key = await generateKey();
    const agents = { agents: { reviewer: { trust_zone: "first_party", ceiling: "none", keys: [key.public.jwk] } } };
    const approvers = { approvers: { anna: { tenants: "any", keys: [key.public.jwk] } } };
    expect(await rejection(fixture({ agents, approvals: { approvers } }))).toBe("config_invalid");
  });

  it("is given by nobody who was removed", async () => {
    const base = await fixture({ users: { roles: [] }, approvals: { rules: [{ by: ["user:anna"] }] } });
    const task = await base.pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
    await outcomeOf(base.pep, task, ...TICKET);
    await base.pdp.users?.removeUser(TENANT, "anna");
    const [request] = await base.pdp.approvals.list(TENANT);
    const given: GivenAnswer = { tenantId: TENANT, id: request?.id ?? "", approver: "anna", decision: "approve", assertedBy: "app" };
    expect(await rejection(base.pdp.approvals.answer(given))).toBe("approval_invalid");
  });
});
