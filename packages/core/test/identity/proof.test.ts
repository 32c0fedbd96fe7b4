import { afterEach, describe, expect, it } from "vitest";
import type { KeySource } from "../../src/identity/key-source.ts";
import { createProofVerifier, type ProofIssuer } from "../../src/identity/proof.ts";
import type { IdSource } from "../../src/identity/proven-identity.ts";
import { remoteJwks } from "../../src/identity/remote-jwks.ts";
import { codeOf } from "../support/codes.ts";
import { idClaims, ISSUER, jwks, jwt, NOW, send, serve, testKey, type TestKey, type TestServer } from "./issuer.ts";
import { ask, codeFor, codeIn, keyOf, oidc, source, spiffe } from "./proofs.ts";

describe("the keys of an issuer", () => {
  const open: TestServer[] = [];
  afterEach(async () => {
    for (const server of open.splice(0)) await server.close();
  });

  it("may change while it runs: what they sign is taken, what is gone verifies nothing, and made-up names ask nobody", async () => {
    let at = NOW;
    const [old, next] = [await testKey("RS256", "old"), await testKey("ES256", "next")];
    const server = await serve(send(jwks(old)));
    open.push(server);
    const remote = remoteJwks({ url: server.url, allowLoopback: true, now: () => at * 1000 });
    const verifier = createProofVerifier({ issuers: [oidc({ keys: remote })], now: () => at * 1000 });
    const tokenOf = (key: TestKey, header?: object): Promise<string> => jwt(key, idClaims({ iat: at, exp: at + 3600 }), header);
    const code = async (token: string): Promise<string> => codeIn(await verifier.verify(token));

    const early = await tokenOf(old);
    expect(await code(early)).toBe("verified");
    server.answer = send(jwks(old, next));
    at += 31;
    expect(await code(await tokenOf(next))).toBe("verified");
    expect(await code(early)).toBe("verified");
    expect(server.requests()).toBe(2);
    for (let index = 0; index < 50; index++) expect(await code(await tokenOf(next, { kid: `made-up ${index}` }))).toBe("proof_invalid");
    expect(server.requests()).toBe(2);
    server.answer = send(jwks(next));
    at += 600;
    expect(await code(early)).toBe("proof_invalid");
    expect(await code(await tokenOf(next))).toBe("verified");
    expect(server.requests()).toBe(3);
    server.answer = send("no", "text/plain", 503);
    at += 3599;
    expect(await code(await tokenOf(next))).toBe("verified");
    at += 1;
    expect(await code(await tokenOf(next))).toBe("state_unavailable");
    server.answer = send(jwks(next));
    at += 30;
    expect(await code(await tokenOf(next))).toBe("verified");
  });

  it("that cannot be known deny, whatever the source throws", async () => {
    const broken: readonly KeySource[] = [
      { keys: () => source.keys(), ready: () => Promise.reject(new Error("down")) },
      {
        keys: () => source.keys(),
        ready: () => {
          throw new Error("down");
        },
      },
      {
        keys: () => {
          throw new Error("down");
        },
        ready: async () => undefined,
      },
    ];
    for (const one of broken) expect(await codeFor({}, [oidc({ keys: one })])).toBe("state_unavailable");
  });

  it("that are no keys verify nothing", async () => {
    const [listed] = source.keys().filter(({ kid }) => kid === "ES256");
    const off = { ...listed, jwk: { kty: "EC", crv: "P-256", x: "AAAA", y: "AAAA" } } as never;
    expect(await codeFor({}, [oidc({ keys: { keys: () => [off], ready: async () => undefined } })])).toBe("proof_invalid");
  });
});

