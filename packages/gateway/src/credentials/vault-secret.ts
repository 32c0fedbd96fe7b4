import { unavailable } from "../vault/unavailable.ts";
import type { Lease, Vault } from "../vault/vault.ts";

/** The text of a secret of the vault, for as long as `use` runs. Text in JavaScript cannot be zeroed; the bytes are. */
export async function withSecret<T>(
  vault: Vault,
  name: Parameters<Vault["lease"]>[0],
  signal: AbortSignal | undefined,
  use: (secret: string) => Promise<T>,
): Promise<T> {
  await using lease = await vault.lease(name, { signal });
  return await use(secretText(lease));
}

/** Rejects (`credential_unavailable`) what is no UTF-8. */
export function secretText({ value }: Pick<Lease, "value">): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(value);
  } catch {
    throw unavailable("the secret is not text");
  }
}
