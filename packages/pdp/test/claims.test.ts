import { createProofVerifier, fixedKeys, type ProofVerifier } from "@ambit/core/identity";
import type { DocumentStore } from "@ambit/core";
import type { PdpConfig, PdpOptions } from "@ambit/pdp";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { createMemoryDocuments } from "../src/state/memory-documents.ts";
import { BEGIN, fixture, NOW, outcomeOf, rejection, type Fixture } from "./support/fixture.ts";

const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
const LOGIN = "https://login.example";
const OTHER = "https://other.example";
const TRUST = "prod.example";
const { privateKey, publicKey } = await generateKeyPair("ES256");
const jwk = await exportJWK(publicKey);
const keys = { keys: [{ ...jwk, kid: "k", alg: "ES256" }] };

/** Agents may do anything; users what their roles say. */
const POLICY = `permit (principal is Agent, action, resource); permit (principal is User, action == Action::"ambit:begin", resource);
  permit (principal is User in Role::"support", action, resource);
  permit (principal is User, action == Action::"tickets.create", resource) when { principal has level && principal.level >= 3 };`;

const LOGIN_USERS = {
  id: { claim: "sub" },
  tenant: { claim: "tid", among: ["tenant_1", "tenant_2"] },
  roles: { pointer: "/realm_access/roles", map: { "crm-support": "support" } },
  attributes: { level: { claim: "level" } },
};
const tenant = { claim: "tid", among: ["tenant_1", "tenant_2", "tenant_3"] };
const identity = {
  issuers: [
    { kind: "oidc", issuer: LOGIN, audience: "ambit", keys, tenant },
    { kind: "oidc", issuer: OTHER, audience: "ambit", keys, tenant: { id: "tenant_9" } },
  ],
};
const usersWith = (issuers: object): object => ({ roles: ["support", "auditor"], attributes: { level: "long" }, issuers });

/** A token of the login, issued so many seconds from the beginning. */
const token = (claims: object = {}, at = 0): Promise<string> =>
  new SignJWT({ iss: LOGIN, sub: "user_1", aud: "ambit", tid: "tenant_1", iat: NOW / 1000 + at, exp: NOW / 1000 + at + 3600, ...claims })
    .setProtectedHeader({ alg: "ES256", kid: "k" })
    .sign(privateKey);
const rolesOf = (...roles: readonly string[]): object => ({ realm_access: { roles } });

interface Scene extends Fixture {
  /** Begins with a proof: `begun`, or the code of the refusal. */
  begun(proof: Promise<string>, change?: object): Promise<string>;
  /** Begins with a proof, and calls a tool. */
  called(proof: Promise<string>): Promise<string>;
  known(id?: string, tenantId?: string): Promise<unknown>;
}

async function scene(issuers: object = { [LOGIN]: LOGIN_USERS }, config: Partial<PdpConfig> = {}, options: PdpOptions = {}): Promise<Scene> {
  const base = await fixture({ policies: [{ name: "p.cedar", text: POLICY }], users: usersWith(issuers), identity, ...config }, options);
  return {
    ...base,
    begun: async (proof, change = {}) => {
      const answer = await rejection(base.pep.begin({ ...BEGIN, delegatorProof: await proof, ...change }));
      return answer === "resolved" ? "begun" : answer;
    },
    called: async (proof) => outcomeOf(base.pep, await base.pep.begin({ ...BEGIN, delegatorProof: await proof }), ...READ),
    known: async (id = "user_1", tenantId = "tenant_1") => {
      const known = await base.pdp.users?.user(tenantId, id);
      return known?.status === "active" ? [...known.user.roles, known.user.attributes["level"] ?? null] : known?.status;
    },
  };
}

