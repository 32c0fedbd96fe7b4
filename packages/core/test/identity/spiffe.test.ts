import { describe, expect, it } from "vitest";
import { fixedKeys } from "../../src/identity/jwks.ts";
import { AUDIENCE, idClaims, jwks, jwt, NOW, testKey, type TestKey } from "./issuer.ts";
import { ask, codeFor, codeIn, keyOf, spiffe } from "./proofs.ts";

describe("a JWT-SVID", () => {
  const ID = "spiffe://prod.example.org/ns/crm/sa/reviewer";
  const svid = (changes: object = {}): object => ({ iss: undefined, tid: undefined, iat: undefined, sub: ID, ...changes });

  it.each(["ES256", "RS256"])("signed with %s says which workload asks", async (alg) => {
    const token = await jwt(keyOf(alg), idClaims(svid({ iat: NOW - 10 })), { typ: undefined });
    expect(await ask(token, [spiffe()])).toMatchObject({
      verified: true,
      identity: {
        kind: "spiffe",
        issuer: "prod.example.org",
        subject: ID,
        delegatorId: ID,
        agentId: ID,
        tenantId: "tenant_acme",
        authenticatedAt: (NOW - 10) * 1000,
        issuedAt: (NOW - 10) * 1000,
        claims: { sub: ID, iat: NOW - 10 },
      },
    });
  });

  it.each<[string, string, object, object]>([
    ["verified", "typed JWT", {}, { typ: "JWT" }],
    ["verified", "typed JOSE", {}, { typ: "JOSE" }],
    ["verified", "for us in a list", { aud: [AUDIENCE] }, {}],
    ["verified", "of an issuer that nobody knows", { iss: "https://anybody.example" }, {}],
    ["proof_invalid", "typed otherwise", {}, { typ: "at+jwt" }],
    ["proof_invalid", "typed in small letters", {}, { typ: "jwt" }],
    ["proof_invalid", "with another header", {}, { x: 1 }],
    ["proof_invalid", "with a key in its header", {}, { jku: "https://evil.example" }],
    ["proof_invalid", "signed with Ed25519, which SVIDs are not", {}, { alg: "Ed25519" }],
    ["audience_mismatch", "for others as well", { aud: [AUDIENCE, "other"] }, {}],
    ["audience_mismatch", "for us twice", { aud: [AUDIENCE, AUDIENCE] }, {}],
    ["audience_mismatch", "for somebody else", { aud: "other" }, {}],
    ["audience_mismatch", "for nobody", { aud: undefined }, {}],
    ["proof_invalid", "without an end", { exp: undefined }, {}],
    ["proof_expired", "expired", { exp: NOW }, {}],
    ["proof_invalid", "from the future", { iat: NOW + 31 }, {}],
    ["proof_invalid", "of another trust domain", { sub: "spiffe://dev.example.org/ns/crm/sa/reviewer" }, {}],
    ["proof_invalid", "of a trust domain below", { sub: "spiffe://x.prod.example.org/a" }, {}],
    ["proof_invalid", "of the trust domain itself", { sub: "spiffe://prod.example.org" }, {}],
    ["proof_invalid", "of no path", { sub: "spiffe://prod.example.org/" }, {}],
    ["proof_invalid", "of a path that climbs", { sub: "spiffe://prod.example.org/ns/../admin" }, {}],
    ["proof_invalid", "of a path in capitals of another scheme", { sub: ID.toUpperCase() }, {}],
    ["proof_invalid", "of an id longer than ids are", { sub: `spiffe://prod.example.org/${"a".repeat(256)}` }, {}],
    ["proof_invalid", "of no subject", { sub: undefined }, {}],
    ["proof_invalid", "bound to a key", { cnf: {} }, {}],
  ])("answers %s when it is %s", async (code, _, claims, header) => {
    const alg = (header as { readonly alg?: string }).alg ?? "ES256";
    expect(await codeFor(svid(claims), [spiffe()], header, alg)).toBe(code);
  });

  it("is verified by the keys of its own trust domain only", async () => {
    const dev = await testKey("ES256", "ES256");
    const both = [spiffe(), spiffe({ trustDomain: "dev.example.org", keys: fixedKeys(jwks({ ...dev.jwk, use: "jwt-svid" }), "spiffe-bundle") })];
    const of = async (key: TestKey, domain: string): Promise<string> =>
      codeIn(await ask(await jwt(key, idClaims(svid({ sub: `spiffe://${domain}/a` }))), both));
    expect(await of(dev, "dev.example.org")).toBe("verified");
    expect(await of(dev, "prod.example.org")).toBe("proof_invalid");
    expect(await of(keyOf("ES256"), "dev.example.org")).toBe("proof_invalid");
  });

  it("has no nonce, and an age only where it says one", async () => {
    const token = await jwt(keyOf("ES256"), idClaims(svid({ nonce: "n" })));
    expect(codeIn(await ask(token, [spiffe()], { nonce: "n" }))).toBe("proof_invalid");
    expect(codeIn(await ask(token, [spiffe({ maxAge: 60 })]))).toBe("proof_invalid");
    expect(await codeFor(svid({ iat: NOW - 60 }), [spiffe({ maxAge: 60 })])).toBe("verified");
    expect(await codeFor(svid({ iat: NOW - 61 }), [spiffe({ maxAge: 60 })])).toBe("proof_expired");
    // Of a token without `iat` nothing says that the key had not ended before.
    const ended = fixedKeys(jwks({ ...keyOf("ES256").jwk, use: "jwt-svid", exp: NOW - 1 }), "spiffe-bundle");
    expect(await codeFor(svid(), [spiffe({ keys: ended })])).toBe("proof_invalid");
  });

  it("cannot name a workload of another trust domain in another claim", async () => {
    const issuer = spiffe({ delegator: { claim: "owner" } });
    expect(await codeFor(svid({ owner: "team-crm" }), [issuer])).toBe("verified");
    expect(await codeFor(svid({ owner: "spiffe://prod.example.org/owner" }), [issuer])).toBe("verified");
    expect(await codeFor(svid({ owner: "spiffe://dev.example.org/owner" }), [issuer])).toBe("proof_invalid");
  });
});
