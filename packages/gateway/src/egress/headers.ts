import { refused } from "./failure.ts";

/** RFC 9110 section 5.6.2. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 section 5.5 without `obs-text`: visible ASCII, blanks in between only. */
const VALUE = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
const LONGEST_VALUE = 8192;
/** The word that MCP 2026-07-28 writes for values that a header cannot hold: as a value by itself it would be read as another one. */
const ENCODED_WORD = /^=\?base64\?.*\?=$/i;

/** What frames a message, belongs to one hop or says who asks: the connection's own business, in no request's headers (RFC 9110 section 7.6.1, RFC 7239). */
const CONNECTION =
  /^(?:connection|content-length|expect|forwarded|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|via|x-forwarded-.*|x-real-ip)$/;
/** What only the gateway itself says. */
const GATEWAY = /^(?:dpop|mcp-.*|txn-token|workload-.*)$/;

/** What `fetch` takes for headers. */
type HeadersInit = ConstructorParameters<typeof Headers>[0];
type Entries = Iterable<readonly (string | undefined)[]>;

/**
 * The headers of a request by their names in lower case. Refuses (`egress_refused`) names and values that are not what RFC 9110 calls so, values of more than 8192 characters,
 * headers of the connection, and a name that comes twice, with `_` read as `-` as servers behind CGI do. No message contains a value.
 */
export function outgoingHeaders(headers: HeadersInit): Record<string, string> {
  const result = new Map<string, string>();
  const spellings = new Set<string>();
  for (const [name = "", value = ""] of entriesOf(headers)) {
    const spelling = spellingOf(name);
    if (CONNECTION.test(spelling)) throw refused("a header of the request belongs to the connection");
    if (value.length > LONGEST_VALUE || !VALUE.test(value)) throw refused("a header of the request has a value that no header can have");
    if (spellings.has(spelling)) throw refused("a header of the request comes twice");
    spellings.add(spelling);
    result.set(lowerCase(name), value);
  }
  return Object.fromEntries(result);
}

/**
 * Headers that a connector's configuration names, with the credential in their values: `outgoingHeaders`, and none that only the gateway says (`mcp-*`, `dpop`, `txn-token`,
 * `workload-*`), no value that MCP would decode.
 */
export function connectorHeaders(headers: HeadersInit): Record<string, string> {
  const result = outgoingHeaders(headers);
  for (const [name, value] of Object.entries(result)) {
    if (GATEWAY.test(spellingOf(name))) throw refused("a header of the connector is one that the gateway sets");
    if (ENCODED_WORD.test(value)) throw refused("a header of the connector has a value that would be decoded");
  }
  return result;
}

function entriesOf(headers: HeadersInit): Entries {
  if (headers === undefined) return [];
  return Symbol.iterator in headers ? (headers as Entries) : Object.entries(headers);
}

function spellingOf(name: string): string {
  if (!NAME.test(name)) throw refused("a header of the request has a malformed name");
  return lowerCase(name).replaceAll("_", "-");
}

/** Header names know no case (RFC 9110 section 5.1). */
// oxlint-disable-next-line ambit/no-name-folding
const lowerCase = (name: string): string => name.toLowerCase();
