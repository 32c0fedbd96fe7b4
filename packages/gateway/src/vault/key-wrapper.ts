/**
 * A key that is kept outside the vault and wraps those that are in it: of a key file, a passphrase, a keyring, a key management service.
 *
 * Wrapping is authenticated: nobody without the key can make a text that `unwrap` takes. Neither keeps the bytes that it is given or gives out; whoever has them
 * zeros them.
 */
export interface KeyWrapper {
  /** A data key of 32 bytes as text: visible ASCII, at most 16,384 characters. Rejects when the key cannot be had. */
  wrap(key: Uint8Array): Promise<string>;
  /** Rejects for what this key did not wrap. */
  unwrap(wrapped: string): Promise<Uint8Array>;
}

/** Wraps with the first and unwraps with the one that can: for processes that go on while `rotateKey` goes from the second to the first. */
export function eitherKey(current: KeyWrapper, former: KeyWrapper): KeyWrapper {
  return Object.freeze<KeyWrapper>({
    wrap: (key) => current.wrap(key),
    unwrap: (wrapped) => current.unwrap(wrapped).catch(() => former.unwrap(wrapped)),
  });
}
