import { createProofVerifier, fixedKeys } from "@ambit/core/identity";
import { createPdpService, secretDigest, type Caller, type Connection, type PdpService, type Role } from "@ambit/pdp/server";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { BEGIN, NOW, outcomeOf, rejection } from "../support/fixture.ts";
import { signedFixture } from "../support/signed.ts";
import { CALLERS, ENFORCER, OBSERVER, OPERATOR, serviceScene } from "./scene.ts";

const URL_OF_SERVICE = "https://pdp.example";
const ISSUER = "https://login.example";
const FINGERPRINT = Array.from({ length: 32 }, () => "AB").join(":");
const NAME = "URI:spiffe://example.org/gateway";

async function service(callers: readonly Caller[] = CALLERS): Promise<PdpService> {
  const { pdp } = await signedFixture();
  return createPdpService({ pdp, url: URL_OF_SERVICE, callers });
}

const asked = (path: string, headers: Record<string, string> = {}, method = "GET"): Request =>
  new Request(URL_OF_SERVICE + path, { method, headers: { "content-type": "application/json", ...headers }, ...(method === "GET" ? {} : { body: "{}" }) });
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const statusOf = async (to: PdpService, request: Request, connection?: Connection): Promise<number> => (await to.fetch(request, connection)).status;

/** What each role may ask; the bodies are empty, so what is let in is malformed. */
const ASKED: readonly (readonly [path: string, method: "GET" | "POST", role: Role, allowed: number])[] = [
  ["/ambit/v1/terms", "GET", "enforce", 200],
  ["/ambit/v1/begin", "POST", "enforce", 400],
  ["/ambit/v1/introduce", "POST", "enforce", 400],
  ["/ambit/v1/decide", "POST", "enforce", 400],
  ["/ambit/v1/redeem", "POST", "enforce", 400],
  ["/ambit/v1/settle", "POST", "enforce", 400],
  ["/ambit/v1/end", "POST", "enforce", 400],
  ["/ambit/v1/revoke", "POST", "operate", 400],
  ["/metrics", "GET", "observe", 200],
];

