import { createPep } from "@ambit/core";
import { generateKey, generatePrivateJwk, signStatement, type SigningKey } from "@ambit/core/token";
import { signAnswer, type Approval, type GivenAnswer } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { approvalRoutes } from "../src/operation/approval-routes.ts";
import { createMemoryDocuments } from "../src/state/memory-documents.ts";
import { scene, TENANT, TICKET } from "./approvals/scene.ts";
import { BEGIN, CONFIG, fixture, NOW, outcomeOf, rejection } from "./support/fixture.ts";

describe("a call that needs an approval", () => {
  it("waits for the delegator, runs once when approved, and is on the record from the request to the outcome", async () => {
    const { call, waiting, say, records, pep, task } = await scene({});
    const refused = await pep.enforce({ envelope: task, tool: TICKET[0], arguments: TICKET[1] }, () => ({}));
    expect(refused.refused).toMatchObject({
      kind: "approval_required",
      refusal: { code: "approval_required", requestable: true, approval: { expiresAt: NOW + 900_000 } },
    });
    expect(await call()).toBe("approval_required");
    const [approval, ...others] = await waiting();
    expect(others).toEqual([]);
    expect(approval).toMatchObject({
      id: refused.refused?.refusal.approval?.id,
      request: {
        delegatorId: "user_1",
        agentId: "reviewer",
        above: [],
        tool: "tickets.create",
        changes: { effect: "write", money: { amount: 5, currency: "EUR" }, records: "none" },
        purpose: "review",
        arguments: { title: "renew", cost: 5 },
      },
    });
    expect(await say({})).toBe("resolved");
    expect(await waiting()).toEqual([]);
    expect([await call(), await call()]).toEqual(["permit", "approval_required"]);
    const kinds = records().map(({ kind, details }) => `${kind} ${String(details["decision"] ?? "")}`.trim());
    expect(kinds).toEqual([
      "begin permit",
      "approval_request",
      "decision approval_required",
      "decision approval_required",
      "approval_answer approve",
      "decision permit",
      "outcome",
      "approval_request",
      "decision approval_required",
    ]);
    expect(JSON.stringify(records())).not.toContain('renew"');
  });

  it("with other arguments is another request", async () => {
    const { call, say } = await scene({});
    await call();
    await say({});
    expect(await call(undefined, undefined, { title: "renew", cost: 6 })).toBe("approval_required");
    expect(await call(undefined, undefined, { title: "renew" })).toBe("approval_required");
    expect(await call()).toBe("permit");
  });

  it("of another task, agent or tenant is another request", async () => {
    const { call, say, pep } = await scene({});
    await call();
    await say({});
    const other = await pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
    const tenant = await pep.begin({ ...BEGIN, tenantId: "tenant_2", approvals: ["tickets.create"] });
    expect([await call(undefined, other), await call(undefined, tenant), await call()]).toEqual(["approval_required", "approval_required", "permit"]);
  });

  it("is one request for many who ask at once, and one of them runs", async () => {
    const { call, say, waiting } = await scene({});
    await Promise.all(Array.from({ length: 10 }, () => call()));
    expect(await waiting()).toHaveLength(1);
    await say({});
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => call()));
    expect(outcomes.filter((code) => code === "permit")).toHaveLength(1);
    expect(await waiting()).toHaveLength(1);
  });

  it("that is a repetition of the same call keeps its approval: stacked enforcement points are one call", async () => {
    const { say, pep, task, pdp } = await scene({});
    const call = { envelope: task, tool: TICKET[0], arguments: TICKET[1], callId: "1", turn: "1" };
    await pep.admit(call);
    await say({});
    const grants: string[] = [];
    const watched = createPep({
      pdp: { ...pdp, redeem: async () => ({ redeemed: true }), decide: async (request) => (grants.push("asked"), pdp.decide(request)) },
      agent: "reviewer",
      now: () => NOW,
    });
    expect((await watched.admit(call)).admitted).toBe(true);
    expect((await watched.admit(call)).admitted).toBe(true);
    expect(grants).toHaveLength(2);
  });

  it("is refused for good when a person says no, until the request has expired", async () => {
    const { call, say, advance } = await scene({ lifetime_seconds: 60 });
    await call();
    await say({ decision: "deny" });
    expect([await call(), await call()]).toEqual(["approval_denied", "approval_denied"]);
    expect(await say({})).toBe("approval_invalid");
    advance(61_000);
    expect(await call()).toBe("approval_required");
  });

  it("whose approval has expired waits again", async () => {
    const { call, say, advance, waiting } = await scene({ lifetime_seconds: 60 });
    await call();
    const [first] = await waiting();
    advance(61_000);
    expect(await say({ id: first?.id ?? "" })).toBe("approval_expired");
    await call();
    await say({});
    advance(61_000);
    expect(await call()).toBe("approval_required");
  });

  it("waits where nobody is configured to answer, for ever", async () => {
    const base = await fixture();
    const task = await base.pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
    expect(await outcomeOf(base.pep, task, ...TICKET)).toBe("approval_required");
    expect(await rejection(base.pdp.approvals.list(TENANT))).toBe("option_invalid");
  });
});

