import type { JsonObject } from "@ambit/core";
import { EncryptJWT, jwtDecrypt } from "jose";

/** Seals what browsers and clients keep for us, so that nothing is stored for whoever has not signed in. */
export interface Seal {
  /** `lifetime` in milliseconds; for ever without. */
  seal(kind: string, content: JsonObject, lifetime?: number): Promise<string>;
  /** `undefined`: it is not of ours, of another kind, or too old. */
  open(kind: string, text: string): Promise<JsonObject | undefined>;
}

/** `key`: 32 bytes. `now` in milliseconds since the epoch. */
export function createSeal(key: Uint8Array, now: () => number): Seal {
  return {
    seal: async (kind, content, lifetime) => {
      const token = new EncryptJWT({ kind, content }).setProtectedHeader({ alg: "dir", enc: "A256GCM" });
      return (lifetime === undefined ? token : token.setExpirationTime(Math.ceil((now() + lifetime) / 1000))).encrypt(key);
    },
    open: async (kind, text) => {
      try {
        const { payload } = await jwtDecrypt(text, key, {
          currentDate: new Date(now()),
          keyManagementAlgorithms: ["dir"],
          contentEncryptionAlgorithms: ["A256GCM"],
          requiredClaims: ["kind", "content"],
        });
        return payload["kind"] === kind ? (payload["content"] as JsonObject) : undefined;
      } catch {
        return undefined; // not of ours, and refused by the caller
      }
    },
  };
}
