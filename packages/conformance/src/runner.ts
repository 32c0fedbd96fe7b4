// The suite is one of vitest; this is the only file that says so.
// oxlint-disable-next-line no-restricted-imports
export { describe, expect, it } from "vitest";
