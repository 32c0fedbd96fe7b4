import { chainOf } from "@ambit/core";
import { createProofVerifier, fixedKeys } from "@ambit/core/identity";
import { allRoutes, secretDigest } from "@ambit/pdp/server";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { BEGIN, MANIFEST, NOW, outcomeOf, rejection } from "../support/fixture.ts";
import { tupleOf, userOf, write } from "./people.ts";
import { CALLERS, serviceScene, type ServiceScene } from "./scene.ts";

const LOGIN = "https://login.example";
const ENFORCE_ONLY = "the-secret-of-an-enforcement-point-without-a-word-for-others";

const text = { type: "string" } as const;
const about = (id: string, type: string, argument: string, effect: string): object => ({
  [id]: {
    names: [{ name: id.replace(".", "_"), pin: "none" }],
    input_schema: { type: "object", properties: { [argument]: text }, required: [argument] },
    effect,
    resource: { type, id: `/${argument}` },
    constraints: { customer_id: "not_applicable", contract_ids: "not_applicable" },
    records: "none",
    data_classes: [],
    sends_outside: false,
    money: "none",
  },
});
const TOOLS = ["contracts.read", "cases.read", "documents.write"];

/** The owner of an account reads its contracts, a participant the case, a collaborator writes the document, unless it is locked for them. */
const CONFIG = {
  manifest: {
    tools: { ...MANIFEST.tools, ...about("cases.read", "Case", "case_id", "read"), ...about("documents.write", "Document", "document_id", "write") },
  },
  purposes: { purposes: { review: { tools: TOOLS }, classify: { parent: "review", tools: TOOLS } } },
  users: {
    roles: ["account_manager", "reader"],
    issuers: { [LOGIN]: { id: { claim: "sub" }, tenant: { claim: "tid", among: ["tenant_1"] }, roles: { claim: "groups" } } },
  },
  relations: {
    types: {
      user: {},
      agent: {},
      Group: { relations: { member: ["user", "Group#member"] } },
      Account: { relations: { owner: ["user"] } },
      Contract: { relations: { account: ["Account"], reader: { relation: "owner", from: "account" } } },
      Case: { relations: { participant: ["user", "agent", "Group#member"] } },
      Document: { relations: { collaborator: ["user", "Group#member"], locked: ["user"], writer: { base: "collaborator", except: "locked" } } },
    },
  },
  agents: {
    agents: {
      reviewer: { trust_zone: "first_party", ceiling: "none", roles: ["reader"] },
      classifier: { trust_zone: "third_party", ceiling: "none" },
    },
  },
  policies: [
    {
      name: "authority.cedar",
      text: `
permit (principal, action in [Action::"ambit:begin", Action::"ambit:hand_off"], resource);
permit (principal is User in Role::"account_manager", action == Action::"contracts.read", resource) when { context.relations.reader };
permit (principal is User, action == Action::"cases.read", resource) when { context.relations.participant };
permit (principal is User, action == Action::"documents.write", resource) when { context.relations.writer };
permit (principal is Agent in Role::"reader", action == Action::"contracts.read", resource) when { context.delegator_relations.reader };
permit (principal is Agent, action == Action::"cases.read", resource) when { context.relations.participant };
permit (principal is Agent, action == Action::"documents.write", resource) when { principal.trust_zone == "first_party" };`,
    },
  ],
};
const ROOT = { ...BEGIN, allowedTools: TOOLS };
const CHILD = { agentId: "classifier", purpose: "classify", allowedTools: TOOLS };

const CONTRACT = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
const CASE = ["cases_read", { case_id: "case_1" }, {}] as const;
const DOCUMENT = ["documents_write", { document_id: "d1" }, {}] as const;

interface Scene extends ServiceScene {
  /** What the root's holder, and the child's, are answered: one task, two agents, one signed chain. */
  outcomes(call: readonly [string, object, unknown]): Promise<readonly [root: string, child: string]>;
  told(roles: readonly string[], add?: readonly string[], remove?: readonly string[]): Promise<void>;
}

async function scene(): Promise<Scene> {
  const served = await serviceScene(CONFIG, {}, { routes: (pdp, url) => allRoutes({ pdp, url }) });
  const { pep, pepOf, url } = served;
  const root = await pep.begin(ROOT);
  const child = await pep.handOff(root, CHILD);
  const classifier = pepOf("classifier");
  const received = await classifier.receive(chainOf(child) ?? []);
  return {
    ...served,
    outcomes: async (call) => [await outcomeOf(pep, root, ...call), await outcomeOf(classifier, received, ...call)],
    told: async (roles, add = [], remove = []) => {
      expect(await write(url, "users", userOf("user_1", roles))).toBe("200");
      expect(await write(url, "relations", { tenant_id: "tenant_1", add: add.map(tupleOf), remove: remove.map(tupleOf) })).toBe("200");
    },
  };
}

const DENIED = ["policy_denied", "policy_denied"];

