import type { Carried } from "./connector.ts";

/** What of a credential goes along; it does not come with a copy of all its members. */
export function carriedOf(credential: Carried | undefined): Carried {
  return { headers: credential?.headers, query: credential?.query, login: credential?.login };
}

/** The headers of a request with those of its credential, which count where both have one. */
export function withHeaders(given: RequestInit["headers"] | undefined, own: Readonly<Record<string, string>> = {}): Headers {
  const headers = new Headers(given);
  for (const [name, value] of Object.entries(own)) headers.set(name, value);
  return headers;
}

/** The address of a request with the parameters of its credential, which count where both have one. */
export function withQuery(address: string | URL, own: Readonly<Record<string, string>> = {}): URL {
  const url = new URL(address);
  for (const [name, value] of Object.entries(own)) url.searchParams.set(name, value);
  return url;
}
