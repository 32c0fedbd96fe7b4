import { generateKey, generatePrivateJwk, signingKey } from "@ambit/core/token";
import { signAnswer, type Approval } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { approvalRoutes } from "../../src/operation/approval-routes.ts";
import { BEGIN, CONFIG, fixture, NOW, outcomeOf, rejection } from "../support/fixture.ts";
import { deskOf, scene, TENANT, TICKET, type Said, type Scene } from "./scene.ts";

/** What each of the answers comes to, and then the call. */
async function answers({ call, say }: Pick<Scene, "call" | "say">, ...said: readonly Said[]): Promise<readonly string[]> {
  expect(await call()).toBe("approval_required");
  const told: string[] = [];
  for (const each of said) told.push(await say(each));
  return [...told, await call()];
}

const by = (...approvers: readonly string[]): readonly Said[] => approvers.map((approver) => ({ approver }));

describe("four eyes", () => {
  const BOTH = ["delegator", "user:user_1", "user:user_2"];

  it("are not those of the delegator, by whichever of their names", async () => {
    const approvers = { approvers: { user_1: { tenants: "any", roles: ["lead"] }, user_2: { tenants: "any", roles: ["lead"] } } };
    for (const rule of [{ by: BOTH }, { by: ["role:lead"] }]) {
      const rules = [{ ...rule, four_eyes: true }];
      expect(await answers(await scene({ approvers, rules }), ...by("user_1", "user_2"))).toEqual(["approval_invalid", "resolved", "permit"]);
      expect(await answers(await scene({ approvers, rules: [rule] }), ...by("user_1"))).toEqual(["resolved", "permit"]);
    }
  });

  it("are not those of the delegator with their own key", async () => {
    const own = await generateKey();
    const approvers = { approvers: { user_1: { tenants: "any", keys: [own.public.jwk] } } };
    const { call, say, waiting } = await scene({ approvers, rules: [{ by: BOTH, four_eyes: true }] });
    await call();
    const [approval] = (await waiting()) as [Approval];
    const signed = await signAnswer({ approval, approver: "user_1", decision: "approve", now: NOW }, own);
    expect([await say({ signed }), await say({ approver: "user_2" })]).toEqual(["approval_invalid", "resolved"]);
  });

  it("count nobody twice: of two that are needed the delegator is none", async () => {
    const rules = [{ by: [...BOTH, "user:user_3"], needed: 2, four_eyes: true }];
    const told = await answers(await scene({ rules }), ...by("user_2", "user_1", "user_2", "user_3"));
    expect(told).toEqual(["resolved", "approval_invalid", "approval_invalid", "resolved", "permit"]);
  });

  it("are asked for by one rule, and another that asks for the delegator is met besides", async () => {
    const rules = [{ by: ["delegator"] }, { by: ["user:user_2"], four_eyes: true }];
    expect(await answers(await scene({ rules }), ...by("user_1"))).toEqual(["resolved", "approval_required"]);
    expect(await answers(await scene({ rules }), ...by("user_1", "user_2"))).toEqual(["resolved", "resolved", "permit"]);
  });
});

describe("two of three", () => {
  const rules = [{ by: ["user:a", "user:b", "user:c"], needed: 2 }];

  it("are two people, not one who answers twice, one after the other or at the same time", async () => {
    const { call, say, waiting } = await scene({ rules });
    await call();
    const [{ id }] = (await waiting()) as [Approval];
    const both = await Promise.all([say({ id, approver: "a" }), say({ id, approver: "a" })]);
    expect(both.toSorted()).toEqual(["approval_invalid", "resolved"]);
    expect([await say({ id, approver: "a" }), await call()]).toEqual(["approval_invalid", "approval_required"]);
    expect([await say({ id, approver: "b" }), await call()]).toEqual(["resolved", "permit"]);
  });

  it("are not one who signs and is vouched for", async () => {
    const own = await generateKey();
    const { call, say, waiting } = await scene({ rules, approvers: { approvers: { a: { tenants: "any", keys: [own.public.jwk] } } } });
    await call();
    const [approval] = (await waiting()) as [Approval];
    const sign = (): Promise<string> => signAnswer({ approval, approver: "a", decision: "approve", now: NOW }, own);
    expect([await say({ approver: "a" }), await say({ signed: await sign() }), await say({ signed: await sign() })]).toEqual([
      "approval_invalid",
      "resolved",
      "approval_invalid",
    ]);
    expect(await call()).toBe("approval_required");
  });

  it("both count when they answer at the same time", async () => {
    const { call, say, waiting } = await scene({ rules });
    await call();
    const [{ id }] = (await waiting()) as [Approval];
    expect(await Promise.all(["a", "b"].map((approver) => say({ id, approver })))).toEqual(["resolved", "resolved"]);
    expect(await call()).toBe("permit");
  });

  it("are not enough where one of three says no", async () => {
    const told = await answers(await scene({ rules }), { approver: "a" }, { approver: "c", decision: "deny" }, { approver: "b" });
    expect(told).toEqual(["resolved", "resolved", "approval_invalid", "approval_denied"]);
  });

  it("have a key each: one key is nobody's under two names, nor the decision point's", async () => {
    const [key, ours] = [await generateKey(), await generatePrivateJwk("Ed25519")];
    const approvers = (keys: { readonly [id: string]: readonly unknown[] }): object => ({
      approvers: Object.fromEntries(Object.entries(keys).map(([id, jwks]) => [id, { tenants: "any", keys: jwks }])),
    });
    const { jwk } = key.public;
    const ourPublic = (await signingKey(ours)).public.jwk;
    expect(await rejection(fixture({ approvals: { rules, key: ours, approvers: approvers({ a: [jwk] }) } }))).toBe("resolved");
    for (const keys of [{ a: [jwk], b: [jwk] }, { a: [jwk], b: [{ ...jwk, use: "sig", kid: "another" }] }, { a: [jwk, jwk] }, { a: [ourPublic] }])
      expect([keys, await rejection(fixture({ approvals: { rules, key: ours, approvers: approvers(keys) } }))]).toEqual([keys, "config_invalid"]);
  });
});

