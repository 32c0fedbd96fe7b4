import { AmbitError } from "@ambit/core";
import { asPart, Unsuitable, type Document } from "./document.ts";

/** Where the credentials of an API go, as `<place> <name>`. */
export type Credentials = ReadonlySet<string>;

/** The places of the API keys that the document tells of (`securitySchemes`). Refuses (`option_invalid`) one that cannot be read: an argument could take its place. */
export function readCredentials(document: Document): Credentials {
  const schemes = Object.values(asPart(asPart(document.root["components"])?.["securitySchemes"]) ?? {});
  try {
    const keys = schemes.map((scheme) => document.object(scheme)).filter(({ type }) => type === "apiKey");
    return new Set(keys.map(({ in: place, name }) => keyOf(String(place), String(name))));
  } catch (error) {
    if (Unsuitable.isInstance(error)) throw new AmbitError("option_invalid", `\`document\` has a security scheme that cannot be read: ${error.message}`);
    throw error;
  }
}

/** Words in the names of headers that stand for a credential, whatever the document says of them. */
const WORDS =
  /(?:^|[-.])(?:api-?keys?|auth|authentication|authorization|bearer|cookies?|credentials?|dpop|jwt|passwd|password|secret|session|signature|[a-z]*token)(?:$|[-.])/;
/** RFC 6750 section 2.3, and what else is common. */
const IN_QUERY: ReadonlySet<string> = new Set(["access_token", "api_key", "apikey", "client_secret"]);

/** INVARIANT I10: an argument is never a credential, so that none comes from an agent, and none of the connector's has another beside it. */
export function isCredential(credentials: Credentials, place: string, name: string): boolean {
  if (credentials.has(keyOf(place, name))) return true;
  return place === "header" ? WORDS.test(foldHeader(name)) : place === "query" && IN_QUERY.has(name);
}

function keyOf(place: string, name: string): string {
  return `${place} ${place === "header" ? foldHeader(name) : name}`;
}

/** Names of headers fold case (RFC 9110 section 5.1), and servers behind CGI read `_` as `-`. */
// oxlint-disable-next-line ambit/no-name-folding
export const foldHeader = (name: string): string => name.toLowerCase().replaceAll("_", "-");