describe("who asks", () => {
  it.each(ASKED)("%s is known, and may: nobody else is let in", async (path, method, role, allowed) => {
    const to = await service();
    const secrets: readonly (readonly [Role, string])[] = [
      ["enforce", ENFORCER],
      ["operate", OPERATOR],
      ["observe", OBSERVER],
    ];
    for (const [has, secret] of secrets) {
      const answer = await to.fetch(asked(path, bearer(secret), method));
      expect([has, answer.status]).toEqual([has, has === role ? allowed : 403]);
      if (has !== role) expect(answer.headers.get("www-authenticate")).toBe(`Bearer realm="ambit", error="insufficient_scope", scope="${role}"`);
    }
    const nobody = await to.fetch(asked(path, {}, method));
    expect(nobody.status).toBe(401);
    expect(nobody.headers.get("www-authenticate")).toBe('Bearer realm="ambit"');
  });

  it("shows the secret itself, in the header that is for it, and in no other way", async () => {
    const to = await service();
    const wrong: readonly Record<string, string>[] = [
      bearer(`${ENFORCER}x`),
      bearer(ENFORCER.slice(0, -1)),
      bearer(ENFORCER.toUpperCase()),
      bearer(secretDigest(ENFORCER)),
      bearer(secretDigest(ENFORCER).slice(8)),
      { authorization: `Basic ${ENFORCER}` },
      { authorization: ENFORCER },
      { authorization: "Bearer" },
      { authorization: "Bearer " },
      { authorization: `Bearer ${ENFORCER}, Bearer ${ENFORCER}` },
      { authorization: `Bearer ${ENFORCER} x` },
    ];
    for (const headers of wrong) {
      const answer = await to.fetch(asked("/ambit/v1/terms", headers));
      expect([headers, answer.status]).toEqual([headers, 401]);
      expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="ambit", error="invalid_token"');
    }
    for (const headers of [bearer(ENFORCER), { authorization: `bearer ${ENFORCER}` }, { authorization: `BEARER  ${ENFORCER}` }])
      expect(await statusOf(to, asked("/ambit/v1/terms", headers))).toBe(200);
    for (const headers of [{ "x-api-key": ENFORCER }, { cookie: `token=${ENFORCER}` }]) expect(await statusOf(to, asked("/ambit/v1/terms", headers))).toBe(401);
    expect(await statusOf(to, asked(`/ambit/v1/terms?access_token=${ENFORCER}`, bearer(ENFORCER)))).toBe(400);
  });

  it("is nobody where no callers are configured", async () => {
    const to = await service([]);
    for (const [path, method] of ASKED) expect(await statusOf(to, asked(path, bearer(ENFORCER), method))).toBe(401);
  });

  it("is known by a token of an issuer, where it is one of those whose tokens are taken", async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const keys = fixedKeys(JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256" }] }));
    const proofs = createProofVerifier({
      now: () => NOW,
      issuers: [{ kind: "oidc", issuer: ISSUER, audience: URL_OF_SERVICE, keys, tenant: { id: "tenant_1" } }],
    });
    const token = (subject: string, audience = URL_OF_SERVICE, expires = 300): Promise<string> =>
      new SignJWT({})
        .setProtectedHeader({ alg: "ES256", kid: "k" })
        .setIssuer(ISSUER)
        .setAudience(audience)
        .setSubject(subject)
        .setIssuedAt(NOW / 1000)
        .setExpirationTime(NOW / 1000 + expires)
        .sign(privateKey);
    const caller: Caller = { kind: "jwt", name: "workloads", proofs, subjects: [{ issuer: ISSUER, subject: "gateway" }], roles: ["enforce"], tenants: "any" };
    const to = await service([...CALLERS, caller]);
    const terms = (headers: Record<string, string>): Promise<number> => statusOf(to, asked("/ambit/v1/terms", headers));
    expect(await terms(bearer(await token("gateway")))).toBe(200);
    expect(await terms(bearer(await token("user_1")))).toBe(401);
    expect(await terms(bearer(await token("gateway", "https://other.example")))).toBe(401);
    expect(await terms(bearer(await token("gateway", URL_OF_SERVICE, -100)))).toBe(401);
    expect(await terms(bearer(`${(await token("gateway")).slice(0, -8)}AAAAAAAA`))).toBe(401);
    expect(await statusOf(to, asked("/metrics", bearer(await token("gateway"))))).toBe(403);
    const open = await service([{ ...caller, subjects: "any" }]);
    expect(await statusOf(open, asked("/ambit/v1/terms", bearer(await token("user_1"))))).toBe(200);
  });

  it("is known by a certificate that whoever ends TLS has verified, and not by what a header says of one", async () => {
    const to = await service([
      { kind: "mtls", name: "pinned", fingerprints: [FINGERPRINT], roles: ["enforce"], tenants: "any" },
      { kind: "mtls", name: "named", subjects: [NAME], roles: ["observe"], tenants: [] },
      ...CALLERS,
    ]);
    const terms = asked("/ambit/v1/terms");
    expect(await statusOf(to, terms, { certificate: { fingerprint256: FINGERPRINT, names: [] } })).toBe(200);
    expect(await statusOf(to, terms, { certificate: { fingerprint256: FINGERPRINT.toLowerCase(), names: [] } })).toBe(401);
    expect(await statusOf(to, terms, { certificate: { fingerprint256: "x", names: [NAME] } })).toBe(403);
    expect(await statusOf(to, asked("/metrics"), { certificate: { fingerprint256: "x", names: ["DNS:a", NAME] } })).toBe(200);
    expect(await statusOf(to, asked("/metrics"), { certificate: { fingerprint256: "x", names: [`${NAME}/x`] } })).toBe(401);
    expect(await statusOf(to, asked("/ambit/v1/terms", { "x-client-cert": FINGERPRINT, "x-forwarded-client-cert": NAME }))).toBe(401);
    // A bad token is not made good by the connection that it comes over.
    expect(await statusOf(to, asked("/ambit/v1/terms", bearer("x".repeat(40))), { certificate: { fingerprint256: FINGERPRINT, names: [] } })).toBe(401);
  });

  it("is told apart by configuration that cannot be anybody's", async () => {
    const keys = { keys: () => [], ready: async () => undefined };
    const proofs = createProofVerifier({ issuers: [{ kind: "oidc", issuer: ISSUER, audience: "a", keys, tenant: { id: "t" } }] });
    const rules = { name: "x", roles: ["enforce"], tenants: "any" } as const;
    const bad: readonly object[] = [
      { ...rules, kind: "secret", digest: ENFORCER },
      { ...rules, kind: "secret", digest: "" },
      { ...rules, kind: "secret" },
      { ...rules, kind: "mtls" },
      { ...rules, kind: "mtls", fingerprints: [], subjects: [] },
      { ...rules, kind: "mtls", fingerprints: ["AB"] },
      { ...rules, kind: "mtls", subjects: ["CN=gateway"] },
      { ...rules, kind: "jwt", proofs },
      { ...rules, kind: "jwt", proofs, subjects: [] },
      { ...rules, kind: "jwt", subjects: "any" },
      { ...rules, kind: "none" },
      { ...rules, kind: "secret", digest: secretDigest(ENFORCER), roles: [] },
      { ...rules, kind: "secret", digest: secretDigest(ENFORCER), roles: ["admin"] },
      { ...rules, kind: "secret", digest: secretDigest(ENFORCER), tenants: undefined },
      { ...rules, kind: "secret", digest: secretDigest(ENFORCER), tenants: ["a b"] },
      { ...rules, kind: "secret", digest: secretDigest(ENFORCER), name: "" },
    ];
    for (const caller of bad) expect(await rejection(service([caller as Caller]))).toBe("option_invalid");
    expect(() => secretDigest("too short")).toThrow(expect.objectContaining({ code: "option_invalid" }));
  });
});

