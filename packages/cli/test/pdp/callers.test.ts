import type { PdpClientOptions } from "@ambit/core/pdp-client";
import { generateKey } from "@ambit/core/token";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jwt, testKey } from "../../../core/test/identity/issuer.ts";
import { createAuthority } from "../../../pdp/test/support/certificates.ts";
import { begin, call, openSite, TENANT, type Site } from "../fixtures/served.ts";

const AUDIENCE = "https://pdp.example";
const [ours, theirs] = [createAuthority("ours"), createAuthority("theirs")];

let site: Site;
beforeEach(async () => {
  site = await openSite();
  const { cert, key } = ours.issue("DNS:localhost");
  await site.write("cert.pem", cert);
  await site.write("key.pem", key);
  await site.write("ours.pem", ours.cert);
  await site.configure("one");
});
afterEach(() => site.end());

const TLS = { host: "localhost", tls: { cert: "cert.pem", key: "key.pem", client_ca: "ours.pem" } };

/** Begins a task and calls its tool as the caller that shows these. */
async function workAs(url: string, credentials: PdpClientOptions["credentials"], more: object = {}): Promise<string> {
  const pep = site.pepOf(site.connect(url, { credentials, ca: ours.cert }));
  try {
    return await call(pep, await begin(pep, more));
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

/** Somebody who signs tokens, as jose does. */
async function issuer(
  name?: string,
): Promise<{ readonly keys: { readonly keys: readonly object[] }; token(claims: Parameters<typeof jwt>[1]): Promise<string> }> {
  const key = await testKey("ES256");
  const now = Math.floor(Date.now() / 1000);
  return {
    keys: { keys: [key.jwk] },
    token: (claims) => jwt(key, { ...(name === undefined ? {} : { iss: name }), aud: AUDIENCE, iat: now, exp: now + 300, ...claims }),
  };
}

describe("callers of a process that serves over TLS", () => {
  test("are known by a certificate of our authority with their name or fingerprint", async () => {
    const rules = { kind: "mtls", roles: ["enforce", "assert"], tenants: [TENANT] };
    const gateway = ours.issue("URI:spiffe://example.org/gateway");
    const callers = [{ ...rules, name: "gateway", subjects: ["URI:spiffe://example.org/gateway"] }];
    const { url } = await site.serve("one", { ...TLS, callers });
    expect(await workAs(url, { kind: "certificate", ...gateway })).toBe("permit");
    expect(await workAs(url, { kind: "certificate", ...gateway }, { tenantId: "tenant_other" })).toBe("tenant_mismatch");
    for (const other of [ours.issue("URI:spiffe://example.org/other"), theirs.issue("URI:spiffe://example.org/gateway")])
      expect(await workAs(url, { kind: "certificate", ...other })).toBe("pdp_unavailable");
  }, 120_000);

  test("are known by a token of their issuer, for the subjects that are named", async () => {
    const [login, stranger] = [await issuer("https://login.example"), await issuer("https://login.example")];
    const identity = { issuers: [{ kind: "oidc", issuer: "https://login.example", audience: AUDIENCE, keys: login.keys, tenant: { id: TENANT } }] };
    const subjects = [{ issuer: "https://login.example", subject: "renewal-app" }];
    const callers = [{ kind: "jwt", name: "apps", roles: ["enforce", "assert"], tenants: [TENANT], identity, subjects }];
    const { url } = await site.serve("one", { ...TLS, callers });
    const bearer = (token: string): Promise<string> => workAs(url, { kind: "bearer", token });
    expect(await bearer(await login.token({ sub: "renewal-app" }))).toBe("permit");
    for (const token of [
      await login.token({ sub: "another-app" }),
      await login.token({ sub: "renewal-app", aud: "https://other.example" }),
      await stranger.token({ sub: "renewal-app" }),
    ])
      expect(await bearer(token)).toBe("pdp_unavailable");
  }, 120_000);

  test("are known by the key that signs a proof for each request", async () => {
    const [key, stranger] = [await generateKey(), await generateKey()];
    const callers = [{ kind: "dpop", name: "gateway", roles: ["enforce", "assert"], tenants: [TENANT], thumbprints: [key.public.thumbprint] }];
    const { url } = await site.serve("one", { ...TLS, callers });
    expect(await workAs(url, { kind: "dpop", key })).toBe("permit");
    expect(await workAs(url, { kind: "dpop", key: stranger })).toBe("pdp_unavailable");
  }, 120_000);

  test("get an envelope for the token of a delegator where workloads are configured, and for no token of another workload", async () => {
    const [login, trust] = [await issuer("https://login.example"), await issuer()];
    const svid = (agent: string): Promise<string> => trust.token({ sub: `spiffe://prod.example/agents/${agent}`, agent });
    const keys = { keys: trust.keys.keys.map((key) => ({ ...key, use: "jwt-svid" })) };
    const workloads = {
      issuers: [{ kind: "spiffe", trust_domain: "prod.example", audience: AUDIENCE, keys, tenant: { id: TENANT }, agent: { claim: "agent" } }],
    };
    const identity = { issuers: [{ kind: "oidc", issuer: "https://login.example", audience: AUDIENCE, keys: login.keys, tenant: { id: TENANT } }] };
    await site.configure("one", { identity });
    const { url } = await site.serve("one", { workloads });
    const exchange = async (actor: string): Promise<readonly [number, Record<string, unknown>]> => {
      const envelope = { tenant_id: TENANT, delegator_id: "user_1", session_id: "s1", task_id: "t1", purpose: "review", allowed_tools: ["contracts.read"] };
      const more = { resource_constraints: { contract_ids: ["k1"] }, expires_at: new Date(Date.now() + 600_000).toISOString() };
      const form = new URLSearchParams({
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token: await login.token({ sub: "user_1" }),
        subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
        actor_token: actor,
        actor_token_type: "urn:ietf:params:oauth:token-type:jwt",
        authorization_details: JSON.stringify([{ type: "urn:ambit:envelope:1", ...envelope, ...more }]),
        req_cnf: JSON.stringify({ jwk: site.key.public.jwk }),
      });
      const headers = { authorization: `Bearer ${site.secret}`, "content-type": "application/x-www-form-urlencoded" };
      const answer = await fetch(`${url}/oauth/token`, { method: "POST", headers, body: form });
      return [answer.status, (await answer.json()) as Record<string, unknown>];
    };
    const [status, { token_type: type, access_token: token }] = await exchange(await svid("reviewer"));
    expect([status, type]).toEqual([200, "aat"]);
    const pep = site.pepOf(site.connect(url));
    expect(await call(pep, await pep.receive([String(token)]))).toBe("permit");
    for (const other of [await svid("stranger"), await login.token({ sub: "spiffe://prod.example/agents/reviewer", agent: "reviewer" })])
      expect((await exchange(other))[0]).toBe(400);
  }, 120_000);
});
