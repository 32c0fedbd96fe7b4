import { AmbitError, type JsonObject } from "@ambit/core";
import type { TokenEndpointResponse } from "oauth4webapi";
import { connectorHeaders } from "../../egress/headers.ts";
import { unavailable } from "../../vault/unavailable.ts";
import type { Vault } from "../../vault/vault.ts";
import type { Action, Connector, Credential } from "../connector.ts";
import { createCredential, noCredential } from "../credential.ts";
import { inTimeFor, orUnavailable } from "../fail-closed.ts";
import { createShared } from "../shared.ts";
import { withSecret } from "../vault-secret.ts";
import { createAuthorizationServer, type AuthorizationServerOptions, type Grant } from "./authorization-server.ts";
import { clientAuth, type ClientAuthentication } from "./client-authentication.ts";
import { excessOf } from "./excess.ts";

/** Whom the action is for, in a form that the authorization server believes (RFC 8693 section 2.1). */
export interface SubjectToken {
  readonly token: string;
  /** An identifier of RFC 8693 section 3, such as `urn:ietf:params:oauth:token-type:jwt`. */
  readonly type: string;
}

export interface OauthConnectorOptions extends AuthorizationServerOptions {
  readonly vault: Vault;
  /** The name of the connector: in the vault, and in the record of each action. */
  readonly name: string;
  /** The client identifier of the gateway at the authorization server. */
  readonly clientId: string;
  /** @defaultValue "client_secret_basic" */
  readonly authentication?: ClientAuthentication | undefined;
  /** Which secret of the connector the client secret, or the private key, is. @defaultValue "client" */
  readonly id?: string | undefined;
  /** What each tool needs, by its name at its server, or by the method: those scopes and no others. There is no token for what is not in here. */
  readonly scopes: Readonly<Record<string, readonly string[]>>;
  /** What the token is to be good for (RFC 8707). */
  readonly resource?: string | undefined;
  /** The action for `authorization_details` (RFC 9396), where the authorization server can bind a token to it. */
  readonly details?: ((action: Action) => readonly JsonObject[]) | undefined;
  /** With it, its token is exchanged (RFC 8693); without it, the gateway asks as the client that it is. */
  readonly subject?: ((action: Action, signal: AbortSignal) => Promise<SubjectToken>) | undefined;
  /** Whose client sets up connections and lists, which no action is about; its token is shared until it is old. @defaultValue none; nothing goes along */
  readonly setUp?: { readonly tenant: string; readonly scopes: readonly string[] } | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

const DEADLINE = 10_000;
/** Milliseconds for which the token of `setUp` is used at most, and before its end no more. */
const [LONGEST_USE, LEEWAY] = [300_000, 30_000];

/**
 * An access token for each action, with the scopes of its tool alone, revoked after the outcome where the authorization server can. INVARIANT I12: the tenant of the action picks the
 * secret of the client. Throws `option_invalid`.
 */
export function oauthConnector(options: OauthConnectorOptions): Connector {
  const { vault, name, clientId, authentication = "client_secret_basic", id = "client", scopes, resource, details, subject, setUp } = options;
  const { now = Date.now } = options;
  if (!URL.canParse(options.issuer) || (resource !== undefined && (!URL.canParse(resource) || resource.includes("#"))))
    throw new AmbitError("option_invalid", "`issuer` and `resource` are absolute addresses without a fragment");
  const server = createAuthorizationServer(options, clientId, now);

  const asClient = <T>(tenant: string, signal: AbortSignal, use: (auth: Awaited<ReturnType<typeof clientAuth>>) => Promise<T>): Promise<T> =>
    withSecret(vault, { tenant, connector: name, id }, signal, async (secret) => use(await clientAuth(authentication, secret)));

  const parametersOf = (wanted: readonly string[], more: Readonly<Record<string, string>> = {}): URLSearchParams =>
    new URLSearchParams({ ...(wanted.length === 0 ? {} : { scope: wanted.join(" ") }), ...(resource === undefined ? {} : { resource }), ...more });

  const grantOf = async (action: Action, wanted: readonly string[], signal: AbortSignal): Promise<Grant & { readonly subject?: SubjectToken }> => {
    const bound: Record<string, string> = details === undefined ? {} : { authorization_details: JSON.stringify(details(action)) };
    if (subject === undefined) return { type: "client_credentials", parameters: parametersOf(wanted, bound) };
    const known = await subject(action, signal);
    const parameters = parametersOf(wanted, {
      ...bound,
      subject_token: known.token,
      subject_token_type: known.type,
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    });
    return { type: "urn:ietf:params:oauth:grant-type:token-exchange", parameters, subject: known };
  };

  const forAction = async (action: Action, signal: AbortSignal): Promise<Credential> => {
    const { tenantId, tool, until } = action;
    const wanted = Object.hasOwn(scopes, tool) ? scopes[tool] : undefined;
    if (wanted === undefined) throw unavailable("no scopes are configured for the tool");
    const grant = await grantOf(action, wanted, signal);
    const answer = await asClient(tenantId, signal, (auth) => server.token(auth, grant, signal));
    const revoke = async (): Promise<void> => {
      const left = AbortSignal.timeout(DEADLINE);
      if (await server.canRevoke()) await asClient(tenantId, left, (auth) => server.revoke(auth, answer.access_token, left));
    };
    try {
      if (now() >= until) throw unavailable("the action must not begin any more");
      const excess = excessOf(answer, { scopes: wanted, details: details?.(action), until }, await server.canRevoke(), now());
      return createCredential({
        headers: bearer(answer),
        secrets: [answer.access_token, ...(grant.subject === undefined ? [] : [grant.subject.token])].map((secret) => Buffer.from(secret)),
        overPrivileged: excess,
        release: revoke,
      });
    } catch (error) {
      await revoke().catch(() => undefined);
      throw error;
    }
  };

  const ofSetUp = createShared(async () => {
    const { tenant, scopes: wanted } = setUp ?? { tenant: "", scopes: [] };
    const signal = AbortSignal.timeout(DEADLINE);
    const value = await asClient(tenant, signal, (auth) => server.token(auth, { type: "client_credentials", parameters: parametersOf(wanted) }, signal));
    return { value, until: now() + Math.min(LONGEST_USE, (value.expires_in ?? 0) * 1000 - LEEWAY) };
  }, now);

  return {
    name,
    obtain: (action, signal) =>
      orUnavailable("there is no token for the action", async () => {
        if (action !== undefined) return forAction(action, inTimeFor(action, now, DEADLINE, signal));
        if (setUp === undefined) return noCredential();
        const answer = await ofSetUp();
        return createCredential({ headers: bearer(answer), secrets: [Buffer.from(answer.access_token)] });
      }),
  };
}

/** RFC 6750. A token that is bound to a key would need a proof with each request. */
function bearer({ access_token: token, token_type: type }: TokenEndpointResponse): Readonly<Record<string, string>> {
  if (type !== "bearer") throw unavailable("the token is none that can go along as it is");
  return connectorHeaders({ authorization: `Bearer ${token}` });
}
