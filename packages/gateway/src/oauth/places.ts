import { AmbitError, type JsonObject } from "@ambit/core";

/** Where everything is that a client or a browser asks for. */
export interface Places {
  /** The MCP endpoint, the one audience of all tokens. */
  readonly resource: string;
  readonly resourcePath: string;
  readonly host: string;
  readonly issuer: string;
  readonly resourceMetadata: string;
  /** By path. */
  readonly metadata: Readonly<Record<string, JsonObject>>;
}

export const PATHS = {
  authorize: "/oauth/authorize",
  token: "/oauth/token",
  register: "/oauth/register",
  revoke: "/oauth/revoke",
  /** Where the provider of the organisation sends users back to. */
  callback: "/oauth/callback",
  consent: "/oauth/consent",
  /** What a user allowed, and where it is ended. */
  connections: "/oauth/connections",
} as const;

/** Grants say by purpose and tools what they are for; clients that insist on a scope get this one. */
export const SCOPE = "mcp";
const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];
const RESOURCE_METADATA = "/.well-known/oauth-protected-resource";

/** The metadata of RFC 9728 and RFC 8414. Refuses (`option_invalid`) a resource that is not written as its own address, and plain `http:` but on this machine. */
export function createPlaces(resource: string): Places {
  const url = URL.canParse(resource) ? new URL(resource) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.includes(url.hostname));
  if (url === undefined || !isSafe || url.href !== resource || url.pathname === "/" || url.search !== "" || url.hash !== "" || url.username !== "")
    throw new AmbitError("option_invalid", "`resource` must be the address of the MCP endpoint, such as `https://gateway.example.com/mcp`");
  const { origin: issuer, host, pathname } = url;
  const ofResource = { resource, authorization_servers: [issuer], bearer_methods_supported: ["header"], scopes_supported: [SCOPE] };
  const ofServer = {
    issuer,
    authorization_endpoint: issuer + PATHS.authorize,
    token_endpoint: issuer + PATHS.token,
    registration_endpoint: issuer + PATHS.register,
    revocation_endpoint: issuer + PATHS.revoke,
    scopes_supported: [SCOPE],
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: ["authorization_code", "refresh_token"],
    token_endpoint_auth_methods_supported: ["none"],
    revocation_endpoint_auth_methods_supported: ["none"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    protected_resources: [resource],
  };
  return {
    resource,
    resourcePath: pathname,
    host,
    issuer,
    resourceMetadata: `${issuer}${RESOURCE_METADATA}${pathname}`,
    metadata: { [RESOURCE_METADATA]: ofResource, [`${RESOURCE_METADATA}${pathname}`]: ofResource, "/.well-known/oauth-authorization-server": ofServer },
  };
}