describe("who may approve", () => {
  const answers = async (approvals: object, ...said: readonly (readonly [string, ("approve" | "deny")?])[]): Promise<readonly string[]> => {
    const { call, say } = await scene(approvals);
    await call();
    const told: string[] = [];
    for (const [approver, decision = "approve"] of said) told.push(await say({ approver, decision }));
    return [...told, await call()];
  };

  it("is never an agent, nor somebody whom nobody named", async () => {
    expect(await answers({}, ["reviewer"], ["classifier"], ["user_2"], ["user 1"])).toEqual([
      ...Array<string>(4).fill("approval_invalid"),
      "approval_required",
    ]);
    expect(await answers({ rules: [{ by: ["user:reviewer", "delegator"] }] }, ["reviewer"], ["user_1"])).toEqual(["approval_invalid", "resolved", "permit"]);
  });

  it("is the delegator, unless four eyes are asked for", async () => {
    const rules = [{ by: ["delegator", "user:user_2"], four_eyes: true }];
    expect(await answers({ rules }, ["user_1"], ["user_2"])).toEqual(["approval_invalid", "resolved", "permit"]);
  });

  it("is as many people as are needed, each once", async () => {
    const rules = [{ by: ["user:a", "user:b", "user:c"], needed: 2 }];
    expect(await answers({ rules }, ["a"], ["a"], ["b"])).toEqual(["resolved", "approval_invalid", "resolved", "permit"]);
    expect(await answers({ rules }, ["a"])).toEqual(["resolved", "approval_required"]);
    expect(await answers({ rules }, ["a"], ["c", "deny"])).toEqual(["resolved", "resolved", "approval_denied"]);
  });

  it("is whoever has the role, and every rule has to be met", async () => {
    const approvers = {
      approvers: {
        fin: { tenants: ["tenant_1"], roles: ["finance"] },
        leg: { tenants: "any", roles: ["legal"] },
        both: { tenants: "any", roles: ["finance", "legal"] },
        else: { tenants: ["tenant_2"], roles: ["finance"] },
      },
    };
    const rules = [
      { by: ["role:finance"] },
      { effects: ["write"], by: ["role:legal"] },
      { effects: ["destructive"], by: ["user:nobody"] },
      { tools: ["mail.send"], by: ["user:x"] },
    ];
    expect(await answers({ approvers, rules }, ["fin"], ["leg"])).toEqual(["resolved", "resolved", "permit"]);
    expect(await answers({ approvers, rules }, ["else"])).toEqual(["approval_invalid", "approval_required"]);
    expect(await answers({ approvers, rules }, ["both"])).toEqual(["resolved", "permit"]);
    expect(await answers({ approvers, rules }, ["fin"], ["fin"])).toEqual(["resolved", "approval_invalid", "approval_required"]);
  });

  it("signs with a key of their own where nobody may speak for them, and with no other", async () => {
    const [own, other] = [await generateKey(), await generateKey("ES256")];
    const approvers = { approvers: { user_1: { tenants: "any", keys: [own.public.jwk] }, user_2: { tenants: "any", keys: [other.public.jwk] } } };
    const { call, waiting, pdp, records } = await scene({ approvers });
    await call();
    const [approval] = await waiting();
    const { id = "" } = approval ?? {};
    const binding = id.slice("apr_".length, id.indexOf("."));
    const signed = (key: SigningKey, change: object = {}): Promise<string> =>
      signStatement({ approval: id, approver: "user_1", binding, decision: "approve", iat: NOW / 1000, jti: "j", ...change }, "ambit-approval+jwt", key);
    const say = async (text: string): Promise<string> => rejection(pdp.approvals.answer({ tenantId: TENANT, id, signed: text }));
    for (const text of [
      await signed(other),
      await signed(await generateKey()),
      await signed(own, { approval: `${id}1` }),
      await signed(own, { iat: "now" }),
      await signed(own, { binding: "x" }),
      await signed(own, { approver: "user_2" }),
      await signed(own, { decision: "maybe" }),
      `${(await signed(own)).slice(0, -4)}AAAA`,
      "x.y.z",
      "",
    ])
      expect(await say(text)).toBe("approval_invalid");
    expect(await rejection(pdp.approvals.answer({ tenantId: "tenant_2", id, signed: await signed(own) }))).toBe("approval_invalid");
    expect(await say(await signed(own))).toBe("resolved");
    expect(records().at(-1)).toMatchObject({ kind: "approval_answer", details: { approver: "user_1", asserted_by: "signature", key: own.public.thumbprint } });
    expect(await call()).toBe("permit");
  });
});

