import { AmbitError, digestOf, type JsonObject } from "@ambit/core";
import { importPKCS8, SignJWT } from "jose";
import { connectorHeaders } from "../egress/headers.ts";
import { unavailable } from "../vault/unavailable.ts";
import type { Vault } from "../vault/vault.ts";
import type { Action, Connector } from "./connector.ts";
import { createCredential, noCredential } from "./credential.ts";
import { inTimeFor, orUnavailable } from "./fail-closed.ts";
import { withSecret } from "./vault-secret.ts";

export interface SignedJwtConnectorOptions {
  readonly vault: Vault;
  /** The name of the connector: in the vault, and in the record of each action. */
  readonly name: string;
  /** Which secret of the connector the private key is: PKCS #8 in PEM. @defaultValue "signing_key" */
  readonly id?: string | undefined;
  /** Of the key, as JWA calls it. */
  readonly algorithm: "ES256" | "ES384" | "ES512" | "Ed25519" | "PS256" | "RS256";
  readonly keyId?: string | undefined;
  readonly issuer: string;
  /** The end service. */
  readonly audience: string;
  /** @defaultValue the delegator */
  readonly subject?: ((action: Action) => string) | undefined;
  /** What stands in it beside; it replaces none of the claims that are made here. */
  readonly claims?: ((action: Action) => JsonObject) | undefined;
  /** Whether the end service refuses a call that `action` does not fit, and a `jti` that it has seen. @defaultValue false: the record says that the token allows more */
  readonly isCompared?: boolean | undefined;
  /** Seconds that a token is good for at most. @defaultValue 60 */
  readonly lifetime?: number | undefined;
  /** The header that it goes along in, as a bearer token. @defaultValue "authorization" */
  readonly header?: string | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

const DEADLINE = 10_000;

/**
 * A JWT (RFC 7519) signed for each action: `iss`, `aud`, `sub`, `act` (the agent, RFC 8693 section 4.1), `jti` the decision, `exp` never after the action must have begun, and `action`:
 * the tool and the digest of its arguments. INVARIANT I12: the tenant of the action picks the key and is in it. Nothing goes along with what no action is about.
 *
 * Throws `option_invalid`.
 */
export function signedJwtConnector(options: SignedJwtConnectorOptions): Connector {
  const {
    vault,
    name,
    id = "signing_key",
    algorithm,
    keyId,
    issuer,
    audience,
    isCompared = false,
    lifetime = 60,
    header = "authorization",
    now = Date.now,
  } = options;
  const { subject = ({ delegatorId }) => delegatorId, claims = () => ({}) } = options;
  if (!Number.isSafeInteger(lifetime) || lifetime < 1 || lifetime > 3600) throw new AmbitError("option_invalid", "`lifetime` is a whole number from 1 to 3600");

  const sign = async (action: Action, pem: string): Promise<string> => {
    const [from, to] = [Math.floor(now() / 1000), Math.floor(Math.min(action.until, now() + lifetime * 1000) / 1000)];
    if (to <= from) throw unavailable("the action must not begin any more");
    const { tenantId, agentId, server, tool, decisionId } = action;
    return new SignJWT({
      ...claims(action),
      iss: issuer,
      aud: audience,
      sub: subject(action),
      act: { sub: agentId },
      tenant: tenantId,
      action: { server, tool, arguments_digest: digestOf(action.arguments) },
      jti: decisionId,
      iat: from,
      exp: to,
    })
      .setProtectedHeader({ alg: algorithm, typ: "JWT", ...(keyId === undefined ? {} : { kid: keyId }) })
      .sign(await importPKCS8(pem, algorithm));
  };

  return {
    name,
    obtain: (action, signal) =>
      orUnavailable("there is no token for the action", async () => {
        if (action === undefined) return noCredential();
        const key = { tenant: action.tenantId, connector: name, id };
        const token = await withSecret(vault, key, inTimeFor(action, now, DEADLINE, signal), (pem) => sign(action, pem));
        // Of a part of it nobody makes a token; the signature is what must not be shown.
        const signature = token.slice(token.lastIndexOf(".") + 1);
        return createCredential({
          headers: connectorHeaders({ [header]: `Bearer ${token}` }),
          secrets: [token, signature].map((secret) => Buffer.from(secret)),
          overPrivileged: isCompared ? undefined : "until it expires, it is good for every call that the end service does not compare with it",
        });
      }),
  };
}
