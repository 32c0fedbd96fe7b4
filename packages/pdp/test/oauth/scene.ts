import { createProofVerifier, fixedKeys, type ProofVerifier } from "@ambit/core/identity";
import type { StateStore } from "@ambit/core";
import type { PdpConfig } from "@ambit/pdp";
import { createPdpService, secretDigest, servePdp, type Caller } from "@ambit/pdp/server";
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from "jose";
import { oauthRoutes } from "../../src/oauth/index.ts";
import { createMemoryState } from "../../src/state/memory-state.ts";
import { closeAfter } from "../server/scene.ts";
import { freePort } from "../support/free-port.ts";
import { NOW } from "../support/fixture.ts";
import { AUDIENCE, signedFixture, type SignedFixture } from "../support/signed.ts";

const LOGIN = "https://login.example";
const TRUST = "prod.example";

const secret = (name: string): string => `${name}-${"s".repeat(32)}`;

export const bearer = (name: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${secret(name)}` });

const CALLERS: readonly Caller[] = [
  { kind: "secret", name: "runtime", digest: secretDigest(secret("runtime")), roles: ["enforce"], tenants: ["tenant_1"] },
  { kind: "secret", name: "foreign", digest: secretDigest(secret("foreign")), roles: ["enforce", "operate"], tenants: ["tenant_2"] },
  { kind: "secret", name: "ops", digest: secretDigest(secret("ops")), roles: ["enforce", "operate"], tenants: ["tenant_1"] },
  { kind: "secret", name: "asker", digest: secretDigest(secret("asker")), roles: ["evaluate"], tenants: "any" },
];

export interface OauthScene extends SignedFixture {
  readonly url: string;
  /** Posts a form, as `runtime` unless said otherwise. */
  post(path: string, form: Readonly<Record<string, string>> | URLSearchParams | string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** A token of the delegator, of the login. */
  idToken(claims?: JWTPayload): Promise<string>;
  /** A JWT-SVID of an agent. */
  svid(agent?: string, claims?: JWTPayload): Promise<string>;
}

export interface Answer {
  readonly status: number;
  readonly json: { readonly [member: string]: unknown };
  readonly headers: Headers;
}

/** A decision point with OAuth endpoints over HTTP, a login and a trust domain; tokens are jose's. */
export async function oauthScene(options: { readonly config?: Partial<PdpConfig>; readonly state?: StateStore } = {}): Promise<OauthScene> {
  const [login, trust] = [await generateKeyPair("ES256"), await generateKeyPair("ES256")];
  const listed = async (key: typeof login, kid: string, use: string): Promise<string> =>
    JSON.stringify({ keys: [{ ...(await exportJWK(key.publicKey)), kid, use }] });
  const now = (): number => base.now();
  const proofs: ProofVerifier = createProofVerifier({
    issuers: [
      {
        kind: "oidc",
        issuer: LOGIN,
        audience: AUDIENCE,
        keys: fixedKeys(await listed(login, "login", "sig")),
        tenant: { claim: "tid", among: ["tenant_1", "tenant_2"] },
      },
    ],
    now,
  });
  const workloads: ProofVerifier = createProofVerifier({
    issuers: [
      {
        kind: "spiffe",
        trustDomain: TRUST,
        audience: AUDIENCE,
        keys: fixedKeys(await listed(trust, "trust", "jwt-svid"), "spiffe-bundle"),
        tenant: { id: "tenant_1" },
        agent: { claim: "agent" },
      },
    ],
    now,
  });
  const state = options.state ?? createMemoryState();
  const base = await signedFixture(options.config, { proofs, state });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const routes = oauthRoutes({ pdp: base.pdp, url, workloads, jwks: () => base.ring.toJwks(), now });
  const service = createPdpService({ pdp: base.pdp, url, callers: CALLERS, routes });
  closeAfter(await servePdp(service, { port, grace: 100 }));
  const seconds = NOW / 1000;
  return {
    ...base,
    url,
    post: async (path, form, headers = bearer("runtime")) => {
      const body = typeof form === "string" ? form : new URLSearchParams(form as Record<string, string>).toString();
      const response = await fetch(url + path, { method: "POST", body, headers: { "content-type": "application/x-www-form-urlencoded", ...headers } });
      const text = await response.text();
      return { status: response.status, json: (text === "" ? {} : JSON.parse(text)) as Answer["json"], headers: response.headers };
    },
    idToken: (claims = {}) =>
      new SignJWT({ iss: LOGIN, sub: "user_1", aud: AUDIENCE, iat: seconds - 10, exp: seconds + 300, tid: "tenant_1", ...claims })
        .setProtectedHeader({ alg: "ES256", kid: "login", typ: "JWT" })
        .sign(login.privateKey),
    svid: (agent = "reviewer", claims = {}) =>
      new SignJWT({ sub: `spiffe://${TRUST}/agents/${agent}`, aud: AUDIENCE, iat: seconds - 10, exp: seconds + 300, agent, ...claims })
        .setProtectedHeader({ alg: "ES256", kid: "trust", typ: "JWT" })
        .sign(trust.privateKey),
  };
}
