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
  const tenant = tenantId.replaceAll(/[^\w.-]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return NAMES.map((name) => `{${prefix}:${tenant}}:${name}`);
}

const NAMES = ["calls", "spent", "open", "lineages", "index", "due", "revoked"];

/** Finds the key `due` of every tenant. */
export function duePattern(prefix: string): string {
  return `{${prefix}:*}:due`;
}

/** The keys of the tenant whose key `due` this is. */
export function keysBeside(due: string): string[] {
  const tag = due.slice(0, -"due".length);
  return NAMES.map((name) => `${tag}${name}`);
}
