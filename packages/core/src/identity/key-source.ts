import type { JsonObject } from "../data/json.ts";
import type { PublicKey } from "../token/crypto.ts";

/** A public key as somebody lists it. Frozen; never with a private member. */
export interface ListedKey {
  /** What tokens call it by. */
  readonly kid: string | undefined;
  /** The one algorithm that it is for, when the list says so. */
  readonly alg: string | undefined;
  /** The members that make up the key (RFC 7638), and no others. */
  readonly jwk: JsonObject;
  /** The key as chains of envelopes want it; absent for kinds that only JWTs are signed with (RSA, P-384, P-521). */
  readonly key: PublicKey | undefined;
  /** The first and the last `iat` of tokens that it may have signed, seconds since the epoch. */
  readonly notBefore: number | undefined;
  readonly notAfter: number | undefined;
}

/** Where the keys of an issuer come from: a ring of this process, a list in a file, a list over HTTPS. */
export interface KeySource {
  /**
   * The keys as they are known now, without waiting; none when they cannot be known. A key stays the same object for as long as it is listed and
   * nothing is said differently of it.
   */
  readonly keys: () => readonly ListedKey[];
  /**
   * To be awaited before `keys`: looks whether the list is still what the issuer says, and with a `kid` that is not listed looks again, as often
   * as the source can bear. Rejects with `state_unavailable` when the keys cannot be known.
   */
  readonly ready: (unknownKid?: string) => Promise<void>;
}