describe("a signed chain over HTTP", () => {
  it("is decided by the delegator's role and account, and by the role of every agent of it", async () => {
    const { outcomes, told } = await scene();
    expect(await outcomes(CONTRACT)).toEqual(DENIED);
    await told([], ["Contract:k1 account Account:a1", "Account:a1 owner user:user_1"]);
    expect(await outcomes(CONTRACT)).toEqual(DENIED);
    await told(["account_manager"]);
    // The child's holder has no role: its parent's counts for the parent.
    expect(await outcomes(CONTRACT)).toEqual(["permit", "policy_denied"]);
    await told(["reader"]);
    expect(await outcomes(CONTRACT)).toEqual(DENIED);
    await told(["account_manager"], ["Account:a1 owner user:user_2"], ["Account:a1 owner user:user_1"]);
    expect(await outcomes(CONTRACT)).toEqual(DENIED);
  });

  it("is decided by who takes part in a case: the delegator, and every agent of it", async () => {
    const { outcomes, told } = await scene();
    await told([], ["Case:case_1 participant Group:g#member", "Group:g member Group:h#member", "Group:h member user:user_1"]);
    expect(await outcomes(CASE)).toEqual(DENIED);
    await told([], ["Case:case_1 participant agent:reviewer"]);
    expect(await outcomes(CASE)).toEqual(["permit", "policy_denied"]);
    await told([], ["Case:case_1 participant agent:classifier"]);
    expect(await outcomes(CASE)).toEqual(["permit", "permit"]);
    await told([], [], ["Case:case_1 participant agent:reviewer"]);
    expect(await outcomes(CASE)).toEqual(DENIED);
    await told([], ["Case:case_1 participant agent:reviewer"], ["Group:h member user:user_1"]);
    expect(await outcomes(CASE)).toEqual(DENIED);
  });

  it("is decided by who works on a document, who is locked out of it, and where the agent runs", async () => {
    const { outcomes, told } = await scene();
    await told([], ["Document:d1 collaborator user:user_1"]);
    expect(await outcomes(DOCUMENT)).toEqual(["permit", "policy_denied"]);
    await told([], ["Document:d1 locked user:user_1"]);
    expect(await outcomes(DOCUMENT)).toEqual(DENIED);
  });

  it("ends with the delegator, at both of its agents", async () => {
    const { outcomes, told, url, pep, advance } = await scene();
    await told(
      ["account_manager"],
      ["Case:case_1 participant user:user_1", "Case:case_1 participant agent:reviewer", "Case:case_1 participant agent:classifier"],
    );
    expect(await outcomes(CASE)).toEqual(["permit", "permit"]);
    expect(await write(url, "users/remove", { tenant_id: "tenant_1", id: "user_1" })).toBe("200");
    expect(await outcomes(CASE)).toEqual(["envelope_revoked", "envelope_revoked"]);
    advance(10_000);
    expect(await rejection(pep.begin(ROOT))).toBe("policy_denied");
  });

  it("begins with the roles of the delegator's own token, where the caller may not speak for them", async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const keys = fixedKeys(JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "k", use: "sig" }] }));
    const issuer = { kind: "oidc", issuer: LOGIN, audience: "ambit", keys, tenant: { id: "tenant_1" } } as const;
    const proofs = createProofVerifier({ issuers: [issuer], now: () => served.now() });
    const caller = { kind: "secret", name: "enforcer", digest: secretDigest(ENFORCE_ONLY), roles: ["enforce"], tenants: ["tenant_1"] } as const;
    const client = { credentials: { kind: "bearer", token: ENFORCE_ONLY } } as const;
    const served = await serviceScene(CONFIG, { proofs }, { routes: (pdp, url) => allRoutes({ pdp, url }), callers: [...CALLERS, caller], client });
    const { pep, url } = served;
    const token = (groups: readonly string[], at: number): Promise<string> =>
      new SignJWT({ iss: LOGIN, sub: "user_1", aud: "ambit", tid: "tenant_1", groups, iat: NOW / 1000 + at, exp: NOW / 1000 + 3600 })
        .setProtectedHeader({ alg: "ES256", kid: "k" })
        .sign(privateKey);
    const add = ["Contract:k1 account Account:a1", "Account:a1 owner user:user_1"].map(tupleOf);
    expect(await write(url, "relations", { tenant_id: "tenant_1", add })).toBe("200");
    expect(await rejection(pep.begin(ROOT))).toBe("proof_invalid");
    const task = await pep.begin({ ...ROOT, delegatorProof: await token(["account_manager", "everyone"], 0) });
    expect(chainOf(task)).toHaveLength(1);
    expect(await outcomeOf(pep, task, ...CONTRACT)).toBe("permit");
    const later = await pep.begin({ ...ROOT, delegatorProof: await token(["everyone"], 1) });
    expect([await outcomeOf(pep, task, ...CONTRACT), await outcomeOf(pep, later, ...CONTRACT)]).toEqual(DENIED);
    await pep.begin({ ...ROOT, delegatorProof: await token(["account_manager"], 0) });
    expect(await outcomeOf(pep, later, ...CONTRACT)).toBe("policy_denied");
  });
});