describe("a store of approvals that lies", () => {
  it("approves nothing: what is not signed for exactly this request does not count", async () => {
    const documents = createMemoryDocuments();
    const base = await fixture({ approvals: { key: await generatePrivateJwk("Ed25519") } }, { documents });
    const task = await base.pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
    const call = (): Promise<string> => outcomeOf(base.pep, task, ...TICKET);
    await call();
    const [stored] = await documents.list(TENANT, "approvals", "", 1);
    const { id = "", version = 0, content = {} } = stored ?? {};
    const request = (content as { readonly request: object }).request;
    for (const forged of [
      { ...content, answers: ["a.b.c"] },
      { ...content, request: { ...request, demands: [] } },
      { ...content, request: { ...request, demands: [{ needed: 0, by: [], four_eyes: false }] } },
      { ...content, status: "approved", createdAt: 9e12 },
    ]) {
      const now = (await documents.get(TENANT, "approvals", id))?.version ?? version;
      await documents.put(TENANT, "approvals", id, forged as never, now, 9e12);
      expect(await call()).toBe("approval_required");
    }
    const other = { ...content, request: { ...request, arguments: { title: "another", cost: 1 } } };
    await documents.put(TENANT, "approvals", id, other, (await documents.get(TENANT, "approvals", id))?.version ?? 0, 9e12);
    const [shown] = await base.pdp.approvals.list(TENANT);
    const given: GivenAnswer = { tenantId: TENANT, id: shown?.id ?? "", approver: "user_1", decision: "approve", assertedBy: "app" };
    expect([await rejection(base.pdp.approvals.answer(given)), await call()]).toEqual(["approval_invalid", "approval_required"]);
    await documents.put(TENANT, "approvals", id, { nonce: 1 }, (await documents.get(TENANT, "approvals", id))?.version ?? 0, 9e12);
    expect(await call()).toBe("state_unavailable");
  });

  it("or fails denies, and goes on when it does", async () => {
    const documents = createMemoryDocuments();
    let isDown = true;
    const failing = { ...documents, get: (...key: Parameters<typeof documents.get>) => (isDown ? Promise.reject(new Error("down")) : documents.get(...key)) };
    const base = await fixture({ approvals: { key: await generatePrivateJwk("Ed25519") } }, { documents: failing });
    const task = await base.pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
    expect(await outcomeOf(base.pep, task, ...TICKET)).toBe("state_unavailable");
    isDown = false;
    expect(await outcomeOf(base.pep, task, ...TICKET)).toBe("approval_required");
  });
});

