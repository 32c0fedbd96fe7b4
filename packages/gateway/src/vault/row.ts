import { randomBytes, timingSafeEqual } from "node:crypto";
import type { KeyWrapper } from "./key-wrapper.ts";
import { KEY_BYTES, seal, unseal } from "./seal.ts";
import type { SecretEntry } from "./vault.ts";

/** A secret as it is kept: sealed under a data key of its own, which the vault's key wraps. */
export interface Row extends SecretEntry {
  readonly wrappedKey: string;
  readonly sealed: string;
}

export async function sealRow(entry: SecretEntry, value: Uint8Array, wrapper: KeyWrapper): Promise<Row> {
  const key = randomBytes(KEY_BYTES);
  try {
    return { ...entry, wrappedKey: await wrapper.wrap(key), sealed: await seal(value, key, boundTo(entry)) };
  } finally {
    key.fill(0);
  }
}

/** The value, which whoever asked zeros. Throws when any part of the row is another's, or of another version. */
export async function openRow(row: Row, wrapper: KeyWrapper): Promise<Uint8Array> {
  const key = await wrapper.unwrap(row.wrappedKey);
  try {
    return await unseal(row.sealed, key, boundTo(row));
  } finally {
    key.fill(0);
  }
}

/** Throws when `to` cannot open what it wrapped: the secret would be lost. */
export async function rewrapRow(row: Row, from: KeyWrapper, to: KeyWrapper): Promise<Row> {
  const key = await from.unwrap(row.wrappedKey);
  let again: Uint8Array | undefined;
  try {
    const rewrapped = { ...row, wrappedKey: await to.wrap(key) };
    again = await to.unwrap(rewrapped.wrappedKey);
    if (!timingSafeEqual(again, key)) throw new Error("the next key does not open what it wrapped");
    return rewrapped;
  } finally {
    key.fill(0);
    again?.fill(0);
  }
}

export function entryOf({ tenant, connector, id, version, setAt }: SecretEntry): SecretEntry {
  return Object.freeze({ tenant, connector, id, version, setAt });
}

/** INVARIANT I12: no row opens as another tenant's, connector's, secret's or version's. */
function boundTo({ tenant, connector, id, version, setAt }: SecretEntry): {
  readonly kind: "secret";
  readonly tenant: string;
  readonly connector: string;
  readonly id: string;
  readonly version: number;
  readonly set_at: number;
} {
  return { kind: "secret", tenant, connector, id, version, set_at: setAt };
}
