// What the files of this folder ask of cryptography, wherever it comes from. Signatures are promises, because WebCrypto has no others; hashes are
// not, because they are asked for in the middle of plain functions and every runtime can compute them so.

/** JWS algorithms, fully specified ones only (RFC 9864): the key fixes the algorithm, never the header. */
export type Algorithm = "Ed25519" | "ES256";

/** A public key with the members that RFC 7638 hashes and no others. */
export type PublicJwk =
  { readonly crv: "Ed25519"; readonly kty: "OKP"; readonly x: string } | { readonly crv: "P-256"; readonly kty: "EC"; readonly x: string; readonly y: string };

/** A private key as JSON. It is a secret: keep it out of logs, tokens and messages. */
export type PrivateJwk = PublicJwk & { readonly d: string };

export interface PublicKey {
  readonly algorithm: Algorithm;
  readonly jwk: PublicJwk;
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string;
}

/** Bytes of signatures: 64 of them, for ES256 r and s side by side (RFC 7518 section 3.4). DER would be a second spelling. */
export interface CryptoSource {
  /** SHA-256 of the text's UTF-8, base64url without padding. */
  readonly sha256: (text: string) => string;
  /** Whether the key is one that signatures can be verified with: for ES256, a point on the curve, its coordinates below the field's prime. */
  readonly isUsable: (key: PublicKey) => boolean;
  /**
   * Whether `signature` is the key's over exactly this text. False for whatever is no signature, for one of Ed25519 whose point is of small order (only the
   * key's holder can make one, and not every source would take it), and for a key that is not usable; never rejects.
   */
  readonly verifySignature: (key: PublicKey, text: string, signature: Uint8Array) => Promise<boolean>;
  /** What signs with a private key; rejects when the key is not one. The key itself cannot be read from it. */
  readonly signerOf: (algorithm: Algorithm, jwk: PrivateJwk) => Promise<(text: string) => Promise<Uint8Array>>;
  /** A new key, with the members of `PrivateJwk` and no others. */
  readonly generatePrivateJwk: (algorithm: Algorithm) => Promise<PrivateJwk>;
  /** A UUIDv7 (RFC 9562): the time in milliseconds, then what is random of a UUIDv4. */
  readonly freshId: (milliseconds: number) => string;
}
