import { Buffer } from "node:buffer";
import { createHmac, createPublicKey } from "node:crypto";
import fc from "fast-check";
import { base64url, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, it } from "vitest";
import { fixedKeys } from "../../src/identity/jwks.ts";
import { createProofVerifier, type ProofIssuer } from "../../src/identity/proof.ts";
import { memoryReplay } from "../../src/token/replay.ts";
import { AUDIENCE, idClaims, ISSUER, jwks, jwt, NOW, testKey, type TestKey } from "./issuer.ts";
import { ALGORITHMS, ask, codeFor, codeIn, keyOf, oidc, source, spiffe } from "./proofs.ts";

/** A token of parts that no library would write. */
async function raw(header: string, payload: string, key: TestKey = keyOf("ES256")): Promise<string> {
  const input = `${base64url.encode(header)}.${base64url.encode(payload)}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, Buffer.from(input));
  return `${input}.${base64url.encode(new Uint8Array(signature))}`;
}
const HEADER = '{"alg":"ES256","kid":"ES256","typ":"JWT"}';

describe("an ID token", () => {
  it.each(ALGORITHMS)("signed with %s says who asks", async (alg) => {
    const claims = idClaims({ jti: "id-1" });
    const answer = await ask(await jwt(keyOf(alg), claims));
    expect(answer).toStrictEqual({
      verified: true,
      identity: {
        kind: "oidc",
        issuer: ISSUER,
        subject: "user_7f3a91",
        tenantId: "tenant_acme",
        delegatorId: "user_7f3a91",
        agentId: undefined,
        authenticatedAt: (NOW - 10) * 1000,
        issuedAt: (NOW - 10) * 1000,
        expiresAt: (NOW + 300) * 1000,
        jti: "id-1",
        digest: expect.stringMatching(/^[\w-]{43}$/) as string,
        claims: { ...claims },
      },
    });
  });

  it("may call Ed25519 by its old name", async () => {
    const [listed] = source.keys().filter(({ kid }) => kid === "Ed25519");
    expect(listed?.key?.algorithm).toBe("Ed25519");
    const token = await new SignJWT(idClaims()).setProtectedHeader({ alg: "EdDSA", kid: "Ed25519" }).sign(keyOf("Ed25519").privateKey);
    expect(codeIn(await ask(token))).toBe("verified");
  });

  it("says when the delegator was there, and which agent it is for where the configuration asks that", async () => {
    const issuer = oidc({ agent: { claim: "azp" }, clients: ["renewal-reviewer"], delegator: { claim: "email", prefix: "mail:" } });
    const claims = idClaims({ auth_time: NOW - 500, azp: "renewal-reviewer", email: "a@example.com" });
    expect(await ask(await jwt(keyOf("Ed25519"), claims), [issuer])).toMatchObject({
      identity: { authenticatedAt: (NOW - 500) * 1000, agentId: "renewal-reviewer", delegatorId: "mail:a@example.com" },
    });
  });

  it("is refused when it is signed as nobody may sign", async () => {
    const { jwk } = keyOf("RS256");
    const claims = idClaims();
    const pem = createPublicKey({ key: jwk as never, format: "jwk" }).export({ format: "pem", type: "spki" });
    const secrets = [pem as string, JSON.stringify(jwk), jwk.n as string, base64url.decode(jwk.n as string), Buffer.alloc(0)];
    for (const secret of secrets) {
      const input = ["HS256", "RS256"].map((alg) => `${base64url.encode(JSON.stringify({ alg, kid: "RS256" }))}.${base64url.encode(JSON.stringify(claims))}`);
      for (const text of input) expect(codeIn(await ask(`${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`))).toBe("proof_invalid");
    }
    expect(codeIn(await ask(new UnsecuredJWT(claims).encode()))).toBe("proof_invalid");
    for (const alg of ["none", "None", "NONE", "", "constructor", "__proto__", "es256", "ES256K", "HS512", "dir", "ML-DSA-44"]) {
      expect(codeIn(await ask(await raw(JSON.stringify({ alg, kid: "ES256" }), JSON.stringify(claims))))).toBe("proof_invalid");
    }
  });

  it("is refused when its algorithm is not that of its key", async () => {
    const signed = await jwt(keyOf("ES256"), idClaims(), { kid: "RS256" });
    expect(codeIn(await ask(signed))).toBe("proof_invalid");
    const [, payload, signature] = (await jwt(keyOf("RS256"))).split(".");
    for (const alg of ["ES256", "PS256", "RS384", "RS512"]) {
      const header = base64url.encode(JSON.stringify({ alg, kid: "RS256", typ: "JWT" }));
      expect(codeIn(await ask(`${header}.${payload}.${signature}`))).toBe("proof_invalid");
    }
    // A key that says which algorithm it is for is for no other of its kind.
    const only = [oidc({ keys: fixedKeys(jwks({ ...keyOf("RS256").jwk, alg: "PS256" })) })];
    expect(codeIn(await ask(await jwt(keyOf("RS256")), only))).toBe("proof_invalid");
    expect(codeIn(await ask(await jwt(keyOf("ES256")), [oidc({ algorithms: ["RS256"] })]))).toBe("proof_invalid");
  });

  it("is refused with a key that it brings along itself", async () => {
    const mine = await testKey("ES256", "mine");
    for (const header of [
      { jwk: mine.jwk },
      { kid: undefined, jwk: mine.jwk },
      { jku: "https://evil.example/jwks" },
      { x5u: "https://evil.example/" },
      { kid: "../../dev/null" },
    ]) {
      expect(codeIn(await ask(await jwt(mine, idClaims(), header)))).toBe("proof_invalid");
    }
    expect(codeIn(await ask(await jwt(mine, idClaims(), { kid: "ES256" })))).toBe("proof_invalid");
  });

  it("may leave out which key it is signed with only where there is one", async () => {
    expect(codeIn(await ask(await jwt(keyOf("ES256"), idClaims(), { kid: undefined })))).toBe("verified");
    const twins = [oidc({ keys: fixedKeys(jwks(keyOf("ES256"), await testKey("ES256", "twin"))) })];
    expect(codeIn(await ask(await jwt(keyOf("ES256"), idClaims(), { kid: undefined }), twins))).toBe("proof_invalid");
    expect(codeIn(await ask(await jwt(keyOf("ES256")), twins))).toBe("verified");
  });

  it.each<[string, string, object]>([
    ["proof_invalid", "of another issuer", { iss: "https://evil.example" }],
    ["proof_invalid", "of an issuer with a slash more", { iss: `${ISSUER}/` }],
    ["proof_invalid", "of an issuer in other letters", { iss: ISSUER.toUpperCase() }],
    ["proof_invalid", "of a list of issuers", { iss: [ISSUER] }],
    ["proof_invalid", "of no issuer", { iss: undefined }],
    ["audience_mismatch", "for somebody else", { aud: "https://other.example.com" }],
    ["audience_mismatch", "for a name that begins like ours", { aud: `${AUDIENCE}.evil.example` }],
    ["audience_mismatch", "for nobody", { aud: undefined }],
    ["audience_mismatch", "for an empty list", { aud: [] }],
    ["audience_mismatch", "for a list with something else in it", { aud: [AUDIENCE, 1], azp: AUDIENCE }],
    ["audience_mismatch", "for an object", { aud: { [AUDIENCE]: true } }],
    ["proof_invalid", "for several, without the client", { aud: [AUDIENCE, "other"] }],
    ["proof_invalid", "for several, for another client", { aud: [AUDIENCE, "other"], azp: "other" }],
    ["proof_invalid", "for another client", { azp: "other" }],
    ["proof_invalid", "for a list of clients", { azp: [AUDIENCE] }],
    ["verified", "for several, for us", { aud: ["other", AUDIENCE], azp: AUDIENCE }],
    ["proof_expired", "expired", { exp: NOW - 1 }],
    ["proof_expired", "expiring now", { exp: NOW }],
    ["verified", "expiring next", { exp: NOW + 1 }],
    ["proof_invalid", "without an end", { exp: undefined }],
    ["proof_invalid", "with an end that is text", { exp: `${NOW + 300}` }],
    ["proof_invalid", "with an end between two seconds", { exp: NOW + 300.5 }],
    ["proof_invalid", "with an end in milliseconds", { exp: (NOW + 300) * 1000 }],
    ["proof_invalid", "with an end beyond all numbers", { exp: 1e300 }],
    ["proof_invalid", "with no beginning", { iat: undefined }],
    ["proof_invalid", "from the future", { iat: NOW + 31 }],
    ["verified", "from a clock that is a little ahead", { iat: NOW + 30 }],
    ["proof_invalid", "from before our era", { iat: -1 }],
    ["proof_invalid", "expiring before it was issued", { iat: NOW + 20, exp: NOW + 10 }],
    ["proof_invalid", "not valid yet", { nbf: NOW + 31 }],
    ["proof_invalid", "valid from a text", { nbf: "now" }],
    ["verified", "valid from now", { nbf: NOW }],
    ["proof_invalid", "with a delegator from the future", { auth_time: NOW + 31 }],
    ["proof_invalid", "with a delegator at no time", { auth_time: "now" }],
    ["proof_invalid", "without a subject", { sub: undefined }],
    ["proof_invalid", "with an empty subject", { sub: "" }],
    ["proof_invalid", "with a subject that is a number", { sub: 7 }],
    ["proof_invalid", "with a subject with a space", { sub: "user 7" }],
    ["proof_invalid", "with a subject with a line feed", { sub: "user_7\n" }],
    ["proof_invalid", "with a subject that looks like another", { sub: "us\u0435r_7f3a91" }],
    ["proof_invalid", "with a subject of 257 characters", { sub: "u".repeat(257) }],
    ["verified", "with a subject of 256 characters", { sub: "u".repeat(256) }],
    ["verified", "with a subject that objects inherit", { sub: "__proto__" }],
    ["proof_invalid", "with a workload as its subject", { sub: "spiffe://prod.example.org/billing" }],
    ["proof_invalid", "with nearly a workload as its subject", { sub: "SPIFFE://prod.example.org/billing" }],
    ["tenant_mismatch", "without a tenant", { tid: undefined }],
    ["tenant_mismatch", "with a tenant that is no text", { tid: ["tenant_acme"] }],
    ["tenant_mismatch", "with a tenant that is no id", { tid: "tenant acme" }],
    ["tenant_mismatch", "for a tenant of others", { tid: "tenant_other" }],
    ["proof_invalid", "that is bound to a key", { cnf: { jkt: "x" } }],
    ["proof_invalid", "that tells of a logout", { events: { "http://schemas.openid.net/event/backchannel-logout": {} } }],
  ])("answers %s when it is %s", async (code, _, claims) => {
    expect(await codeFor(claims)).toBe(code);
  });

  it("is refused with a tenant that is no id, be its issuer for any", async () => {
    const issuers = [oidc({ tenant: { claim: "tid", among: "any" } })];
    for (const tid of ["tenant acme", "", "t".repeat(257), "tenant_acme\n", 7, null]) expect(await codeFor({ tid }, issuers)).toBe("tenant_mismatch");
    expect(await codeFor({ tid: "tenant_x" }, issuers)).toBe("verified");
  });

  it("may be of somebody with the name of a workload where that is not taken for an id", async () => {
    const issuers = [oidc({ delegator: { claim: "email" } })];
    expect(await codeFor({ sub: "spiffe://prod.example.org/a", email: "a@example.com" }, issuers)).toBe("verified");
    // Where the trust domain is configured as well, it is one of its SVIDs or nothing.
    const token = await jwt(keyOf("ES256"), idClaims({ sub: "spiffe://prod.example.org/a", email: "a@example.com" }));
    expect(await ask(token, [...issuers, spiffe()])).toMatchObject({ identity: { kind: "spiffe", delegatorId: "spiffe://prod.example.org/a" } });
    expect(await codeFor({ sub: "spiffe://prod.example.org/a", email: "a@example.com" }, [...issuers, spiffe()], {}, "Ed25519")).toBe("proof_invalid");
  });

  it("is refused with any one character changed, and nothing is thrown", async () => {
    const token = await jwt(keyOf("ES256"));
    const verifier = createProofVerifier({ issuers: [oidc()], now: () => NOW * 1000 });
    const character = fc.oneof(fc.constantFrom(..."AZaz09-_.=+/ \n\0é"), fc.string({ minLength: 0, maxLength: 2, unit: "grapheme" }));
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), character, async (at, other) => {
        const changed = `${token.slice(0, at)}${other}${token.slice(at + 1)}`;
        expect((await verifier.verify(changed)).verified).toBe(changed === token);
      }),
      { numRuns: 500 },
    );
  });

  it("is refused without a tenant claim that somebody wrote into the prototype", async () => {
    expect(await codeFor({}, [oidc({ tenant: { claim: "toString", among: "any" } })])).toBe("tenant_mismatch");
    expect(await codeFor({}, [oidc({ delegator: { claim: "constructor" } })])).toBe("proof_invalid");
  });

  it.each(["at+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "aat+jwt", "jwt", "JOSE", ""])("is no token of type %j", async (typ) => {
    expect(await codeFor({}, undefined, { typ })).toBe("proof_invalid");
  });

  it("is read without the freedoms of JSON and base64url", async () => {
    const payload = JSON.stringify(idClaims());
    expect(codeIn(await ask(await raw(HEADER, payload)))).toBe("verified");
    const twice = `${payload.slice(0, -1)},"sub":"admin"}`;
    const escaped = `${payload.slice(0, -1)},"\\u0073ub":"admin"}`;
    for (const text of [
      twice,
      escaped,
      `${payload} x`,
      `[${payload}]`,
      "null",
      "",
      payload.replace("}", ',"__proto__":{}}'),
      payload.replace("}", ',"x":"\\ud800"}'),
    ]) {
      expect(codeIn(await ask(await raw(HEADER, text)))).toBe("proof_invalid");
    }
    for (const header of [
      '{"alg":"ES256","alg":"none","kid":"ES256"}',
      '{"alg":"ES256","kid":"ES256","crit":["exp"],"exp":1}',
      '{"alg":"ES256","kid":"ES256","crit":[]}',
      '{"alg":"ES256","kid":"ES256","b64":true}',
      '{"alg":["ES256"],"kid":"ES256"}',
      '{"alg":"ES256","kid":1}',
      '{"alg":"ES256","kid":"ES256","typ":null}',
      "[]",
      "",
    ]) {
      expect(codeIn(await ask(await raw(header, payload)))).toBe("proof_invalid");
    }
    const token = await raw(HEADER, payload);
    const [head, body, signature] = token.split(".") as [string, string, string];
    for (const text of [
      `${token}=`,
      ` ${token}`,
      `${token}\n`,
      `${token}.`,
      `${head}.${body}`,
      `${head}..${signature}`,
      `${head}.${body}.`,
      `${head}\n.${body}.${signature}`,
    ]) {
      expect(codeIn(await ask(text))).toBe("proof_invalid");
    }
    const json = { payload: body, protected: head, signature };
    for (const value of [undefined, null, 1, {}, [token], Buffer.from(token), json, JSON.stringify(json), new String(token)]) {
      expect(codeIn(await ask(value))).toBe("proof_invalid");
    }
  });

  it("is refused when it is large, before anybody reads it", async () => {
    const most = await jwt(keyOf("ES256"), idClaims({ filler: "x".repeat(11_800) }));
    expect(most.length).toBeLessThan(16_384);
    expect(codeIn(await ask(most))).toBe("verified");
    expect(await codeFor({ filler: "x".repeat(12_400) })).toBe("proof_invalid");
    expect(codeIn(await ask("a.".repeat(5_000_000)))).toBe("proof_invalid");
  });

  it("has the nonce that was asked for", async () => {
    const token = await jwt(keyOf("ES256"), idClaims({ nonce: "n-1" }));
    expect(codeIn(await ask(token, undefined, { nonce: "n-1" }))).toBe("verified");
    expect(codeIn(await ask(token, undefined, {}))).toBe("verified");
    expect(codeIn(await ask(token, undefined, { nonce: "n-2" }))).toBe("proof_invalid");
    expect(codeIn(await ask(token, undefined, { nonce: "" }))).toBe("proof_invalid");
    expect(codeIn(await ask(await jwt(keyOf("ES256")), undefined, { nonce: "n-1" }))).toBe("proof_invalid");
    expect(codeIn(await ask(await jwt(keyOf("ES256"), idClaims({ nonce: "" })), undefined, { nonce: "" }))).toBe("proof_invalid");
  });

  it("is as young as was asked for", async () => {
    expect(await codeFor({ iat: NOW - 60 }, [oidc({ maxAge: 60 })])).toBe("verified");
    expect(await codeFor({ iat: NOW - 61 }, [oidc({ maxAge: 60 })])).toBe("proof_expired");
  });

  it("counts only for what its key may have signed", async () => {
    const within = (times: object): readonly ProofIssuer[] => [oidc({ keys: fixedKeys(jwks({ ...keyOf("ES256").jwk, ...times })) })];
    expect(await codeFor({ iat: NOW - 10 }, within({ nbf: NOW - 10, exp: NOW - 10 }))).toBe("verified");
    expect(await codeFor({ iat: NOW - 9 }, within({ exp: NOW - 10 }))).toBe("proof_invalid");
    expect(await codeFor({ iat: NOW - 11 }, within({ nbf: NOW - 10 }))).toBe("proof_invalid");
  });

  it("is denied by a clock that is none", async () => {
    expect(codeIn(await ask(await jwt(keyOf("ES256")), undefined, {}, Number.NaN))).toBe("proof_expired");
  });

  it("can be taken once by its digest, however its signature is spelled", async () => {
    const token = await jwt(keyOf("ES256"));
    // The other root of the same signature: s and n − s verify alike.
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const [head, body, signature] = token.split(".") as [string, string, string];
    const bytes = Buffer.from(signature, "base64url");
    const s = n - BigInt(`0x${bytes.subarray(32).toString("hex")}`);
    const twin = `${head}.${body}.${Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, "0"), "hex")]).toString("base64url")}`;
    const [first, second] = [await ask(token), await ask(twin)];
    if (!first.verified || !second.verified) throw new Error("refused");
    expect(twin).not.toBe(token);
    const replay = memoryReplay(() => NOW * 1000);
    expect(await replay.take(first.identity.digest, first.identity.expiresAt)).toBe(true);
    expect(await replay.take(second.identity.digest, second.identity.expiresAt)).toBe(false);
  });
});
