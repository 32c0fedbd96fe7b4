/**
 * Who the users are: from identity providers' claims, from two calls, and from the events that say that somebody left.
 *
 * @module
 */
export { createDirectory, type Directory, type User } from "./directory.ts";
export { parseUserModel } from "./user-model.ts";
export { readClaims } from "./read-claims.ts";
export { readSecurityEvents, type SecurityEvents } from "./security-events.ts";
