import { AmbitError } from "@ambit/core";
import { fixedKeys, readPrivateKey, remoteJwks, type JwksFormat, type KeySource, type NamedKey } from "@ambit/core/identity";
import type { Reader } from "./reader.ts";

/** The keys of an issuer: the `https:` address of its set, or the set itself. Refuses (`config_invalid`) any other address, and a set without keys. */
export function readKeys(reader: Reader, format: JwksFormat, now: () => number): KeySource {
  try {
    return typeof reader.value === "string" ? remoteJwks({ url: reader.value, format, now }) : fixedKeys(JSON.stringify(reader.object()), format);
  } catch (error) {
    return reader.fail(AmbitError.isInstance(error) ? error.message : "cannot be read");
  }
}

/** A private JWK. Refuses (`config_invalid`) anything else; nothing that is said about it quotes it. */
export async function readPrivate(reader: Reader): Promise<NamedKey> {
  try {
    return await readPrivateKey(JSON.stringify(reader.object()));
  } catch (error) {
    return reader.fail(`is not a private JWK${AmbitError.isInstance(error) ? `: ${error.message}` : ""}`);
  }
}