describe("issuers", () => {
  const OTHER = "https://other.example.com";
  const any = { claim: "tid", among: "any" } as const;

  it.each<[string, () => readonly ProofIssuer[]]>([
    ["are none", () => []],
    ["are twice the same", () => [oidc(), oidc({ audience: "x" })]],
    ["are twice one trust domain", () => [spiffe(), spiffe()]],
    ["are of an unknown kind", () => [{ ...oidc(), kind: "saml" } as never]],
    ["have no name", () => [oidc({ issuer: "" })]],
    ["have no trust domain", () => [spiffe({ trustDomain: "spiffe://prod.example.org" })]],
    ["are for nobody", () => [oidc({ audience: "" })]],
    ["issue unknown tokens", () => [oidc({ token: "refresh_token" as never })]],
    ["sign with a secret", () => [oidc({ algorithms: ["RS256", "HS256"] })]],
    ["sign with nothing", () => [oidc({ algorithms: ["none"] })]],
    ["sign not at all", () => [oidc({ algorithms: [] })]],
    ["sign SVIDs with Ed25519", () => [spiffe({ algorithms: ["Ed25519"] })]],
    ["serve clients that are no list", () => [oidc({ clients: "app" as never })]],
    ["serve clients without a name", () => [oidc({ clients: [""] })]],
    ["want proofs of no age", () => [oidc({ maxAge: 0 })]],
    ["want proofs of an age that is no number", () => [oidc({ maxAge: Number.NaN })]],
    ["speak for a tenant that is no id", () => [oidc({ tenant: { id: "" } })]],
    ["speak for no tenant", () => [oidc({ tenant: { claim: "tid", among: [] } })]],
    ["do not say for which tenants they speak", () => [oidc({ tenant: { claim: "tid" } as never })]],
    ["take the tenant from no claim", () => [oidc({ tenant: { claim: "", among: "any" } })]],
    ["take the delegator from no claim", () => [oidc({ delegator: { claim: "" } })]],
    ["name an agent that is no id", () => [oidc({ agent: { id: "a b" } })]],
    ["put something before an id that cannot be in one", () => [oidc({ delegator: { claim: "sub", prefix: "a b" } })]],
    ["can name one person twice", () => [oidc(), oidc({ issuer: OTHER })]],
    ["can name one person twice in any tenant", () => [oidc({ tenant: any }), oidc({ issuer: OTHER, tenant: { id: "tenant_x" } })]],
    [
      "can name one person twice by a prefix of a prefix",
      () => {
        const of = (prefix: string): IdSource => ({ claim: "sub", prefix });
        return [oidc({ delegator: of("a") }), oidc({ issuer: OTHER, delegator: of("ab") })];
      },
    ],
    ["can name somebody of the configuration", () => [oidc(), oidc({ issuer: OTHER, delegator: { id: "user_1" } })]],
    [
      "can name one agent twice",
      () => {
        const agent = { claim: "azp" };
        return [oidc({ agent, delegator: { id: "a" } }), oidc({ issuer: OTHER, agent, delegator: { id: "b" } })];
      },
    ],
  ])("that %s are refused", (_, issuers) => {
    expect(codeOf(() => createProofVerifier({ issuers: issuers() }))).toBe("option_invalid");
  });

  it("stand side by side when their tenants or what stands before their ids differ", async () => {
    const issuers = [
      oidc({ delegator: { claim: "sub", prefix: "corp:" } }),
      oidc({ issuer: OTHER, delegator: { claim: "sub", prefix: "partner:" } }),
      oidc({ issuer: "https://third.example.com", tenant: { id: "tenant_third" } }),
      spiffe(),
      spiffe({ trustDomain: "dev.example.org" }),
    ];
    const of = async (iss: string): Promise<unknown> => ask(await jwt(keyOf("ES256"), idClaims({ iss })), issuers);
    expect(await of(ISSUER)).toMatchObject({ identity: { delegatorId: "corp:user_7f3a91", tenantId: "tenant_acme" } });
    expect(await of(OTHER)).toMatchObject({ identity: { delegatorId: "partner:user_7f3a91", issuer: OTHER } });
    expect(await of("https://third.example.com")).toMatchObject({ identity: { delegatorId: "user_7f3a91", tenantId: "tenant_third" } });
  });
});