describe("the claims of a proof", () => {
  it("say who the delegator is from the beginning that they prove on, and policy decides by it", async () => {
    const { called, known } = await scene();
    expect(await known()).toBeUndefined();
    expect(await called(token())).toBe("policy_denied");
    expect(await known()).toEqual([null]);
    expect(await called(token({ ...rolesOf("crm-support", "auditor", "offline_access"), level: 3 }, 1))).toBe("permit");
    expect(await known()).toEqual(["support", 3]);
  });

  it("take away what they say no longer, from what is given out already as well", async () => {
    const { pep, begun, known } = await scene();
    const task = await pep.begin({ ...BEGIN, delegatorProof: await token({ ...rolesOf("crm-support"), level: 3 }) });
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    expect(await begun(token(rolesOf("something-else"), 1))).toBe("begun");
    expect(await known()).toEqual([null]);
    expect(await outcomeOf(pep, task, ...READ)).toBe("policy_denied");
  });

  it("of an older token that is still good bring nothing back", async () => {
    const { called, begun, known, pdp, advance } = await scene();
    const [former, latter] = [token(rolesOf("crm-support"), 5), token(rolesOf(), 6)];
    expect(await called(former)).toBe("permit");
    expect(await begun(latter)).toBe("begun");
    expect(await called(former)).toBe("policy_denied");
    expect(await known()).toEqual([null]);
    // Nor where somebody else said something since then.
    advance(60_000);
    await pdp.users?.upsertUser("tenant_1", { id: "user_1", roles: ["auditor"], attributes: {}, source: "hr" });
    expect(await begun(token(rolesOf("crm-support"), 30))).toBe("begun");
    expect(await known()).toEqual(["auditor", null]);
    expect(await begun(token(rolesOf("crm-support"), 61))).toBe("begun");
    expect(await known()).toEqual(["support", null]);
    // A call always counts, however far the clock of the issuer is ahead.
    await pdp.users?.upsertUser("tenant_1", { id: "user_1", roles: [], attributes: {}, source: "hr" });
    expect(await known()).toEqual([null]);
    expect(await begun(token(rolesOf("crm-support"), 61))).toBe("begun");
    expect(await known()).toEqual([null]);
  });

  it("take nobody back who was removed, whatever token they have", async () => {
    const { begun, known, pdp, advance } = await scene();
    const before = token(rolesOf("crm-support"));
    expect(await begun(before)).toBe("begun");
    await pdp.users?.removeUser("tenant_1", "user_1");
    expect(await begun(before)).toBe("proof_invalid");
    advance(60_000);
    expect(await begun(token(rolesOf("crm-support"), 60))).toBe("proof_invalid");
    expect(await known()).toBe("removed");
    await pdp.users?.upsertUser("tenant_1", { id: "user_1", roles: [], attributes: {}, source: "hr" }, { isReturning: true });
    expect(await begun(before)).toBe("proof_invalid");
    expect(await begun(token(rolesOf("crm-support"), 61))).toBe("begun");
    expect(await known()).toEqual(["support", null]);
  });

  it("of an issuer that `users` does not list, or lists without roles and attributes, change nothing", async () => {
    const { id, tenant: place } = LOGIN_USERS;
    const { begun, known, pdp } = await scene({ [LOGIN]: { id, tenant: place } });
    await pdp.users?.upsertUser("tenant_1", { id: "user_1", roles: ["support"], attributes: { level: 1 }, source: "hr" });
    expect(await begun(token({ ...rolesOf("auditor"), level: 9 }, 1))).toBe("begun");
    expect(await known()).toEqual(["support", 1]);
    expect(await begun(token({ iss: OTHER, ...rolesOf("crm-support") }, 1), { tenantId: "tenant_9" })).toBe("begun");
    expect(await known("user_1", "tenant_9")).toBeUndefined();
  });

  it("of a task that goes on count as well, and those of an application's word are none", async () => {
    const { pep, known, advance } = await scene();
    const task = await pep.begin({ ...BEGIN, delegatorProof: await token(rolesOf("crm-support")) });
    advance(10_000);
    const renewed = await pep.renew(task, { expiresIn: "20m", delegatorProof: await token(rolesOf(), 10) });
    expect(await outcomeOf(pep, renewed, ...READ)).toBe("policy_denied");
    expect(await known()).toEqual([null]);
    await pep.begin({ ...BEGIN, delegatorId: "user_2" });
    expect(await known("user_2")).toBeUndefined();
  });

  it.each<readonly [what: string, code: string, claims: object, change: object]>([
    ["roles that are no text", "proof_invalid", { realm_access: { roles: [{ __entity: { type: "Role", id: "support" } }] } }, {}],
    ["roles that are an object", "proof_invalid", { realm_access: { roles: { "crm-support": true } } }, {}],
    ["an attribute of another type", "proof_invalid", { level: "9" }, {}],
    ["an attribute that is no whole number", "proof_invalid", { level: 9.5 }, {}],
    ["an attribute that is null", "proof_invalid", { level: null }, {}],
    ["a tenant that `users` does not let the issuer speak for", "tenant_mismatch", { tid: "tenant_3" }, { tenantId: "tenant_3" }],
    ["another tenant than the envelope", "tenant_mismatch", { tid: "tenant_2", ...rolesOf("crm-support") }, {}],
    ["another user than the envelope", "proof_invalid", { sub: "user_2", ...rolesOf("crm-support") }, {}],
    ["another audience", "audience_mismatch", { aud: "other" }, {}],
    ["a time that is long over", "proof_expired", { exp: NOW / 1000 - 1, iat: NOW / 1000 - 10 }, {}],
    ["a time that is to come", "proof_invalid", { iat: NOW / 1000 + 600 }, {}],
  ])("begin nothing and change nothing with %s", async (_, code, claims, change) => {
    const { begun, known, pdp } = await scene();
    expect(await begun(token({ ...rolesOf("crm-support"), ...claims }), change)).toBe(code);
    for (const tenantId of ["tenant_1", "tenant_2", "tenant_3"]) expect(await pdp.users?.listUsers(tenantId, "", 10)).toEqual([]);
    expect(await known()).toBeUndefined();
  });

  it("name roles by their own members only", async () => {
    const { begun, known } = await scene({ [LOGIN]: { ...LOGIN_USERS, roles: { claim: "roles" } } });
    expect(await begun(token({ roles: ["constructor", "__proto__", "Support", "support "] }))).toBe("begun");
    expect(await known()).toEqual([null]);
  });

  it("that `users` reads as somebody else's than the proof's begin nothing", async () => {
    const prefixed = await scene({ [LOGIN]: { ...LOGIN_USERS, id: { claim: "sub", prefix: "idp:" } } });
    expect(await prefixed.begun(token(rolesOf("crm-support")))).toBe("proof_invalid");
    const elsewhere = await scene({ [LOGIN]: { ...LOGIN_USERS, tenant: { id: "tenant_2" } } });
    expect(await elsewhere.begun(token(rolesOf("crm-support")))).toBe("tenant_mismatch");
    for (const { known } of [prefixed, elsewhere])
      for (const [id, of] of [["idp:user_1"], ["user_1"], ["user_1", "tenant_2"]]) expect(await known(id, of)).toBeUndefined();
  });

  it("of a workload are not those of the issuer whose name it writes into them", async () => {
    const bundle = fixedKeys(JSON.stringify({ keys: [{ ...jwk, kid: "k", use: "jwt-svid" }] }), "spiffe-bundle");
    const issuer = { kind: "spiffe", trustDomain: TRUST, audience: "ambit", keys: bundle, delegator: { claim: "sub" }, agent: { id: "reviewer" } } as const;
    const proofs = createProofVerifier({ issuers: [{ ...issuer, tenant: { id: "tenant_1" } }], now: () => NOW });
    const { begun, known } = await scene(
      { [LOGIN]: LOGIN_USERS, [TRUST]: { ...LOGIN_USERS, roles: { claim: "roles" } } },
      { identity: undefined as never },
      { proofs },
    );
    const id = `spiffe://${TRUST}/bot`;
    for (const iss of [LOGIN, TRUST])
      expect(await begun(token({ iss, sub: id, ...rolesOf("crm-support"), roles: ["support"] }), { delegatorId: id })).toBe("begun");
    expect(await known(id)).toBeUndefined();
    expect(await known()).toBeUndefined();
  });

  it("that an application's own verifier does not show, or shows without a time, begin nothing", async () => {
    const own = (change: object): ProofVerifier => {
      const told = { kind: "oidc", issuer: LOGIN, subject: "user_1", tenantId: "tenant_1", delegatorId: "user_1", agentId: undefined, authenticatedAt: NOW };
      const claims = { iss: LOGIN, sub: "user_1", tid: "tenant_1", ...rolesOf("crm-support") };
      const shown = { ...told, issuedAt: NOW, expiresAt: NOW + 1000, jti: undefined, digest: "d", claims, ...change } as const;
      return { verify: async () => ({ verified: true, identity: shown as never }) };
    };
    const issuers = { [LOGIN]: LOGIN_USERS, [OTHER]: LOGIN_USERS };
    const outcome = async (change: object): Promise<string> => (await scene(issuers, {}, { proofs: own(change) })).begun(token());
    expect(await outcome({})).toBe("begun");
    for (const change of [
      { claims: undefined },
      { claims: { iss: OTHER, sub: "user_1", tid: "tenant_1", ...rolesOf("crm-support") } },
      { issuedAt: undefined },
    ])
      expect(await outcome(change)).toBe("proof_invalid");
    expect(await outcome({ issuedAt: Number.NaN })).toBe("state_unavailable");
  });

  it("that cannot be written begin nothing (I8)", async () => {
    const documents = createMemoryDocuments();
    let isUp = false;
    const failing: DocumentStore = { ...documents, put: (...row) => (isUp ? documents.put(...row) : Promise.reject(new Error("no route to 10.0.0.7"))) };
    const { begun } = await scene(undefined, {}, { documents: failing });
    expect(await begun(token(rolesOf("crm-support")))).toBe("state_unavailable");
    isUp = true;
    expect(await begun(token(rolesOf("crm-support")))).toBe("begun");
  });
});
