import { createHash } from "node:crypto";
import type { KeyWrapper } from "./key-wrapper.ts";
import { KEY_BYTES, seal, unseal } from "./seal.ts";

/** 32 bytes, base64url without padding (RFC 4648 section 5): what `ambit keys secret` makes. A line break may follow. */
const KEY_TEXT = /^[\w-]{43}\r?\n?$/;

/** Wraps with a key that `read` reads when it is first needed; a failure is not remembered (I8). */
export function secretKey(read: () => Promise<Uint8Array>): KeyWrapper {
  let known: { readonly key: Uint8Array; readonly bound: { readonly kind: "key"; readonly by: string } } | undefined;
  const load = async (): Promise<NonNullable<typeof known>> => {
    if (known !== undefined) return known;
    const text = await read();
    try {
      const key = keyOf(text);
      known = { key, bound: { kind: "key", by: createHash("sha256").update("ambit vault key\0").update(key).digest("base64url").slice(0, 16) } };
    } finally {
      text.fill(0);
    }
    return known;
  };
  return Object.freeze<KeyWrapper>({
    wrap: async (data) => {
      const { key, bound } = await load();
      return seal(data, key, bound);
    },
    unwrap: async (wrapped) => {
      const { key, bound } = await load();
      return unseal(wrapped, key, bound);
    },
  });
}

function keyOf(text: Uint8Array): Uint8Array {
  const line = Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("latin1");
  const key = KEY_TEXT.test(line) ? Buffer.from(line.slice(0, 43), "base64url") : undefined;
  if (key?.length !== KEY_BYTES || key.toString("base64url") !== line.slice(0, 43)) throw new Error("the key is not 32 bytes in base64url");
  return key;
}
