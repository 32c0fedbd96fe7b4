import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomText } from "@ambit/core";
import { keyFile, sealedFile, type KeyWrapper, type SealedFile, type SealedFileOptions, type SecretName, type Vault } from "@ambit/gateway/vault";

/** A folder with a key file, for a vault in it. */
export interface VaultFolder extends AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  readonly keyPath: string;
  readonly key: KeyWrapper;
  open(options?: Partial<SealedFileOptions>): SealedFile;
  newKey(): Promise<string>;
}

export async function vaultFolder(): Promise<VaultFolder> {
  const folder = await mkdtemp(join(tmpdir(), "ambit-vault-"));
  const newKey = async (): Promise<string> => {
    const path = join(folder, `${randomText(6)}.key`);
    await writeFile(path, `${randomText(32)}\n`, { mode: 0o600 });
    return path;
  };
  const keyPath = await newKey();
  const [path, key] = [join(folder, "vault"), keyFile(keyPath)];
  return {
    folder,
    path,
    keyPath,
    key,
    newKey,
    open: (options) => sealedFile({ path, key, ...options }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

export const CRM: SecretName = { tenant: "tenant_acme", connector: "crm", id: "api_key" };

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The value as text; the lease is over. */
export async function valueOf(vault: Vault, name: SecretName = CRM): Promise<string> {
  const lease = await vault.lease(name);
  const text = new TextDecoder().decode(lease.value);
  await lease[Symbol.asyncDispose]();
  return text;
}

export const UNAVAILABLE = { code: "credential_unavailable" } as const;

/** What each of several things rejects with that go on at the same time; `undefined` for what does not. */
export function errorsOf(...work: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  return Promise.all(work.map((one) => one.then(() => undefined).catch((error: unknown) => error)));
}
