import { generatePrivateJwk, publicKey, thumbprintUri, type Algorithm, type PrivateJwk } from "@ambit/core/token";
import { randomText } from "@ambit/core";
import { secretDigest } from "@ambit/pdp/server";
import { usageError } from "../cli-error.ts";
import { readOptions } from "../options.ts";
import { jsonText, shown } from "../output/shown.ts";
import { writeNew } from "../output/write-new.ts";
import type { Terminal } from "../terminal.ts";

const OPTIONS = { alg: { type: "string", default: "Ed25519" }, out: { type: "string" }, json: { type: "boolean" } } as const;

/** Makes a key. The private one is in the file, or on stdout when there is none; it is never overwritten and never in a message. */
export async function keys(args: readonly string[], terminal: Terminal): Promise<number> {
  const [action, ...rest] = args;
  if (action === "secret") return secret(rest, terminal);
  if (action !== "new") throw usageError("`ambit keys` has the commands `new` and `secret`");
  const { values } = readOptions(rest, OPTIONS);
  const { alg, out, json } = values;
  if (!isAlgorithm(alg)) throw usageError("`--alg` must be Ed25519 or ES256");
  if (out === "") throw usageError("`--out` is empty");
  const privateJwk = await generatePrivateJwk(alg);
  const key = publicKey(publicPart(privateJwk));
  if (out !== undefined) await writeNew(terminal, out, `${JSON.stringify(privateJwk)}\n`, { mode: 0o600 });
  const names = { alg, thumbprint: key.thumbprint, thumbprint_uri: thumbprintUri(key) };
  if (json === true) {
    const secret = out === undefined ? { private_jwk: privateJwk } : { file: out };
    terminal.out(`${jsonText({ ...secret, public_jwk: key.jwk, ...names })}\n`);
    return 0;
  }
  // One JWK on stdout, so that it can be redirected into a file; everything else beside it.
  terminal.out(`${JSON.stringify(out === undefined ? privateJwk : key.jwk)}\n`);
  terminal.err(
    out === undefined
      ? `private key (${alg}); keep it secret\npublic JWK  ${JSON.stringify(key.jwk)}\nthumbprint  ${key.thumbprint}\n`
      : `private key (${alg}) in ${shown(out)}; the public JWK is on stdout\nthumbprint  ${key.thumbprint}\n`,
  );
  return 0;
}

/** Makes a secret for a caller of the service, and the digest that the service is configured with. */
async function secret(args: readonly string[], terminal: Terminal): Promise<number> {
  const { out, json } = readOptions(args, { out: { type: "string" }, json: { type: "boolean" } }).values;
  if (out === "") throw usageError("`--out` is empty");
  const made = randomText(32);
  const digest = secretDigest(made);
  if (out !== undefined) await writeNew(terminal, out, `${made}\n`, { mode: 0o600 });
  if (json === true) terminal.out(`${jsonText({ ...(out === undefined ? { secret: made } : { file: out }), digest })}\n`);
  else {
    terminal.out(`${out === undefined ? made : digest}\n`);
    terminal.err(out === undefined ? `secret; keep it secret\ndigest  ${digest}\n` : `secret in ${shown(out)}; its digest is on stdout\n`);
  }
  return 0;
}

function isAlgorithm(text: string): text is Algorithm {
  return text === "Ed25519" || text === "ES256";
}

function publicPart(jwk: PrivateJwk): { readonly [member: string]: string } {
  const { d: _, ...rest } = jwk;
  return rest;
}
