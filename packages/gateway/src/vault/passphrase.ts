import { randomBytes, scrypt } from "node:crypto";
import { AmbitError } from "@ambit/core";
import type { KeyWrapper } from "./key-wrapper.ts";
import { boundOf, KEY_BYTES, seal, unseal } from "./seal.ts";

export interface PassphraseOptions {
  /** The work to try one passphrase, as a power of two from 14 to 18 (scrypt, RFC 7914: N; r = 8, p = 1). Of what is there already, its own counts. @defaultValue 17: 128 MiB */
  readonly cost?: number | undefined;
}

/** What is stored beside what was wrapped. */
interface Derivation {
  readonly kind: "scrypt";
  readonly cost: number;
  readonly salt: string;
  readonly [member: string]: string | number;
}

const [LEAST_COST, MOST_COST] = [14, 18];
const LEAST_BYTES = 12;
const SALT = /^[\w-]{22}$/;
const MOST_KNOWN = 4;

/**
 * A key that is derived from a passphrase: for one person and one machine; whoever gets a copy of the vault can try passphrases. The derivation takes memory and
 * time once, not for each secret. What a file demands beyond `cost` 18 is refused before it is tried.
 *
 * Throws `option_invalid` for fewer than 12 bytes, and for a `cost` out of bounds. The bytes are copied.
 */
export function passphrase(secret: Uint8Array, options: PassphraseOptions = {}): KeyWrapper {
  const { cost = 17 } = options;
  if (secret.length < LEAST_BYTES) throw new AmbitError("option_invalid", `the passphrase must have at least ${LEAST_BYTES} bytes`);
  if (!isCost(cost)) throw new AmbitError("option_invalid", `\`cost\` must be a whole number from ${LEAST_COST} to ${MOST_COST}`);
  const own = Buffer.from(secret);
  const known = new Map<string, Promise<Uint8Array>>();
  const derive = ({ cost: power, salt }: Derivation): Promise<Uint8Array> => {
    const name = `${power}.${salt}`;
    const found = known.get(name);
    if (found !== undefined) return found;
    const deriving = new Promise<Uint8Array>((resolve, reject) => {
      const parameters = { N: 2 ** power, r: 8, p: 1, maxmem: 2 ** (power + 11) };
      scrypt(own, Buffer.from(salt, "base64url"), KEY_BYTES, parameters, (error, key) => (error === null ? resolve(key) : reject(error)));
    });
    for (const oldest of [...known.keys()].slice(0, Math.max(0, known.size + 1 - MOST_KNOWN))) known.delete(oldest);
    known.set(name, deriving);
    deriving.catch(() => known.delete(name));
    return deriving;
  };
  let current: Derivation | undefined;
  return Object.freeze<KeyWrapper>({
    wrap: async (key) => {
      current ??= { kind: "scrypt", cost, salt: randomBytes(16).toString("base64url") };
      return seal(key, await derive(current), current);
    },
    unwrap: async (wrapped) => {
      const derivation = readDerivation(wrapped);
      const key = await unseal(wrapped, await derive(derivation), derivation);
      // One salt for what one passphrase wraps, or every secret would cost a derivation of its own.
      if (derivation.cost >= cost) current ??= derivation;
      return key;
    },
  });
}

function readDerivation(wrapped: string): Derivation {
  const { kind, cost, salt } = Object(boundOf(wrapped)) as { readonly [member: string]: unknown };
  if (kind !== "scrypt" || !isCost(cost) || typeof salt !== "string" || !SALT.test(salt)) throw new Error("no passphrase has wrapped it");
  return { kind, cost, salt };
}

function isCost(cost: unknown): cost is number {
  return Number.isInteger(cost) && (cost as number) >= LEAST_COST && (cost as number) <= MOST_COST;
}
