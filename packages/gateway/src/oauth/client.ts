import { isJsonObject, own, type Json } from "@ambit/core";

/** A program that asks for access. None of them has a secret. */
export interface Client {
  readonly id: string;
  /** What it calls itself: nobody has checked it. */
  readonly name: string;
  /** The host that vouches for its metadata, of which the document is. */
  readonly host: string | undefined;
  readonly redirectUris: readonly string[];
}

const MOST_REDIRECTS = 10;
const LONGEST_URI = 512;
const LONGEST_NAME = 80;
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

/**
 * Reads the metadata of a client (RFC 7591 section 2). `undefined` for what nobody could be sent back to: `https:` addresses, `http:` of this very machine (RFC 8252 section 7.3), and schemes of
 * apps: those with a dot (section 7.1), and `schemes`. No fragments, no credentials.
 */
export function readClientMetadata(metadata: Json, schemes: readonly string[]): Pick<Client, "name" | "redirectUris"> | undefined {
  if (!isJsonObject(metadata)) return undefined;
  const [uris, name] = [own(metadata, "redirect_uris"), own(metadata, "client_name")];
  if (!Array.isArray(uris) || uris.length === 0 || uris.length > MOST_REDIRECTS) return undefined;
  const redirectUris = (uris as readonly Json[]).filter((uri): uri is string => typeof uri === "string" && isRedirect(uri, schemes));
  return redirectUris.length === uris.length ? { redirectUris, name: shownName(name) } : undefined;
}

/** Whether the client may be answered there: exactly one of its addresses, at any port where that is of this very machine (RFC 8252 section 7.3). */
export function mayRedirectTo({ redirectUris }: Client, uri: string): boolean {
  if (redirectUris.includes(uri)) return true;
  const asked = loopback(uri);
  return asked !== undefined && redirectUris.some((known) => loopback(known) === asked);
}

/** The address without its port, where it is one of this machine; `localhost` is not the same as `127.0.0.1`. */
function loopback(uri: string): string | undefined {
  if (uri.length > LONGEST_URI || !URL.canParse(uri)) return undefined;
  const url = new URL(uri);
  // What the parser had to repair is not the address that was registered.
  if (url.protocol !== "http:" || !LOOPBACK.has(url.hostname) || url.href !== uri || url.hash !== "" || url.username !== "" || url.password !== "")
    return undefined;
  url.port = "";
  return url.href;
}

function isRedirect(uri: string, schemes: readonly string[]): boolean {
  if (uri.length > LONGEST_URI || !/^[\x21-\x7e]+$/.test(uri) || uri.includes("#") || !URL.canParse(uri)) return false;
  const { protocol, hostname, username, password } = new URL(uri);
  if (username !== "" || password !== "") return false;
  if (protocol === "https:") return true;
  if (protocol === "http:") return LOOPBACK.has(hostname);
  return protocol.includes(".") || schemes.includes(protocol);
}

/** Without what could make it look like something else on a page. */
function shownName(name: Json | undefined): string {
  const shown =
    typeof name === "string"
      ? name
          .replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "")
          .slice(0, LONGEST_NAME)
          .trim()
      : "";
  return shown === "" ? "A program without a name" : shown;
}