describe("what a caller may not do", () => {
  const limited = (change: Partial<Caller>): readonly Caller[] => [{ ...CALLERS[0], ...change } as Caller, ...CALLERS.slice(1)];

  it("is begin a task on its own word for the delegator, unless that was said", async () => {
    const { pep, records } = await serviceScene({}, {}, { callers: limited({ roles: ["enforce"] }) });
    expect(await rejection(pep.begin(BEGIN))).toBe("proof_invalid");
    expect(records()).toMatchObject([{ kind: "begin", details: { decision: "deny", code: "proof_invalid" } }]);
  });

  it("is begin tasks of other tenants than its own", async () => {
    const { pep } = await serviceScene({}, {}, { callers: limited({ tenants: ["tenant_2"] }) });
    expect(await rejection(pep.begin(BEGIN))).toBe("tenant_mismatch");
  });

  it("is revoke for other tenants than its own, or without being asked who it is", async () => {
    const { pep, url, records } = await serviceScene();
    const task = await pep.begin(BEGIN);
    const revoke = async (secret: string, body: object): Promise<number> =>
      (
        await fetch(`${url}/ambit/v1/revoke`, {
          method: "POST",
          headers: { ...bearer(secret), "content-type": "application/json" },
          body: JSON.stringify(body),
        })
      ).status;
    expect(await revoke(OPERATOR, { tenant_id: "tenant_2", scope: "tenant" })).toBe(403);
    expect(await revoke(ENFORCER, { tenant_id: "tenant_1", scope: "tenant" })).toBe(403);
    expect(await revoke(OPERATOR, { tenant_id: "tenant_1", scope: "tenant", by: "somebody_else" })).toBe(400);
    expect(await revoke(OPERATOR, { tenant_id: "tenant_1", scope: "task" })).toBe(400);
    const read = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
    expect(await outcomeOf(pep, task, ...read)).toBe("permit");
    expect(await revoke(OPERATOR, { tenant_id: "tenant_1", scope: "delegator", id: "user_1", reason: "left the company" })).toBe(200);
    expect(await outcomeOf(pep, task, ...read)).toBe("envelope_revoked");
    expect(records().find(({ kind }) => kind === "revoke")).toMatchObject({ details: { by: "ops", reason: "left the company" } });
  });
});
