import { AmbitError } from "@ambit/core";
import { connectorHeaders } from "../egress/headers.ts";
import type { Vault } from "../vault/vault.ts";
import type { Carried, Connector } from "./connector.ts";
import { createCredential, noCredential } from "./credential.ts";
import { orUnavailable } from "./fail-closed.ts";
import { secretText } from "./vault-secret.ts";

/** Where an API key goes; nothing but this says so. */
export type Injection =
  /** `prefix`: what stands before the key, such as `Bearer `. */
  | { readonly header: string; readonly prefix?: string | undefined }
  | { readonly query: string }
  /** HTTP Basic (RFC 7617) with the key as the password of this user, or as the user with this password, which may be empty. */
  | { readonly basic: { readonly user: string } | { readonly password: string } };

export interface VaultConnectorOptions {
  readonly vault: Vault;
  /** The name of the connector: in the vault, and in the record of each action. */
  readonly name: string;
  /** Which secret of the connector. @defaultValue "api_key" */
  readonly id?: string | undefined;
  readonly inject: Injection;
  /** The tenant whose key goes along with what no action is about: setting up connections, and lists. @defaultValue none; nothing goes along */
  readonly setUp?: string | undefined;
}

/**
 * An API key from the vault. INVARIANT I12: the tenant of the action picks it; there is no other way to one. A key allows the same whatever the action is, and the record says so.
 *
 * Throws `option_invalid` for a place that no credential can go to.
 */
export function vaultConnector({ vault, name, id = "api_key", inject, setUp }: VaultConnectorOptions): Connector {
  const carry = carrying(inject);
  return {
    name,
    obtain: async (action, signal) => {
      const tenant = action === undefined ? setUp : action.tenantId;
      if (tenant === undefined) return noCredential();
      return orUnavailable("the secret cannot be taken out", async () => {
        const lease = await vault.lease({ tenant, connector: name, id }, { signal });
        try {
          return createCredential({
            ...carry(secretText(lease)),
            secrets: [lease.value],
            overPrivileged: "an API key allows the same for every action",
            release: async () => lease[Symbol.asyncDispose](),
          });
        } catch (error) {
          await lease[Symbol.asyncDispose]();
          throw error;
        }
      });
    },
  };
}

/** A name of a parameter that needs no encoding. */
const PARAMETER = /^[A-Za-z0-9._~-]{1,128}$/;

function carrying(inject: Injection): (key: string) => Carried {
  const carry = placed(inject);
  try {
    carry("x");
  } catch {
    throw new AmbitError("option_invalid", "`inject` names a place that no credential can go to");
  }
  return carry;
}

function placed(inject: Injection): (key: string) => Carried {
  if ("header" in inject) return (key) => ({ headers: connectorHeaders({ [inject.header]: `${inject.prefix ?? ""}${key}` }) });
  if ("query" in inject) {
    if (!PARAMETER.test(inject.query)) throw new AmbitError("option_invalid", "`inject.query` is no plain name of a parameter");
    return (key) => ({ query: { [inject.query]: key } });
  }
  const { basic } = inject;
  return (key) => {
    const [user, password] = "user" in basic ? [basic.user, key] : [key, basic.password];
    // RFC 7617 section 2: what stands before the first colon is the user.
    if (user.includes(":") || /[\u0000-\u001f\u007f]/.test(user + password))
      throw new AmbitError("credential_unavailable", "the user or password is none of HTTP Basic");
    return { headers: connectorHeaders({ authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` }) };
  };
}
