import { randomBytes } from "node:crypto";
import { copyData, isIdentifier, isJsonObject, own, type Json } from "@ambit/core";
import type { KeyWrapper } from "./key-wrapper.ts";
import type { Row } from "./row.ts";
import { boundOf, KEY_BYTES, seal, unseal } from "./seal.ts";

/** What is in the file. Each row is still sealed. */
export interface Contents {
  /** How often the vault was changed. */
  readonly version: number;
  readonly rows: readonly Row[];
}

export const NOTHING: Contents = Object.freeze({ version: 0, rows: [] });
/** Characters of the whole file. */
export const MOST_CHARACTERS = 16_777_216;

const MOST_ROWS = 10_000;
const LIMITS = { depth: 2, nodes: 8 * MOST_ROWS, characters: MOST_CHARACTERS };
const WRAPPED_KEY = /^[\x21-\x7e]{1,16384}$/;

/**
 * The file: all rows sealed once more, under a key that is new with every version, so that no row can be left out, put back or taken from another version, and names
 * are not readable either. Throws for more than a vault may hold.
 */
export async function encode({ version, rows }: Contents, wrapper: KeyWrapper): Promise<string> {
  if (rows.length > MOST_ROWS) throw new Error(`a vault holds at most ${MOST_ROWS} secrets`);
  const key = randomBytes(KEY_BYTES);
  try {
    const text = await seal(Buffer.from(JSON.stringify(rows)), key, boundTo(version, await wrapper.wrap(key)));
    if (text.length > MOST_CHARACTERS) throw new Error(`a vault has at most ${MOST_CHARACTERS} characters`);
    return text;
  } finally {
    key.fill(0);
  }
}

/** Throws for anything but a text of `encode`, whole, of any version. */
export async function decode(text: string, wrapper: KeyWrapper): Promise<Contents> {
  const { version, wrappedKey } = readHeader(text);
  const key = await wrapper.unwrap(wrappedKey);
  try {
    const plain = await unseal(text, key, boundTo(version, wrappedKey));
    return { version, rows: readRows(JSON.parse(Buffer.from(plain).toString("utf8"))) };
  } finally {
    key.fill(0);
  }
}

function boundTo(version: number, wrappedKey: string): { readonly kind: "vault"; readonly format: 1; readonly version: number; readonly key: string } {
  return { kind: "vault", format: 1, version, key: wrappedKey };
}

function readHeader(text: string): { readonly version: number; readonly wrappedKey: string } {
  let bound: { readonly [member: string]: unknown };
  try {
    bound = Object(boundOf(text)) as typeof bound;
  } catch {
    throw new Error("it is no vault"); // the error would quote the text
  }
  const { kind, format, version, key } = bound;
  if (kind !== "vault") throw new Error("it is no vault");
  if (format !== 1) throw new Error("it is a vault of another format");
  if (!isCount(version) || typeof key !== "string" || !WRAPPED_KEY.test(key)) throw new Error("it is damaged");
  return { version, wrappedKey: key };
}

/** Only whoever has the key can have written it; it is read as strictly as if that were nobody. */
function readRows(value: unknown): readonly Row[] {
  const rows = copyData(value, "credential_unavailable", "the vault", LIMITS);
  if (!Array.isArray(rows)) throw new Error("it has no list of secrets");
  return (rows as readonly Json[]).map(readRow);
}

function readRow(row: Json): Row {
  if (!isJsonObject(row)) throw new Error("it has a secret that is none");
  const [tenant, connector, id] = [own(row, "tenant"), own(row, "connector"), own(row, "id")];
  const [version, setAt, wrappedKey, sealed] = [own(row, "version"), own(row, "setAt"), own(row, "wrappedKey"), own(row, "sealed")];
  const isNamed = isIdentifier(tenant) && isIdentifier(connector) && isIdentifier(id);
  if (!isNamed || !isCount(version) || !Number.isSafeInteger(setAt) || typeof wrappedKey !== "string" || typeof sealed !== "string")
    throw new Error("it has a secret that is none");
  return { tenant, connector, id, version, setAt: setAt as number, wrappedKey, sealed };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
