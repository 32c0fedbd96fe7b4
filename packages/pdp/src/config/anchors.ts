import { AmbitError, isIdentifier, type JsonObject } from "@ambit/core";
import { listedAnchors, type KeySource } from "@ambit/core/identity";
import { trustAnchor, type EnvelopeAnchor, type TrustAnchor } from "@ambit/core/token";
import { readKeys } from "./keys.ts";
import { Reader } from "./reader.ts";

const COMMON = ["kind", "issuer"];
const KEY = ["jwk", "kid", "not_before", "not_after"];
const TRUST = new Set(["issuer", ...KEY]);

/** Whose roots are taken. */
export interface AnchorSource {
  /** As they are known now. An anchor is the same object for as long as nothing is said differently of it. */
  readonly anchors: () => readonly EnvelopeAnchor[];
  /** To be awaited before `anchors`. Rejects when some of them cannot be known; those that are known still count. */
  readonly ready: () => Promise<void>;
}

/** What an anchor of either kind says besides its key. */
type Meaning = { readonly kind: "ambit"; readonly tenants: ReadonlySet<string> } | Omit<Extract<EnvelopeAnchor, { kind: "aat" }>, keyof TrustAnchor>;

/**
 * Reads trust anchors of either kind, each with its key. Refuses (`config_invalid`) none at all, unknown and missing members, and two anchors of one key and name: a
 * chain would be of the first of them, whatever the second says.
 */
export function parseAnchors(data: unknown, file = "the anchors"): readonly EnvelopeAnchor[] {
  const reader = new Reader("config_invalid", file, data);
  return distinct(reader, (element) => [element.members([...COMMON, "jwk"], [...KEY, ...meaningMembers(element)]) && withKey(element)]);
}

/** The same, where an anchor may have the address of a key set, `jwks`, instead of a key. */
export function readAnchors(reader: Reader, now: () => number): AnchorSource {
  const sources: KeySource[] = [];
  const lists: (() => readonly EnvelopeAnchor[])[] = [];
  const fixed = distinct(reader, (element) => {
    const jwks = element.at("jwks");
    if (jwks.isAbsent) return [element.members([...COMMON, "jwk"], [...KEY, ...meaningMembers(element)]) && withKey(element)];
    element.members([...COMMON, "jwks"], meaningMembers(element));
    const [source, meaning, issuer] = [readKeys(jwks, "jwks", now), meaningOf(element), element.at("issuer").text()];
    sources.push(source);
    lists.push(listedAnchors(source, () => ({ issuer, ...meaning })) as () => readonly EnvelopeAnchor[]);
    return [];
  });
  return {
    anchors: () => [...fixed, ...lists.flatMap((list) => list())],
    ready: async () => void (await Promise.all(sources.map((source) => source.ready()))),
  };
}

function distinct(reader: Reader, read: (element: Reader) => readonly EnvelopeAnchor[]): readonly EnvelopeAnchor[] {
  const names = new Set<string>();
  if (reader.elements().length === 0) reader.fail("must have at least one anchor");
  return reader.elements().flatMap((element) => {
    const anchors = read(element);
    for (const { key, issuer } of anchors) {
      const name = `${key.thumbprint} ${issuer}`;
      if (names.has(name)) element.fail("has the issuer and the key of one before");
      names.add(name);
    }
    return anchors;
  });
}

function meaningMembers(reader: Reader): readonly string[] {
  return reader.at("kind").oneOf("ambit", "aat") === "ambit" ? ["tenants"] : ["tenant_id", "delegator_id", "purpose"];
}

function meaningOf(reader: Reader): Meaning {
  if (reader.at("kind").value === "ambit") {
    const tenants = reader.at("tenants").texts(isIdentifier, "the id of a tenant");
    if (tenants.length === 0) reader.at("tenants").fail("must name the tenants that the issuer speaks for");
    return { kind: "ambit", tenants: new Set(tenants) };
  }
  const id = (member: string): string => reader.at(member).textThat(isIdentifier, "an id");
  return { kind: "aat", tenantId: id("tenant_id"), delegatorId: id("delegator_id"), purpose: id("purpose") };
}

function withKey(reader: Reader): EnvelopeAnchor {
  const members = Object.entries(reader.object()).filter(([member]) => TRUST.has(member));
  try {
    return Object.freeze({ ...trustAnchor(Object.fromEntries(members) as JsonObject), ...meaningOf(reader) });
  } catch (error) {
    return reader.fail(AmbitError.isInstance(error) ? error.message : "cannot be read");
  }
}
