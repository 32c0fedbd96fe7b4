import { AmbitError } from "@ambit/core";
import { refused } from "./failure.ts";

/** What the URL parser would drop or turn into something else: control characters, spaces and backslashes. An address with any of them is two addresses for two readers. */
const REPAIRED = /[\u0000- \\\u007f]/;

export type ReadTarget = (address: string, from?: URL) => URL;

/**
 * Reads where a request goes: the origin, after parsing (WHATWG), is exactly one of `origins`, without credentials in front of it. INVARIANT I14: no wildcard, no suffix; a host with a dot
 * at its end is another host. Throws `option_invalid` for an origin that is not written as an origin; what is returned throws `egress_refused` and names nothing of the address, which may
 * have been made from a secret.
 */
export function createTargets(origins: readonly string[]): ReadTarget {
  for (const origin of origins) {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (url === undefined || url.origin !== origin || !/^https?:$/.test(url.protocol)) {
      throw new AmbitError("option_invalid", "an entry of `origins` is not an origin such as `https://api.example.com`");
    }
  }
  const allowed = new Set(origins);
  return (address, from) => {
    const base = from?.href;
    if (REPAIRED.test(address) || !URL.canParse(address, base)) throw refused("the address of the request is malformed");
    const url = new URL(address, base);
    // Not `url.origin`: that of a `blob:` address is what stands behind the colon.
    if (!allowed.has(`${url.protocol}//${url.host}`)) throw refused("the origin of the request is not one of `origins`");
    if (url.username !== "" || url.password !== "") throw refused("the address of the request contains credentials");
    return url;
  };
}
