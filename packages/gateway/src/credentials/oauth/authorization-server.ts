import {
  allowInsecureRequests,
  clientCredentialsGrantRequest,
  customFetch,
  discoveryRequest,
  genericTokenEndpointRequest,
  processClientCredentialsResponse,
  processDiscoveryResponse,
  processGenericTokenEndpointResponse,
  processRevocationResponse,
  revocationRequest,
  type AuthorizationServer as Metadata,
  type ClientAuth,
  type CustomFetchOptions,
  type TokenEndpointResponse,
} from "oauth4webapi";
import { createEgress, type EgressOptions } from "../../egress/egress.ts";
import { unavailable } from "../../vault/unavailable.ts";
import { createShared } from "../shared.ts";

export interface AuthorizationServerOptions extends Pick<EgressOptions, "allowPrivate" | "ca"> {
  /** Its issuer identifier; what it says of itself is discovered and must be for exactly that. */
  readonly issuer: string;
  /** Where it says that: RFC 8414, or OpenID Connect Discovery. @defaultValue "oauth" */
  readonly metadata?: "oauth" | "openid" | undefined;
  /** Origins of its endpoints beside that of the issuer. */
  readonly origins?: readonly string[] | undefined;
}

/** What is asked of the token endpoint. */
export interface Grant {
  readonly type: "client_credentials" | "urn:ietf:params:oauth:grant-type:token-exchange";
  readonly parameters: URLSearchParams;
}

export interface AuthorizationServer {
  /** Rejects (`credential_unavailable`) with nothing of what it was asked or answered but a registered error code. */
  token(auth: ClientAuth, grant: Grant, signal: AbortSignal): Promise<TokenEndpointResponse>;
  /** RFC 7009. Rejects where there is no endpoint for it. */
  revoke(auth: ClientAuth, token: string, signal: AbortSignal): Promise<void>;
  canRevoke(): Promise<boolean>;
}

const DEADLINE = 10_000;
const LIFETIME_OF_METADATA = 600_000;
/** RFC 6749 section 5.2, RFC 8707 section 2, RFC 9396 section 5. */
const CODES: ReadonlySet<string> = new Set([
  "invalid_request",
  "invalid_client",
  "invalid_grant",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
  "invalid_target",
  "invalid_authorization_details",
]);

/** `client`: the client identifier. Throws `option_invalid`. */
export function createAuthorizationServer(options: AuthorizationServerOptions, clientId: string, now: () => number): AuthorizationServer {
  const issuer = new URL(options.issuer);
  const { origins = [], allowPrivate, ca } = options;
  const egress = createEgress({ origins: [...new Set([issuer.origin, ...origins])], allowPrivate, ca, deadline: DEADLINE, maxResponseBytes: 262_144 });
  const client = { client_id: clientId };
  const send = (url: string, { body, ...init }: CustomFetchOptions<string, URLSearchParams | undefined>): Promise<Response> =>
    egress.fetch(url, { ...init, ...(body === undefined ? {} : { body }) });
  // Plain HTTP reaches addresses of `allowPrivate` alone: the egress sees to that.
  const through = { [customFetch]: send, [allowInsecureRequests]: issuer.protocol === "http:" };

  const metadata = createShared<Metadata>(async () => {
    const algorithm = options.metadata === "openid" ? "oidc" : "oauth2";
    const value = await processDiscoveryResponse(issuer, await discoveryRequest(issuer, { ...through, algorithm, signal: AbortSignal.timeout(DEADLINE) }));
    return { value, until: now() + LIFETIME_OF_METADATA };
  }, now);

  return {
    token: async (auth, { type, parameters }, signal) => {
      try {
        const as = await metadata();
        if (type === "client_credentials")
          return await processClientCredentialsResponse(as, client, await clientCredentialsGrantRequest(as, client, auth, parameters, { ...through, signal }));
        return await processGenericTokenEndpointResponse(
          as,
          client,
          await genericTokenEndpointRequest(as, client, auth, type, parameters, { ...through, signal }),
        );
      } catch (error) {
        // INVARIANT I10: the errors of the library carry the answer.
        const { error: code } = error as { readonly error?: unknown };
        throw unavailable(`the authorization server gave no token${typeof code === "string" && CODES.has(code) ? ` (${code})` : ""}`);
      }
    },
    revoke: async (auth, token, signal) => processRevocationResponse(await revocationRequest(await metadata(), client, auth, token, { ...through, signal })),
    canRevoke: async () => (await metadata()).revocation_endpoint !== undefined,
  };
}
