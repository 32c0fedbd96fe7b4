import { AmbitError, copyData, isIdentifier, isJsonObject, own, type Json } from "@ambit/core";
import type { ClaimIssuer } from "./claim-mapping.ts";
import { userIdOf } from "./read-claims.ts";
import { readSubject, type EventSubject, type Identifier } from "./subject-identifier.ts";
import type { UserModel } from "./user-model.ts";

/**
 * What an event comes to. INVARIANT I13: it only takes away.
 *
 * - `leaver`: the account is gone. Remove the user, which revokes what was given out.
 * - `delegator`: something about the user changed. Revoke what was given out until now; what is begun afterwards, with a new proof, counts.
 * - `session`: one session ended. Revoke what was given out in it; `session` is what the issuer calls it.
 */
export type SecurityChange = { readonly tenantId: string; readonly event: string; /** Milliseconds since the epoch. */ readonly at: number } & (
  { readonly kind: "leaver" | "delegator"; readonly delegatorId: string } | { readonly kind: "session"; readonly session: string }
);

export interface IgnoredEvent {
  readonly event: string;
  readonly reason: string;
}

export interface SecurityEvents {
  readonly issuer: string;
  /** `jti`: the same for every copy of one token. */
  readonly id: string;
  /** `iat`, milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly changes: readonly SecurityChange[];
  /** What nothing comes of, with the reason. Whoever receives events tells the operator. */
  readonly ignored: readonly IgnoredEvent[];
}

const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC = "https://schemas.openid.net/secevent/risc/event-type/";

const KINDS: ReadonlyMap<string, SecurityChange["kind"]> = new Map([
  [`${RISC}account-purged`, "leaver"],
  [`${RISC}account-disabled`, "leaver"],
  [`${RISC}account-credential-change-required`, "delegator"],
  [`${RISC}credential-compromise`, "delegator"],
  [`${RISC}sessions-revoked`, "delegator"],
  [`${CAEP}credential-change`, "delegator"],
  [`${CAEP}token-claims-change`, "delegator"],
  [`${CAEP}session-revoked`, "session"],
]);

/** The last second of the year 9999. What is later was written in milliseconds, as the examples of the CAEP drafts are. */
const LAST_SECOND = 253_402_300_799;
/** How far the clock of an issuer may be ahead of ours, milliseconds. */
const SKEW = 30_000;
const MOST_EVENTS = 16;

/**
 * Reads the payload of a security event token (RFC 8417, SSF 1.0). Whoever calls has verified that it is typed `secevent+jwt` and signed by the issuer that it names.
 * `now`: milliseconds since the epoch.
 *
 * Refuses (`proof_invalid`, `audience_mismatch`) what is no such token: another audience, an issuer that is not configured, a token that expires (an ID token or
 * an access token is no event), a time that is none or in the future, an event without a subject that can be read. Events of other types, and subjects that no
 * user here goes by, are ignored, visibly.
 */
