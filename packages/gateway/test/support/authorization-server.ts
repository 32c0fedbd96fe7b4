import type { RequestListener } from "node:http";
import { createLocalJWKSet, exportJWK, exportPKCS8, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { errors, Provider } from "oidc-provider";
import { serve } from "./servers.ts";

export const RESOURCE = "https://crm.example/mcp";
export const CLIENT_SECRET = "canary-client-0c5d/81+f2=77%41 b3";
const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const SCOPES = "contracts:read contracts:delete echo lists";

export interface AuthorizationServerChoices {
  /** @defaultValue true */
  readonly canRevoke?: boolean;
  /** Scopes that every token gets, whatever is asked. */
  readonly always?: string;
}

/** A real authorization server on loopback, with the clients `gateway` (secret), `gateway-key` (private key) and `crm`, which may look into tokens. */
export async function startAuthorizationServer({ canRevoke = true, always }: AuthorizationServerChoices = {}) {
  const pair = async (kid: string) => {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    const named = { kid, alg: "ES256", use: "sig" };
    return {
      privateKey,
      pem: await exportPKCS8(privateKey),
      secret: { ...(await exportJWK(privateKey)), ...named },
      open: { ...(await exportJWK(publicKey)), ...named },
    };
  };
  const [own, clientKey, users] = [await pair("as"), await pair("client"), await pair("users")];
  let listener: RequestListener = (_, response) => void response.writeHead(503).end();
  const asked: string[] = [];
  const server = await serve((request, response) => {
    asked.push(new URL(request.url ?? "/", "http://any").pathname);
    listener(request, response);
  });
  const information = { audience: RESOURCE, scope: SCOPES, accessTokenTTL: 600, accessTokenFormat: "opaque" };
  const common = {
    id_token_signed_response_alg: "ES256",
    redirect_uris: [],
    response_types: [],
    grant_types: ["client_credentials", EXCHANGE],
    authorization_details_types: ["action"],
  };
  const provider = new Provider(server.origin, {
    adapter: memoryAdapter(),
    jwks: { keys: [own.secret] },
    cookies: { keys: ["key of the cookies"] },
    ttl: { ClientCredentials: 600, AccessToken: 600, Grant: 600 },
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    extraTokenClaims: () => undefined,
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    clients: [
      { ...common, client_id: "gateway", client_secret: CLIENT_SECRET, token_endpoint_auth_method: "client_secret_basic" },
      { ...common, client_id: "gateway-post", client_secret: CLIENT_SECRET, token_endpoint_auth_method: "client_secret_post" },
      {
        ...common,
        client_id: "gateway-key",
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_signing_alg: "ES256",
        jwks: { keys: [clientKey.open] },
      },
      { ...common, client_id: "crm", client_secret: "secret-of-the-crm-at-the-server-1" },
    ],
    enabledJWA: { clientAuthSigningAlgValues: ["ES256"] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: canRevoke, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_: unknown, resource: string) => {
          if (resource !== RESOURCE) throw new errors.InvalidGrant("there is no such resource");
          return information;
        },
      },
      richAuthorizationRequests: {
        enabled: true,
        types: { action: { validate: () => undefined } },
        authorizationDetailsForAccessToken: ({ oidc }: { oidc: { params: { authorization_details: string } } }) =>
          JSON.parse(oidc.params.authorization_details),
        authorizationDetailsForIntrospection: (_: unknown, token: { rar: unknown }) => token.rar,
      },
    },
  });
  provider.registerGrantType(
    EXCHANGE,
    async (context) => {
      const { client, params } = context.oidc;
      const verified = await jwtVerify(params["subject_token"] ?? "", createLocalJWKSet({ keys: [users.open] }), { audience: server.origin }).catch(
        () => undefined,
      );
      const accountId = verified?.payload.sub;
      if (accountId === undefined || params["subject_token_type"] !== "urn:ietf:params:oauth:token-type:jwt")
        throw new errors.InvalidGrant("the subject is not known");
      const scope = `${params["scope"] ?? ""}${always === undefined ? "" : ` ${always}`}`;
      const grant = new provider.Grant({ accountId, clientId: client.clientId });
      grant.addResourceScope(RESOURCE, scope);
      const token = new provider.AccessToken({ accountId, client, grantId: await grant.save(), gty: "token_exchange", scope });
      token.resourceServer = new provider.ResourceServer(RESOURCE, information);
      const access_token = await token.save();
      context.body = { access_token, issued_token_type: "urn:ietf:params:oauth:token-type:access_token", token_type: "Bearer", expires_in: 600, scope };
    },
    ["subject_token", "subject_token_type", "requested_token_type", "scope", "resource"],
  );
  listener = provider.callback();

  return {
    ...server,
    /** The paths of all requests, in order. */
    asked,
    clientKey: clientKey.pem,
    /** What the organisation's own login would say of a user. */
    subjectToken: async (sub: string) => ({
      token: await new SignJWT({ sub })
        .setProtectedHeader({ alg: "ES256", kid: "users" })
        .setAudience(server.origin)
        .setExpirationTime("1m")
        .sign(users.privateKey),
      type: "urn:ietf:params:oauth:token-type:jwt",
    }),
    /** What a resource server is told of a token. */
    introspect: async (token: string): Promise<Readonly<Record<string, unknown>>> => {
      const answer = await fetch(`${server.origin}/token/introspection`, {
        method: "POST",
        headers: { authorization: `Basic ${btoa("crm:secret-of-the-crm-at-the-server-1")}` },
        body: new URLSearchParams({ token }),
      });
      return (await answer.json()) as Record<string, unknown>;
    },
  };
}

/** What the server keeps, in this process; its own warns that it does. */
function memoryAdapter() {
  const rows = new Map<string, object>();
  return class {
    readonly name: string;
    constructor(name: string) {
      this.name = name;
    }
    async upsert(id: string, payload: object): Promise<void> {
      rows.set(`${this.name} ${id}`, payload);
    }
    async find(id: string): Promise<object | undefined> {
      return rows.get(`${this.name} ${id}`);
    }
    async destroy(id: string): Promise<void> {
      rows.delete(`${this.name} ${id}`);
    }
    async revokeByGrantId(grantId: string): Promise<void> {
      for (const [key, row] of rows) if ((row as { readonly grantId?: string }).grantId === grantId) rows.delete(key);
    }
  };
}
