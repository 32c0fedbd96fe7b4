import { createHmac, type KeyObject } from "node:crypto";

/** A kind of attack on tokens, as the shared vectors list them. */
export interface AttackClass {
  readonly id: string;
  readonly expect: "accept" | "reject" | "accept-ignore" | "reject-if-different";
  readonly why: string;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export function pem(key: KeyObject, type: "spki" | "pkcs1"): string {
  return key.export({ type, format: "pem" }) as string;
}

/** A token whose "signature" is an HMAC: what a public key is good for where the header chooses the algorithm. */
export function hmacToken(header: { readonly alg: string; readonly [member: string]: unknown }, body: string, secret: string | Buffer): string {
  const input = `${Buffer.from(JSON.stringify(header)).toString("base64url")}.${body}`;
  return `${input}.${createHmac(header.alg.replace("HS", "sha"), secret).update(input).digest("base64url")}`;
}

/** The token with another signature, made of its own. */
export function changeSignature(token: string, change: (signature: Buffer) => Buffer): string {
  const end = token.lastIndexOf(".") + 1;
  return token.slice(0, end) + change(Buffer.from(token.slice(end), "base64url")).toString("base64url");
}

/** S + L: the same signature for whoever does not check that S is below the order of the group. */
export function malleated(signature: Buffer): Buffer {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`) + order;
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse()]);
}

/** Where the last letter has bits below those of the last byte: changed, it is another text of the same bytes. */
export function dangling(text: string): string {
  return text.slice(0, -1) + ALPHABET[ALPHABET.indexOf(text.at(-1) as string) ^ 1];
}
