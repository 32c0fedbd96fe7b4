import { AmbitError } from "@ambit/core";
import * as oauth from "oauth4webapi";
import { createEgress } from "../egress/egress.ts";
import type { SignInOptions, User } from "./options.ts";

/** What has to be remembered between both halves of a sign-in. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface SignedIn {
  readonly user: User;
  /** The proof of the delegator. */
  readonly idToken: string;
}

/** Users sign in at the provider of the organisation; here they have no password. */
export interface SignIn {
  /** Where to send the browser. Rejects where the provider cannot be reached. */
  begin(): Promise<{ readonly url: string; readonly attempt: Attempt }>;
  /** Reads with what the browser came back. `undefined`: nobody signed in, or nobody who is anybody here. */
  finish(parameters: URLSearchParams, attempt: Attempt): Promise<SignedIn | undefined>;
  close(): Promise<void>;
}

/** The code flow of OpenID Connect with PKCE, nonce and, where the provider has it, `iss`. Nothing goes anywhere but to the provider. */
export function createSignIn(options: SignInOptions, callback: string): SignIn {
  const { issuer, clientId, clientSecret, origins = [], scopes = ["openid"], who, allowPrivate, ca } = options;
  if (!URL.canParse(issuer)) throw new AmbitError("option_invalid", "`signIn.issuer` must be the `iss` of the provider");
  const url = new URL(issuer);
  const egress = createEgress({ origins: [...new Set([url.origin, ...origins])], allowPrivate, ca, deadline: 10_000, maxResponseBytes: 1_048_576 });
  const through = {
    [oauth.customFetch]: (address: string, init: object) => egress.fetch(address, init),
    // The way out lets plain http: through to listed addresses alone.
    [oauth.allowInsecureRequests]: true,
  };
  const client: oauth.Client = { client_id: clientId };

  let found: Promise<oauth.AuthorizationServer> | undefined;
  const provider = async (): Promise<oauth.AuthorizationServer> => {
    found ??= oauth.discoveryRequest(url, through).then((response) => oauth.processDiscoveryResponse(url, response));
    return found.catch((error: unknown) => {
      found = undefined;
      throw error;
    });
  };
  const authentication = async (): Promise<oauth.ClientAuth> => (clientSecret === undefined ? oauth.None() : oauth.ClientSecretBasic(await clientSecret()));

  return {
    begin: async () => {
      const { authorization_endpoint: endpoint } = await provider();
      if (endpoint === undefined) throw new AmbitError("upstream_unavailable", "the provider has no authorization endpoint");
      const attempt = { state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce(), verifier: oauth.generateRandomCodeVerifier() };
      const to = new URL(endpoint);
      const asked = {
        client_id: clientId,
        redirect_uri: callback,
        response_type: "code",
        scope: scopes.join(" "),
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: "S256",
      };
      for (const [name, value] of Object.entries(asked)) to.searchParams.set(name, value);
      return { url: to.href, attempt };
    },
    finish: async (parameters, { state, nonce, verifier }) => {
      try {
        const server = await provider();
        const answer = oauth.validateAuthResponse(server, client, parameters, state);
        const response = await oauth.authorizationCodeGrantRequest(server, client, await authentication(), answer, callback, verifier, through);
        const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce, requireIdToken: true });
        const claims = oauth.getValidatedIdTokenClaims(tokens);
        const user = claims === undefined ? undefined : who(claims);
        return user === undefined || tokens.id_token === undefined ? undefined : { user, idToken: tokens.id_token };
      } catch {
        return undefined; // refused by the caller
      }
    },
    close: () => egress.close(),
  };
}