export function readSecurityEvents(model: Pick<UserModel, "issuers">, payload: unknown, audience: string, now: number): SecurityEvents {
  const refuse = (reason: string): never => {
    throw new AmbitError("proof_invalid", `the security event token ${reason}`);
  };
  const copy = copyData(payload, "proof_invalid", "the security event token");
  const token = isJsonObject(copy) ? copy : refuse("is no object");
  const [name, id, issuedAt, events] = [own(token, "iss"), own(token, "jti"), timeOf(own(token, "iat")), own(token, "events")];
  const issuer = typeof name === "string" ? model.issuers.get(name) : undefined;
  if (issuer === undefined) return refuse("is of an issuer that is not configured");
  const audiences: Json | undefined = own(token, "aud");
  if (!(Array.isArray(audiences) ? (audiences as readonly Json[]) : [audiences]).includes(audience))
    throw new AmbitError("audience_mismatch", "the security event token is for another audience");
  if (typeof id !== "string" || id === "") return refuse("has no `jti`");
  if (Object.hasOwn(token, "exp")) refuse("expires, which events do not (SSF 1.0)");
  if (issuedAt === undefined || !(issuedAt <= now + SKEW)) return refuse("has an `iat` that is no time, or in the future");
  if (!isJsonObject(events)) return refuse("has no `events`");
  const entries = Object.entries(events);
  if (entries.length === 0 || entries.length > MOST_EVENTS) refuse(`must have 1 to ${MOST_EVENTS} events`);

  const changes: SecurityChange[] = [];
  const ignored: IgnoredEvent[] = [];
  for (const [event, given] of entries) {
    const details = isJsonObject(given) ? given : refuse("has an event that is no object");
    const kind = KINDS.get(event);
    if (kind === undefined) {
      ignored.push({ event, reason: "events of this type are not understood" });
      continue;
    }
    const happened = own(details, "event_timestamp") ?? own(token, "toe");
    const at = happened === undefined ? issuedAt : timeOf(happened);
    if (at === undefined || !(at <= now + SKEW)) return refuse("has an event at no time, or in the future");
    if (Object.hasOwn(token, "sub_id") && Object.hasOwn(details, "subject")) refuse("names two subjects");
    const subject = readSubject(own(token, "sub_id") ?? own(details, "subject"), kind === "session");
    if (typeof subject === "string") return refuse(subject);
    const told = changesOf(issuer, kind, subject, { event, at });
    if (typeof told === "string") ignored.push({ event, reason: told });
    else changes.push(...told);
  }
  return Object.freeze({ issuer: issuer.issuer, id, issuedAt, changes: Object.freeze(changes), ignored: Object.freeze(ignored) });
}

/** A session that is not named is every session of the user: taking away more than was asked for is safe, less is not. */
function changesOf(
  issuer: ClaimIssuer,
  kind: SecurityChange["kind"],
  subject: EventSubject,
  told: Pick<SecurityChange, "event" | "at">,
): readonly SecurityChange[] | string {
  const tenants = tenantsOf(issuer, subject.tenant);
  if (typeof tenants === "string") return tenants;
  if (kind === "session" && subject.session !== undefined) {
    const session = own(subject.session, "id");
    if (subject.session.format === "opaque" && isIdentifier(session)) return tenants.map((tenantId) => ({ kind, tenantId, session, ...told }));
    if (subject.user === undefined) return "the session goes by something else than an opaque id";
  }
  const delegatorId = subject.user === undefined ? undefined : delegatorOf(issuer, subject.user);
  if (delegatorId === undefined) return "the subject goes by something else than the claim that users are known by";
  return tenants.map((tenantId) => ({ kind: kind === "session" ? "delegator" : kind, tenantId, delegatorId, ...told }));
}

/** The user whom the claims of the issuer would name: by `iss` and `sub` where ids are made of `sub`, by `email` where they are made of that. */
function delegatorOf(issuer: ClaimIssuer, identifier: Identifier): string | undefined {
  const claim = "claim" in issuer.id ? issuer.id.claim : undefined;
  if (identifier.format === "iss_sub" && claim === "sub" && own(identifier, "iss") === issuer.issuer) return userIdOf(issuer, own(identifier, "sub"));
  return identifier.format === "email" && claim === "email" ? userIdOf(issuer, own(identifier, "email")) : undefined;
}

/** Where the event does not say which tenant, it is all that the issuer speaks for: its users are its users in each of them. */
function tenantsOf({ tenant: place }: ClaimIssuer, identifier: Identifier | undefined): readonly string[] | string {
  if ("id" in place) return [place.id];
  const named = identifier === undefined ? undefined : own(identifier, "id");
  if (isIdentifier(named) && (place.among === "any" || place.among.has(named))) return [named];
  if (identifier !== undefined) return "the issuer does not speak for the tenant of the subject";
  return place.among === "any" ? "the subject does not say which tenant" : [...place.among];
}

/** Milliseconds since the epoch. */
function timeOf(value: Json | undefined): number | undefined {
  if (typeof value !== "number" || !(value >= 0)) return undefined;
  const milliseconds = Math.floor(value <= LAST_SECOND ? value * 1000 : value);
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}
