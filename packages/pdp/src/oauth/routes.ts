import type { JsonObject, Pdp } from "@ambit/core";
import type { ProofVerifier } from "@ambit/core/identity";
import { leafOf } from "../envelopes/chain.ts";
import type { Revocation } from "../lifecycle/revoke.ts";
import { mayActFor, type Authenticated } from "../server/callers.ts";
import type { Route, RouteAnswer } from "../server/route.ts";
import { orOauthError, tellOauth } from "./errors.ts";
import { exchangeToken } from "./exchange-token.ts";
import { readChain, readForm, type Form } from "./form.ts";
import type { Inspection } from "./inspect-chain.ts";
import { INACTIVE, introspected } from "./introspection.ts";
import { oauthMetadata, oauthMetadataPath, OAUTH_PATHS } from "./metadata.ts";
import { revokeToken } from "./revoke-token.ts";

/** What the endpoints need of an embedded decision point. */
export interface OauthPdp extends Pick<Pdp, "begin" | "introduce" | "terms" | "end"> {
  revoke(revocation: Revocation): Promise<void>;
  /** What a chain says and whether it stands; decides nothing: `inspectChain`. */
  inspect(chain: readonly string[]): Promise<Inspection>;
}

export interface OauthOptions {
  readonly pdp: OauthPdp;
  /** The URL by which clients know the service, without a slash at its end. It is the issuer of the metadata, and should be that of the envelopes. */
  readonly url: string;
  /** Whose tokens show which workload asks; what shows who the delegator is, the decision point knows itself. */
  readonly workloads: ProofVerifier;
  /** The public keys that envelopes are signed with: `ring.toJwks()`. */
  readonly jwks: () => { readonly keys: readonly JsonObject[] };
  /**
   * What the metadata say of how clients authenticate, which is how all callers of the service do.
   *
   * @defaultValue `["bearer"]`, which is no registered name: a token in `Authorization`. With certificates `tls_client_auth`.
   */
  readonly authMethods?: readonly string[] | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * OAuth endpoints around the envelope: token exchange, introspection, revocation, keys and metadata. All that do something are for callers that may `enforce`. A request is read
 * strictly; refusals have the shapes of RFC 6749.
 */
export function oauthRoutes({ pdp, url, workloads, jwks, authMethods = ["bearer"], now }: OauthOptions): readonly Route[] {
  const document = Object.freeze(oauthMetadata(url, authMethods));
  const ask = (path: string, answer: (form: Form, caller: Authenticated) => Promise<RouteAnswer>): Route => ({
    method: "POST",
    path,
    role: "enforce",
    body: "form",
    tell: tellOauth,
    handle: ({ form, caller }) => orOauthError(async () => answer(readForm(form), caller as Authenticated)),
  });
  return [
    ask(OAUTH_PATHS.token, (form, caller) => exchangeToken({ pdp, workloads, now }, form, caller)),
    ask(OAUTH_PATHS.introspect, async (form, caller) => {
      const shown = readChain(form.need("token"));
      const { chain, isActive } = shown === undefined ? { isActive: false } : await pdp.inspect(shown.chain);
      // INVARIANT I12.
      const isShown = isActive && chain !== undefined && mayActFor(caller, leafOf(chain).envelope.tenantId);
      return { json: isShown ? introspected(chain) : INACTIVE };
    }),
    ask(OAUTH_PATHS.revoke, (form, caller) => revokeToken({ pdp, inspect: (chain) => pdp.inspect(chain) }, form, caller)),
    { method: "GET", path: OAUTH_PATHS.jwks, role: "open", handle: async () => ({ json: jwks() }) },
    { method: "GET", path: oauthMetadataPath(url), role: "open", handle: async () => ({ json: document }) },
  ];
}