describe("an agent approves nothing", () => {
  const { agents } = CONFIG.agents as { readonly agents: { readonly [id: string]: object } };

  it("under its own id, whatever rules and roles say of it", async () => {
    const approvers = { approvers: { reviewer: { tenants: "any", roles: ["lead"] }, classifier: { tenants: "any", roles: ["lead"] } } };
    const rules = [{ by: ["user:reviewer", "user:classifier", "role:lead", "delegator"] }];
    expect(await answers(await scene({ approvers, rules }), ...by("reviewer", "classifier", "user_1"))).toEqual([
      "approval_invalid",
      "approval_invalid",
      "resolved",
      "permit",
    ]);
  });

  it("as the delegator of its own task", async () => {
    for (const delegatorId of ["reviewer", "classifier"])
      expect(await answers(await scene({}, {}, { delegatorId }), ...by(delegatorId))).toEqual(["approval_invalid", "approval_required"]);
  });

  it("as one above it, also when it is not registered any longer", async () => {
    const rules = [{ by: ["user:coordinator", "delegator"] }];
    const { pep, pdp } = await fixture({ approvals: { rules } });
    const root = await pep.as("coordinator").begin({ ...BEGIN, approvals: ["tickets.create"] });
    const child = await pep.as("coordinator").handOff(root, { agentId: "reviewer", allowedTools: ["tickets.create"] });
    expect(await outcomeOf(pep, child, ...TICKET)).toBe("approval_required");
    const { say } = deskOf(pdp);
    expect(await say({ approver: "coordinator" })).toBe("approval_invalid");
    const { coordinator: _, ...others } = agents;
    await pdp.reload({ ...CONFIG, approvals: { rules }, agents: { agents: others } });
    expect(await say({ approver: "coordinator" })).toBe("approval_invalid");
  });

  it("with a key that is an agent's, whoever's name it is listed under", async () => {
    const [key, jwk] = [await generateKey(), await generatePrivateJwk("Ed25519")];
    const withKey = (keyOf: object): object => ({ agents: { ...agents, reviewer: { trust_zone: "first_party", ceiling: "none", keys: [keyOf] } } });
    const approvers = { approvers: { user_1: { tenants: "any", keys: [key.public.jwk] } } };
    expect(await rejection(fixture({ agents: withKey(key.public.jwk), approvals: { approvers } }))).toBe("config_invalid");
    expect(await rejection(fixture({ agents: withKey((await signingKey(jwk)).public.jwk), approvals: { key: jwk } }))).toBe("config_invalid");
    const { pdp } = await fixture({ approvals: { approvers } });
    expect(await rejection(pdp.reload({ ...CONFIG, approvals: { approvers }, agents: withKey(key.public.jwk) }))).toBe("config_invalid");
  });

  it("with a token of its delegator that was given to it", async () => {
    const { call, waiting, pdp } = await scene({});
    await call();
    const [asked] = (await waiting()) as [Approval];
    const answer = approvalRoutes(pdp.approvals).find(({ method }) => method === "POST");
    const ask = (agentId: string | undefined): Promise<unknown> => {
      const identity = { tenantId: TENANT, delegatorId: "user_1", agentId, kind: "oidc", issuer: "https://id.example" };
      const caller = { name: "people", roles: new Set(["approve"]), tenants: "any", identity };
      return answer?.handle({ caller, params: { id: asked.id }, json: { tenant_id: TENANT, decision: "approve" } } as never) as Promise<unknown>;
    };
    for (const agentId of ["reviewer", "classifier"]) await expect(ask(agentId)).rejects.toMatchObject({ code: "request_malformed" });
    expect(await waiting()).toHaveLength(1);
    // What is no agent of ours is where the person logged in.
    await expect(ask("desk")).resolves.toMatchObject({ json: { status: "approved" } });
  });

  it("under a name that only looks like a person's", async () => {
    const looks = ["User_1", "user_1 ", "user_1\u0000", "user_1\u200b", "us\u0435r_1", "USER_1", "user:user_1", "delegator", "", "__proto__"];
    expect(await answers(await scene({}), ...by(...looks))).toEqual([...looks.map(() => "approval_invalid"), "approval_required"]);
  });
});
