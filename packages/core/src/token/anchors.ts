import { AmbitError } from "../errors.ts";
import { isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import type { Header } from "./compact.ts";
import type { PublicKey } from "./crypto.ts";
import { publicKey } from "./key.ts";

/** A key whose holder may issue roots under this name. Whoever configures anchors may put more into them; the verifier hands the same object back. */
export interface TrustAnchor {
  readonly issuer: string;
  readonly key: PublicKey;
  /** Where the tokens of this anchor name their key, the name; a token with another `kid` is not verified with it. */
  readonly kid?: string | undefined;
}

/** RFC 3986: a scheme, and after it no space and no control character. Compared as text, so no more is asked. */
const ISSUER = /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]{1,2000}$/;

/** Reads an anchor from configuration: `{ "issuer", "jwk", "kid"? }`. Throws `option_invalid` for any other member and any other form. */
export function trustAnchor(json: Json): TrustAnchor {
  const fail = (reason: string): never => {
    throw new AmbitError("option_invalid", `trust anchor: ${reason}`);
  };
  if (!isJsonObject(json)) return fail("must be an object");
  const anchor: JsonObject = json;
  for (const member of Object.keys(anchor)) if (!["issuer", "jwk", "kid"].includes(member)) fail("members are `issuer`, `jwk` and `kid`");
  const [issuer, kid] = [own(anchor, "issuer"), own(anchor, "kid")];
  if (typeof issuer !== "string" || !ISSUER.test(issuer)) return fail("`issuer` must be a URI");
  if (kid !== undefined && typeof kid !== "string") return fail("`kid` must be text");
  return Object.freeze({ issuer, key: publicKey(own(anchor, "jwk") ?? null), ...(kid === undefined ? {} : { kid }) });
}

/** The anchors that a root token with this header can be of. */
export function candidates<A extends TrustAnchor>(anchors: readonly A[], header: Header): readonly A[] {
  return anchors.filter(({ key, kid }) => key.algorithm === header.alg && (kid === undefined || header.kid === undefined || kid === header.kid));
}
