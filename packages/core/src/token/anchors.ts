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
  /**
   * The first `iat` of roots that the key may have signed, seconds since the epoch.
   *
   * @defaultValue no bound
   */
  readonly notBefore?: number | undefined;
  /**
   * The last `iat`: what a retired key signed until then stays verified, for as long as it lives.
   *
   * @remarks
   * Who has stolen a key writes any `iat`. Such a key is no anchor any more at all, whatever it signed.
   * @defaultValue no bound
   */
  readonly notAfter?: number | undefined;
}

/** RFC 3986: a scheme, and after it no space and no control character. Compared as text, so no more is asked. */
const ISSUER = /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]{1,2000}$/;

const MEMBERS = ["issuer", "jwk", "kid", "not_before", "not_after"];

/** Reads an anchor from configuration: `{ "issuer", "jwk", "kid"?, "not_before"?, "not_after"? }`. Throws `option_invalid` for any other member and any other form. */
export function trustAnchor(json: Json): TrustAnchor {
  const fail = (reason: string): never => {
    throw new AmbitError("option_invalid", `trust anchor: ${reason}`);
  };
  if (!isJsonObject(json)) return fail("must be an object");
  const anchor: JsonObject = json;
  for (const member of Object.keys(anchor)) if (!MEMBERS.includes(member)) fail(`members are ${MEMBERS.join(", ")}`);
  const [issuer, kid] = [own(anchor, "issuer"), own(anchor, "kid")];
  if (typeof issuer !== "string" || !ISSUER.test(issuer)) return fail("`issuer` must be a URI");
  if (kid !== undefined && typeof kid !== "string") return fail("`kid` must be text");
  const time = (member: string): number | undefined => {
    const value = own(anchor, member);
    if (value !== undefined && !Number.isSafeInteger(value)) fail(`\`${member}\` must be a whole number of seconds`);
    return value as number | undefined;
  };
  const [notBefore, notAfter] = [time("not_before"), time("not_after")];
  return Object.freeze({
    issuer,
    key: publicKey(own(anchor, "jwk") ?? null),
    ...(kid === undefined ? {} : { kid }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(notAfter === undefined ? {} : { notAfter }),
  });
}

/** The anchors that a root token with this header can be of. */
export function candidates<A extends TrustAnchor>(anchors: readonly A[], header: Header): readonly A[] {
  return anchors.filter(({ key, kid }) => key.algorithm === header.alg && (kid === undefined || header.kid === undefined || kid === header.kid));
}

/** Whether a root with this `iat` can be of the anchor. A bound that is no number lets nothing through. */
export function admitsTime({ notBefore, notAfter }: TrustAnchor, issuedAt: number): boolean {
  return (notBefore === undefined || issuedAt >= notBefore) && (notAfter === undefined || issuedAt <= notAfter);
}
