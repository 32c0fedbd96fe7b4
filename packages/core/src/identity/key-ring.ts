import { AmbitError } from "../errors.ts";
import type { JsonObject } from "../data/json.ts";
import { isIdentifier } from "../data/names.ts";
import type { SigningKey } from "../token/key.ts";
import { writeEntry } from "./jwks.ts";
import type { KeySource, ListedKey } from "./key-source.ts";
import type { NamedKey } from "./private-key.ts";

/** A key for a ring. @defaultValue its `kid` is its thumbprint (RFC 7638) */
export type NewKey = SigningKey & { readonly kid?: string };

export interface KeyRingOptions {
  readonly current: NewKey;
  /**
   * What `readJwks` made of the set that the ring published before: the keys that signed earlier. The current one may be among them.
   *
   * @defaultValue none
   */
  readonly previous?: readonly ListedKey[];
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly now?: () => number;
}

export interface RotateOptions {
  /**
   * Seconds for which tokens that the old key signs from now on still count: where several processes rotate, the longest that one of them lags behind.
   *
   * @defaultValue 0
   */
  readonly overlap?: number;
}

/** The signing keys of one issuer: one that signs, older ones that verify what they signed. */
export interface KeyRing extends KeySource {
  /** The key that signs now. Once the ring is rotated, what was handed out before signs no more (rejects with `option_invalid`). */
  readonly current: () => NamedKey;
  /**
   * Lists a key that will sign later. Verifiers that keep the list for a while need it before the first token that is signed with it: announce, wait as
   * long as the slowest of them keeps a list, rotate.
   */
  readonly announce: (next: NewKey) => void;
  /** Makes `next` the key that signs. The old one verifies what was issued until now, and nothing later. Refuses (`option_invalid`) a key that was rotated out. */
  readonly rotate: (next: NewKey, options?: RotateOptions) => void;
  /** Takes a key away, and with it everything it signed: what a stolen key needs. Refuses (`option_invalid`) the current one. */
  readonly drop: (kid: string) => void;
  /** The public keys, to be published. There is no way to the private ones. */
  readonly toJwks: () => { readonly keys: readonly JsonObject[] };
}

/** Throws `option_invalid` for keys of one name or one key under two names, and for a current key that was rotated out before. */
export function createKeyRing({ current: first, previous = [], now = Date.now }: KeyRingOptions): KeyRing {
  let listed: readonly ListedKey[] = [];
  const list = (key: ListedKey): void => {
    const { kid } = key;
    if (key.key === undefined || kid === undefined) throw new AmbitError("option_invalid", "a key of a ring has a name and signs envelopes");
    if (listed.some((other) => other.kid === kid)) throw new AmbitError("option_invalid", `two keys of the ring are called \`${kid}\``);
    if (listed.some((other) => other.key?.thumbprint === key.key?.thumbprint)) throw new AmbitError("option_invalid", "a key is twice in the ring");
    listed = Object.freeze([...listed, key]);
  };

  /** The listed key that this one is, if it may sign. */
  const known = (next: NewKey): ListedKey | undefined => {
    const found = listed.find(({ key }) => key?.thumbprint === next.public.thumbprint);
    if (found === undefined) return undefined;
    if (found.kid !== nameOf(next)) throw new AmbitError("option_invalid", "the key is in the ring under another name");
    // INVARIANT I7: a key that has ended does not begin again.
    if (found.notAfter !== undefined) throw new AmbitError("option_invalid", `the key \`${found.kid}\` was rotated out and signs no more`);
    return found;
  };

  for (const key of previous) list(key);
  if (known(first) === undefined) list(listedKey(first));

  const named = (signer: NewKey): NamedKey => {
    const kid = nameOf(signer);
    const handle: NamedKey = Object.freeze({
      kid,
      public: signer.public,
      sign: async (text: string) => {
        if (current !== handle) throw new AmbitError("option_invalid", `the key \`${kid}\` was rotated out and signs no more`);
        return signer.sign(text);
      },
    });
    return handle;
  };
  let current = named(first);

  return Object.freeze({
    keys: () => listed,
    ready: async () => undefined,
    current: () => current,
    announce: (next: NewKey) => {
      if (known(next) === undefined) list(listedKey(next));
    },
    rotate: (next: NewKey, { overlap = 0 }: RotateOptions = {}) => {
      const notAfter = Math.floor(now() / 1000) + overlap;
      if (!Number.isSafeInteger(overlap) || overlap < 0 || !Number.isSafeInteger(notAfter)) {
        throw new AmbitError("option_invalid", "`overlap` must be a whole number of seconds");
      }
      if (next.public.thumbprint === current.public.thumbprint) throw new AmbitError("option_invalid", "the key is the current one");
      if (known(next) === undefined) list(listedKey(next));
      const old = current.kid;
      // A new object: what was verified under the old words is verified again under the new ones.
      listed = Object.freeze(listed.map((key) => (key.kid === old ? Object.freeze({ ...key, notAfter }) : key)));
      current = named(next);
    },
    drop: (kid: string) => {
      if (kid === current.kid) throw new AmbitError("option_invalid", "the current key cannot be dropped; rotate first");
      listed = Object.freeze(listed.filter((key) => key.kid !== kid));
    },
    toJwks: () => Object.freeze({ keys: Object.freeze(listed.map(writeEntry)) }),
  });
}

function nameOf({ kid, public: key }: NewKey): string {
  const name = kid ?? key.thumbprint;
  if (!isIdentifier(name)) throw new AmbitError("option_invalid", "the `kid` of a key must be an id");
  return name;
}

function listedKey(signer: NewKey): ListedKey {
  const { public: key } = signer;
  return Object.freeze({ kid: nameOf(signer), alg: key.algorithm, jwk: key.jwk, key, notBefore: undefined, notAfter: undefined });
}
