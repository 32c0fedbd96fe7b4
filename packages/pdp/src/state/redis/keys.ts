/** A string as part of a key or a value. No two of them have the same text, none is the beginning of another, and lone surrogates survive UTF-8 (I14). */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

export function unquoted(text: string): string {
  return JSON.parse(text) as string;
}

/**
 * The keys of a tenant, in the order that the scripts know them by: the same for every script, so that each declares all it touches. They share the hash tag
 * `{prefix:tenant}`, hence the slot; what else than letters, digits, `_`, `.` and `-` is in a tenant's id stands there as its code units, so that none can close the tag
 * or be another's (I12).
 */
export function keysOf(prefix: string, tenantId: string): string[] {
  return NAMES.map((name) => `{${prefix}:${plain(tenantId)}}:${name}`);
}

/** The keys of a collection of documents, beside those of its tenant. */
export function documentKeysOf(prefix: string, tenantId: string, collection: string): string[] {
  return DOCUMENT_NAMES.map((name) => `{${prefix}:${plain(tenantId)}}:${name}:${plain(collection)}`);
}

/** The keys of a tenant's tuples, beside those of its state. */
export function relationKeysOf(prefix: string, tenantId: string): string[] {
  return RELATION_NAMES.map((name) => `{${prefix}:${plain(tenantId)}}:${name}`);
}

function plain(text: string): string {
  return text.replaceAll(/[^\w.-]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const NAMES = ["calls", "spent", "open", "lineages", "index", "due", "revoked", "unsettled"];
const DOCUMENT_NAMES = ["ends", "documents", "order"];
const RELATION_NAMES = ["tuples", "named", "revision"];

/** Finds the key `due` of every tenant. */
export function duePattern(prefix: string): string {
  return `{${prefix}:*}:due`;
}

/** The keys of the tenant whose key `due` this is. */
export function keysBeside(due: string): string[] {
  const tag = due.slice(0, -"due".length);
  return NAMES.map((name) => `${tag}${name}`);
}

/** Finds the key `ends` of every collection. */
export function endsPattern(prefix: string): string {
  return `{${prefix}:*}:ends:*`;
}

/** The keys of the collection whose key `ends` this is. */
export function documentKeysBeside(ends: string): string[] {
  // No character of a tenant or a collection stands there as `}` or `:`.
  const [tag, collection] = ends.split("}:ends:") as [string, string];
  return DOCUMENT_NAMES.map((name) => `${tag}}:${name}:${collection}`);
}