describe("people are told", () => {
  it("of a new request once, and what they do with it holds nobody up", async () => {
    const told: string[] = [];
    const onApprovalRequest = (approval: Approval): Promise<void> => (told.push(approval.request.tool), Promise.reject(new Error("mail is down")));
    const base = await fixture({ approvals: {} }, { onApprovalRequest });
    const task = await base.pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
    for (let count = 0; count < 3; count++) expect(await outcomeOf(base.pep, task, ...TICKET)).toBe("approval_required");
    expect(told).toEqual(["tickets.create"]);
  });
});

describe("the configuration of approvals", () => {
  it.each([
    { rules: {} },
    { rules: [{ tool: "x" }] },
    { rules: [{ needed: 0 }] },
    { rules: [{ needed: 2 }] },
    { rules: [{ by: ["agent:x"] }] },
    { rules: [{ by: [] }] },
    { rules: [{ four_eyes: true }] },
    { rules: [{ effects: ["dangerous"] }] },
    { lifetime_seconds: 0 },
    { lifetime_seconds: 1e9 },
    { approvers: { approvers: { "a b": { tenants: "any" } } } },
    { approvers: { approvers: { a: { tenants: "any", keys: [{}] } } } },
    { approvers: { approvers: { a: {} } } },
    { key: {} },
    { unknown: 1 },
  ])("%j is refused", async (approvals) => {
    expect(await rejection(fixture({ ...CONFIG, approvals }))).toBe("config_invalid");
  });
});

describe("who answers", () => {
  it("answers with a key of their own where they have one: nobody vouches for them, not even the decision point", async () => {
    const own = await generateKey();
    const { call, waiting, say } = await scene({ approvers: { approvers: { user_1: { tenants: "any", keys: [own.public.jwk] } } } });
    expect(await call()).toBe("approval_required");
    expect(await say({})).toBe("approval_invalid");
    const [asked] = await waiting();
    const about = { approval: asked as Approval, approver: "user_1", decision: "approve", now: NOW } as const;
    expect(await say({ signed: await signAnswer(about, await generateKey()), approver: undefined } as never)).toBe("approval_invalid");
    expect(await say({ signed: await signAnswer(about, own), approver: undefined } as never)).toBe("resolved");
    expect(await call()).toBe("permit");
  });

  it("is asked nothing about calls that are only observed", async () => {
    const { pdp, task, waiting, records, now } = await scene({});
    const observer = createPep({ pdp, agent: "reviewer", now, mode: "observe", deadline: 10_000 });
    expect(await outcomeOf(observer, task, TICKET[0], TICKET[1])).toBe("permit");
    expect(await waiting()).toEqual([]);
    expect(records().filter(({ kind }) => kind === "approval_request")).toEqual([]);
    expect(records().find(({ kind, details }) => kind === "decision" && details["code"] === "approval_required")).toBeDefined();
  });

  it("answers over HTTP in the tenant of their token, whichever tenants the caller acts for", async () => {
    const { call, waiting, pdp } = await scene({});
    await call();
    const [asked] = await waiting();
    const answer = approvalRoutes(pdp.approvals).find(({ method }) => method === "POST");
    const identity = { tenantId: "tenant_2", delegatorId: "user_1", kind: "oidc", issuer: "https://id.example" };
    const asCaller = (tenantId: string): Parameters<NonNullable<typeof answer>["handle"]>[0] =>
      ({
        caller: { name: "people", roles: new Set(["approve"]), tenants: "any", identity: { ...identity, tenantId } },
        params: { id: asked?.id },
        json: { tenant_id: TENANT, decision: "approve" },
      }) as never;
    await expect(answer?.handle(asCaller("tenant_2"))).rejects.toMatchObject({ message: "the token is of another tenant" });
    expect((await waiting())[0]?.status).toBe("pending");
    await expect(answer?.handle(asCaller(TENANT))).resolves.toMatchObject({ json: { status: "approved" } });
  });
});
