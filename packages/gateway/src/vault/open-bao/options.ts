import { AmbitError } from "@ambit/core";
import type { SecretName } from "../secret-name.ts";

/** Text, or where it comes from each time that it is needed. */
export type TextSource = string | (() => string | Promise<string>);

/** How the server knows who asks. */
export type BaoAuth =
  /** A token that somebody else keeps alive: an agent's sink file, an operator. */
  | { readonly kind: "token"; readonly token: TextSource }
  /** A token of an identity provider or of the workload (SPIFFE, Kubernetes) is shown to the method that is mounted at `mount`. @defaultValue mount: `jwt` */
  | { readonly kind: "jwt"; readonly role: string; readonly jwt: TextSource; readonly mount?: string | undefined }
  /** A token that was handed over wrapped, and is good as long as it can be renewed. @defaultValue createdAt: `auth/token/create` */
  | { readonly kind: "wrapped"; readonly token: TextSource; readonly createdAt?: string | undefined };

/** Where a secret is on the server. */
export type BaoSecret = {
  /** The member that is the secret; without it, all of them as canonical JSON. */
  readonly field?: string | undefined;
  /** The wrapping token, where the secret was handed over wrapped: it is opened once, and only when it was made for this very path. */
  readonly wrapped?: TextSource | undefined;
} & (
  | /** Of the KV engine, version 2. */ { readonly kind: "kv"; readonly mount: string; readonly path: string }
    /** Made for each lease (`database/creds/readonly`), and revoked with it. */
  | { readonly kind: "dynamic"; readonly path: string }
);

export interface OpenBaoOptions {
  /** `https://…`, with the path before `/v1` if there is one. A standby that answers with a redirect is not followed. */
  readonly address: string;
  readonly auth: BaoAuth;
  readonly namespace?: string | undefined;
  /**
   * Where secrets are; `undefined` for one that there is not. INVARIANT I12: no two tenants at one place.
   * @defaultValue the field `value` at `TENANT/CONNECTOR/ID` of the KV engine `secret`
   */
  readonly secretAt?: ((name: SecretName) => BaoSecret | undefined) | undefined;
  /** Milliseconds for one lease, with everything that has to be asked for it. @defaultValue 2000 */
  readonly deadline?: number | undefined;
  /** Bytes of an answer. @defaultValue 1,048,576 */
  readonly mostBytes?: number | undefined;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: string | undefined;
  /** Whether `http:` to this very machine will do: for tests. @defaultValue false */
  readonly allowLoopback?: boolean | undefined;
  /** Hears of what nobody waits for, or should be looked into: what could not be revoked, a wrapped secret that somebody may have opened. */
  readonly onProblem?: ((error: AmbitError) => void) | undefined;
  /** The clock, in milliseconds since the epoch. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}

/** A server decodes `%2F` before it looks, so a name with a slash would be in another's place; and paths with dots are walked. */
const SEGMENT = /^[\w.@:-]*[\w@:-]$/;
const NAMESPACE = /^[\w./@:-]{1,256}$/;
const TOKEN = /^[\x21-\x7e]{1,16384}$/;

/** A path of the API. Throws `code` for one that a server or a proxy could read as another. */
export function checkedPath(segments: readonly string[], code: "option_invalid" | "credential_unavailable"): string {
  if (segments.some((segment) => segment.length > 256 || !SEGMENT.test(segment)))
    throw new AmbitError(code, "a path of a secret is made of letters, digits and `_.@:-`, and no part ends in a dot");
  return segments.join("/");
}

/** The value of the header. Throws `option_invalid`. */
export function checkedNamespace(namespace: string): string {
  if (!NAMESPACE.test(namespace)) throw new AmbitError("option_invalid", "`namespace` is not the path of a namespace");
  return namespace;
}

/** Rejects for what is no token; it is quoted nowhere, and neither is what the source rejects with. */
export async function textOf(source: TextSource): Promise<string> {
  let text: unknown;
  try {
    text = typeof source === "function" ? await source() : source;
  } catch {
    text = undefined;
  }
  if (typeof text !== "string" || !TOKEN.test(text)) throw new AmbitError("credential_unavailable", "there is no token to show to the vault's server");
  return text;
}
