import { isIdentifier, isMemberName } from "@ambit/core";

const TYPE = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** A type of objects or subjects: letters, digits and `_`, at most 64. INVARIANT I14: compared exactly, as all names are. */
export function isTypeName(value: unknown): value is string {
  return typeof value === "string" && TYPE.test(value);
}

/** An id that can be stored: text of 1 to 512 characters that every store keeps as it is. None of them means anything else than itself, `*` included. */
export function isObjectId(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= 512 && !value.includes("\0") && value.isWellFormed();
}

export const isTenantId: typeof isIdentifier = isIdentifier;
export const isRelationName: typeof isMemberName = isMemberName;
