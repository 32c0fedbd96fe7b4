import { AmbitError } from "@ambit/core";
import { listOf, member, type Document } from "./document.ts";

/** Where all requests go. */
export interface Server {
  readonly origin: string;
  /** What every path begins with; without a slash at its end. */
  readonly path: string;
}

/** Reads the address of the API: the operator's, else the document's first. Refuses (`option_invalid`) one that is not absolute, or has more than an origin and a plain path. */
export function readServer(document: Document, given: string | undefined): Server {
  const address = given ?? member(listOf(document.root["servers"])[0], "url");
  const url = typeof address === "string" && URL.canParse(address) ? new URL(address) : undefined;
  const path = url?.pathname.replace(/\/$/, "") ?? "";
  const isPlain = url !== undefined && /^https?:$/.test(url.protocol) && !/[{}]/.test(url.host) && /^(?:\/[^/%{}]+)*$/.test(path);
  // Written in another way it would be repaired: dot segments, a query, credentials in front of the host.
  if (!isPlain || ![`${url.origin}${path}`, `${url.origin}${path}/`].includes(address as string))
    throw new AmbitError(
      "option_invalid",
      "`server` is not an origin and a plain path, as `https://api.example.com/v1`, and the document does not begin with such a one",
    );
  return { origin: url.origin, path };
}
