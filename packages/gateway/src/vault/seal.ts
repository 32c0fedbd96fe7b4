import { CompactEncrypt, compactDecrypt } from "jose";
import type { JsonObject } from "@ambit/core";

/** Of an AES-256 key. */
export const KEY_BYTES = 32;

const OPTIONS = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };

/**
 * Seals bytes under a key that seals nothing else or little: IVs are random. The form is a compact JWE (RFC 7516, `dir`, A256GCM), so that any JOSE library opens
 * it with the key.
 * `bound` is readable and part of what is authenticated: it is the member `ambit` of the protected header, which is the additional data of the encryption.
 */
export async function seal(plain: Uint8Array, key: Uint8Array, bound: JsonObject): Promise<string> {
  return new CompactEncrypt(plain).setProtectedHeader(headerOf(bound)).encrypt(key);
}

/** What `seal` sealed, with the same key and bound to the same. Throws for everything else: for another spelling of the very same bytes, too. */
export async function unseal(sealed: string, key: Uint8Array, bound: JsonObject): Promise<Uint8Array> {
  const parts = sealed.split(".");
  // Base64 has bits to spare at its end, and decoders that ignore them would not notice that they were changed.
  const isOneSpelling = parts.length === 5 && parts.every((part) => Buffer.from(part, "base64url").toString("base64url") === part);
  if (!isOneSpelling) throw new Error("it is cut off or damaged");
  if (parts[0] !== Buffer.from(JSON.stringify(headerOf(bound))).toString("base64url")) throw new Error("it was sealed for something else");
  const { plaintext } = await compactDecrypt(sealed, key, OPTIONS);
  return plaintext;
}

/** What something says it is bound to. Nobody has vouched for that until `unseal` has opened it. Throws for what is not even JSON. */
export function boundOf(sealed: string): unknown {
  const header: unknown = JSON.parse(Buffer.from(sealed.slice(0, sealed.indexOf(".")), "base64url").toString("utf8"));
  return (header as { readonly ambit?: unknown } | null)?.ambit;
}

function headerOf(bound: JsonObject): { readonly alg: string; readonly enc: string; readonly ambit: JsonObject } {
  return { alg: "dir", enc: "A256GCM", ambit: bound };
}
