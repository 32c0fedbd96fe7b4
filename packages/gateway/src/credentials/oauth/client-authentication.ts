import { importPKCS8 } from "jose";
import { ClientSecretBasic, ClientSecretPost, PrivateKeyJwt, type ClientAuth } from "oauth4webapi";

/** How the gateway shows at the token endpoint which client it is: RFC 6749 section 2.3.1, or RFC 7523 with a key. */
export type ClientAuthentication =
  | "client_secret_basic"
  | "client_secret_post"
  | {
      readonly kind: "private_key_jwt";
      /** Of the key, as JWA calls it. */
      readonly algorithm: "ES256" | "ES384" | "ES512" | "Ed25519" | "PS256" | "RS256";
      readonly keyId?: string | undefined;
    };

/** `secret`: the client secret, or the private key as PKCS #8 in PEM. */
export async function clientAuth(how: ClientAuthentication, secret: string): Promise<ClientAuth> {
  if (how === "client_secret_basic") return ClientSecretBasic(secret);
  if (how === "client_secret_post") return ClientSecretPost(secret);
  const key = await importPKCS8(secret, how.algorithm);
  return PrivateKeyJwt(how.keyId === undefined ? key : { key, kid: how.keyId });
}
