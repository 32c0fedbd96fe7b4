/**
 * INVARIANT I14: names compare exactly. The grammars below only say what may be a name at all;
 * nothing is folded, trimmed or normalised.
 */
const TOOL_ID = /^[A-Za-z0-9_.-]{1,128}$/;
const IDENTIFIER = /^[\x21-\x7e]{1,256}$/;
const MEMBER = /^[a-z][a-z0-9_]{0,63}$/;

/** A tool id: letters, digits, `_`, `.`, `-`; at most 128. */
export function isToolId(value: unknown): value is string {
  return typeof value === "string" && TOOL_ID.test(value);
}

/** An id of a tenant, delegator, session, task, agent or purpose: visible ASCII, at most 256. */
export function isIdentifier(value: unknown): value is string {
  return typeof value === "string" && IDENTIFIER.test(value);
}

/** A member name on the wire, such as a resource constraint: `snake_case`, at most 64. */
export function isMemberName(value: unknown): value is string {
  return typeof value === "string" && MEMBER.test(value);
}
