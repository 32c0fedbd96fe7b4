import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";

/** Whom an event is about, as far as it says so (RFC 9493, SSF 1.0 section 3). */
export interface EventSubject {
  readonly user: Identifier | undefined;
  readonly session: Identifier | undefined;
  readonly tenant: Identifier | undefined;
}

/** A simple subject: members by name, with the format among them. */
export type Identifier = JsonObject & { readonly format: string };

/**
 * Reads a subject, simple or complex. A simple one is the user, except for the opaque one of an event about a session. A subject of the drafts, `subject_type` with
 * hyphens, or complex without a format, is read like the one that came of it. A text: what is wrong.
 */
export function readSubject(value: Json | undefined, isAboutSession: boolean): EventSubject | string {
  if (!isJsonObject(value)) return "has no subject";
  const format = formatOf(value);
  if (format === undefined || format === "complex") {
    const [user, session, tenant] = ["user", "session", "tenant"].map((member) => identifierOf(own(value, member)));
    if (user === null || session === null || tenant === null) return "has a subject that cannot be read";
    return user === undefined && session === undefined ? "has a subject that is neither a user nor a session" : { user, session, tenant };
  }
  const simple = identifierOf(value);
  if (simple === null || simple === undefined) return "has a subject that cannot be read";
  const isSession = isAboutSession && format === "opaque";
  return { user: isSession ? undefined : simple, session: isSession ? simple : undefined, tenant: undefined };
}

/** `undefined` when it is absent, `null` when it is none. */
function identifierOf(value: Json | undefined): Identifier | undefined | null {
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) return null;
  const format = formatOf(value);
  return format === undefined || format === "complex" || format === "aliases" ? null : { ...value, format };
}

function formatOf(value: JsonObject): string | undefined {
  const [format, former] = [own(value, "format"), own(value, "subject_type")];
  // Of two that differ nobody could tell which one is meant.
  if (format !== undefined && former !== undefined) return undefined;
  const name = format ?? former;
  return typeof name === "string" ? name.replaceAll("-", "_") : undefined;
}
