import { AmbitError, copyData, isJsonObject, type JsonObject } from "@ambit/core";
import { publicKey, signingKey, type PrivateJwk, type PublicKey, type SigningKey } from "@ambit/core/token";
import { CliError, reasonOf, usageError } from "../cli-error.ts";
import type { Inputs } from "./inputs.ts";

/** A key that signs, from a file or stdin; never from the command line, which every process of the machine can read. */
export async function readSigningKey(inputs: Inputs, path: string, option: string): Promise<SigningKey> {
  if (path.includes("{")) throw usageError(`\`--${option}\` takes a file or \`-\`; other processes can read a private key that is on the command line`);
  const raw = await inputs.json(path, { mostBytes: 65_536, isSecret: true });
  return asKey(option, async () => {
    const jwk = jwkOf(raw);
    if (!Object.hasOwn(jwk, "d")) throw new AmbitError("option_invalid", "it is no private key; `ambit keys new` makes one");
    return signingKey(jwk as unknown as PrivateJwk);
  });
}

/** A public key, from a file, stdin or the command line. Refuses a private one, which the holder alone should have. */
export async function readPublicKey(inputs: Inputs, value: string, option: string): Promise<PublicKey> {
  const raw = await inputs.jsonOrFile(value, option);
  return asKey(option, async () => publicKey(jwkOf(raw)));
}

function jwkOf(raw: unknown): JsonObject {
  const jwk = copyData(raw, "option_invalid", "the key");
  if (!isJsonObject(jwk)) throw new AmbitError("option_invalid", "the key is not a JWK object");
  return jwk;
}

async function asKey<T>(option: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    // No cause: whatever it holds could be of the key.
    throw new CliError("key_invalid", `\`--${option}\`: ${AmbitError.isInstance(error) ? reasonOf(error) : "the key cannot be read"}`, { exitCode: 2 });
  }
}
