import type { JsonObject } from "@ambit/core";
import { AMBIT_ENTRY } from "@ambit/core/token";
import { TOKEN_EXCHANGE } from "./exchange-token.ts";

export const OAUTH_PATHS: { readonly [endpoint in "token" | "introspect" | "revoke" | "jwks"]: string } = Object.freeze({
  token: "/oauth/token",
  introspect: "/oauth/introspect",
  revoke: "/oauth/revoke",
  jwks: "/.well-known/jwks.json",
});

/** RFC 8414 section 3.1: the well-known part stands between the host and the path of the issuer. */
export function oauthMetadataPath(url: string): string {
  const { pathname } = new URL(url);
  return `/.well-known/oauth-authorization-server${pathname === "/" ? "" : pathname}`;
}

/** RFC 8414, with `aat_issuer` of the draft of attenuating agent tokens. */
export function oauthMetadata(url: string, authMethods: readonly string[]): JsonObject {
  return {
    issuer: url,
    token_endpoint: url + OAUTH_PATHS.token,
    introspection_endpoint: url + OAUTH_PATHS.introspect,
    revocation_endpoint: url + OAUTH_PATHS.revoke,
    jwks_uri: url + OAUTH_PATHS.jwks,
    grant_types_supported: [TOKEN_EXCHANGE],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: authMethods,
    introspection_endpoint_auth_methods_supported: authMethods,
    revocation_endpoint_auth_methods_supported: authMethods,
    authorization_details_types_supported: [AMBIT_ENTRY],
    aat_issuer: true,
  };
}
