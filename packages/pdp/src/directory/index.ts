/**
 * Who the users are: from identity providers' claims, from two calls, and from the events that say that somebody left.
 *
 * @module
 */
export { createDirectory, type Directory, type DirectoryOptions, type KnownUser, type User } from "./directory.ts";
export { parseUserModel, attributesOf, rolesOf, type Attributes, type AttributeType, type AttributeValue, type UserModel } from "./user-model.ts";
export { readClaims } from "./read-claims.ts";
export { readSecurityEvents, type IgnoredEvent, type SecurityChange, type SecurityEvents } from "./security-events.ts";
export type { ClaimIssuer } from "./claim-mapping.ts";
