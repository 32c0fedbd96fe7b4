import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";
import { serve, type Local } from "./servers.ts";

export const CLIENT_SECRET = "the-secret-of-the-gateway-at-the-provider-0123456789";

/** The OpenID provider of an organisation. Whoever comes to its login page with `?as=user_1` is that user, of the tenant that `tenants` names. */
export async function startIdentityProvider(
  callback: string,
  tenants: Readonly<Record<string, string>>,
): Promise<Local & { readonly jwks: { readonly keys: object[] } }> {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const named = { kid: "k1", alg: "ES256", use: "sig" };
  let listener: RequestListener = (_, response) => void response.writeHead(503).end();
  const server = await serve((request, response) => listener(request, response));
  const provider = new Provider(server.origin, {
    adapter: memoryAdapter(),
    jwks: { keys: [{ ...(await exportJWK(privateKey)), ...named }] },
    cookies: { keys: ["key of the cookies"] },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    clients: [
      {
        client_id: "gateway",
        client_secret: CLIENT_SECRET,
        redirect_uris: [callback],
        grant_types: ["authorization_code"],
        response_types: ["code"],
        id_token_signed_response_alg: "ES256",
      },
    ],
    claims: { openid: ["sub", "tid", "name"] },
    conformIdTokenClaims: false,
    enabledJWA: { idTokenSigningAlgValues: ["ES256", "RS256"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/login/${uid}` },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, tid: tenants[id], name: `Name of ${id}` }) }),
    loadExistingGrant: async ({ oidc }: { oidc: { session: { accountId: string }; client: { clientId: string } } }) => {
      const grant = new provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
      grant.addOIDCScope("openid");
      await grant.save();
      return grant;
    },
  });
  const rest = provider.callback();
  listener = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", server.origin);
    if (!url.pathname.startsWith("/login/")) rest(request, response);
    else if (!url.searchParams.has("as")) response.end("who are you?");
    else void provider.interactionFinished(request, response, { login: { accountId: url.searchParams.get("as") } });
  };
  return { ...server, jwks: { keys: [{ ...(await exportJWK(publicKey)), ...named }] } };
}

/** What the provider keeps, in this process; its own warns that it does. */
function memoryAdapter() {
  const rows = new Map<string, { uid?: string; grantId?: string; consumed?: number }>();
  return class {
    readonly name: string;
    constructor(name: string) {
      this.name = name;
    }
    key(id: string): string {
      return `${this.name} ${id}`;
    }
    async upsert(id: string, payload: object): Promise<void> {
      rows.set(this.key(id), { ...payload });
    }
    async find(id: string): Promise<object | undefined> {
      return rows.get(this.key(id));
    }
    async findByUid(uid: string): Promise<object | undefined> {
      return [...rows].find(([key, row]) => key.startsWith(`${this.name} `) && row.uid === uid)?.[1];
    }
    async consume(id: string): Promise<void> {
      const row = rows.get(this.key(id));
      if (row !== undefined) row.consumed = Math.floor(Date.now() / 1000);
    }
    async destroy(id: string): Promise<void> {
      rows.delete(this.key(id));
    }
    async revokeByGrantId(grantId: string): Promise<void> {
      for (const [key, row] of rows) if (row.grantId === grantId) rows.delete(key);
    }
  };
}
