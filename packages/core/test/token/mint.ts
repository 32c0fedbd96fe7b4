import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import type { Json, JsonObject } from "../../src/data/json.ts";
import { trustAnchor, type TrustAnchor } from "../../src/token/anchors.ts";
import type { Refused } from "../../src/token/reason.ts";
import { createVerifier, type VerifierOptions } from "../../src/token/verifier.ts";
import type { ToolUse } from "../../src/token/verify-call.ts";

// Tokens as anybody may write them: without any code of `src/token`, so that every member and every byte can be a wrong one.

export interface Pair {
  readonly alg: "Ed25519" | "ES256";
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: JsonObject;
  readonly thumbprint: string;
}

export const NOW = 1_704_067_500;
export const ISSUER = "https://auth.example.com";
export const AUDIENCE = "https://tools.example.com";

export function pair(alg: Pair["alg"] = "Ed25519"): Pair {
  const keys = alg === "Ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { crv, kty, x, y } = keys.publicKey.export({ format: "jwk" }) as Record<string, string>;
  const jwk = (y === undefined ? { crv, kty, x } : { crv, kty, x, y }) as JsonObject;
  return { alg, ...keys, jwk, thumbprint: sha256(JSON.stringify(jwk)) };
}

/** Made once: what differs between tests is what they sign. */
export const ISSUER_PAIR: Pair = pair();
const HOLDERS: readonly Pair[] = Array.from({ length: 10 }, () => pair());
export const holder = (index: number): Pair => HOLDERS[index] as Pair;

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

export function base64url(text: string | Buffer): string {
  return Buffer.from(text as string).toString("base64url");
}

export function signatureOf(signingInput: string, key: Pair): Buffer {
  const bytes = Buffer.from(signingInput);
  return key.alg === "Ed25519" ? sign(null, bytes, key.privateKey) : sign("sha256", bytes, { key: key.privateKey, dsaEncoding: "ieee-p1363" });
}

/** A compact JWS of a header and a payload that are data, or text that is taken as it is. */
export function compact(header: unknown, payload: unknown, key: Pair): string {
  const [head, body] = [header, payload].map((part) => base64url(typeof part === "string" || Buffer.isBuffer(part) ? part : JSON.stringify(part)));
  const signingInput = `${head}.${body}`;
  return `${signingInput}.${base64url(signatureOf(signingInput, key))}`;
}

function hashOf(token: string): string {
  return sha256(token.slice(0, token.lastIndexOf(".")));
}

const TOOLS: JsonObject = { read_file: { path: { constraint_type: "wildcard" } } };

export function aat(tools: Json = TOOLS): JsonObject {
  return { type: "attenuating_agent_token", tools };
}

export function rootClaims(changes: object = {}): Record<string, Json> {
  return {
    jti: "root",
    iss: ISSUER,
    iat: NOW - 300,
    exp: NOW + 3600,
    cnf: { jwk: holder(0).jwk },
    del_depth: 0,
    del_max_depth: 8,
    authorization_details: [aat()],
    ...changes,
  };
}

export const headerOf = (key: Pair, typ = "aat+jwt"): JsonObject => ({ alg: key.alg, typ });

export function root(changes: object = {}): string {
  return compact(headerOf(ISSUER_PAIR), rootClaims(changes), ISSUER_PAIR);
}

/** A child of the last token, signed by holder `depth - 1` for holder `depth`. */
export function childClaims(parent: string, depth: number, changes: object = {}): Record<string, Json> {
  return {
    jti: `child-${depth}`,
    iss: `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${holder(depth - 1).thumbprint}`,
    iat: NOW - 300 + depth,
    exp: NOW + 3600 - depth,
    cnf: { jwk: holder(depth).jwk },
    del_depth: depth,
    del_max_depth: 8,
    par_hash: hashOf(parent),
    authorization_details: [aat()],
    ...changes,
  };
}

export function child(parent: string, depth: number, changes: object = {}): string {
  return compact(headerOf(holder(depth - 1)), childClaims(parent, depth, changes), holder(depth - 1));
}

/** A valid chain; `changes` go into the claims of the token at that position. */
export function chain(length: number, changes: { readonly [position: number]: object } = {}): readonly string[] {
  const tokens = [root(changes[0])];
  for (let depth = 1; depth < length; depth++) tokens.push(child(tokens[depth - 1] as string, depth, changes[depth]));
  return tokens;
}

export function popClaims(leaf: string, changes: object = {}): Record<string, Json> {
  const { jti } = JSON.parse(Buffer.from(leaf.split(".")[1] as string, "base64url").toString()) as { readonly jti: string };
  return { jti: "proof", iat: NOW, aat_id: jti, aat_hash: hashOf(leaf), aat_tool: "read_file", hta: { path: "/a" }, ...changes };
}

/** The proof of the holder at the end of the chain. */
export function pop(tokens: readonly string[], changes: object = {}): string {
  const key = holder(tokens.length - 1);
  return compact(headerOf(key, "aat-pop+jwt"), popClaims(tokens.at(-1) as string, changes), key);
}

export const ANCHOR: TrustAnchor = trustAnchor({ issuer: ISSUER, jwk: ISSUER_PAIR.jwk });

export function optionsWith(changes: Partial<VerifierOptions<TrustAnchor>> = {}): VerifierOptions<TrustAnchor> {
  return { anchors: () => [ANCHOR], audiences: [AUDIENCE], replay: "deferred", now: () => NOW * 1000, ...changes };
}

/** `permitted`, or the code, the step and the position of the refusal. */
export function verdict(answer: Refused | { readonly verified: true }): string {
  if (answer.verified) return "permitted";
  const { code, step, index } = answer.refusal;
  return [code, step, ...(index === undefined ? [] : [index])].join(" ");
}

export async function chainVerdict(tokens: readonly string[], changes: Partial<VerifierOptions<TrustAnchor>> = {}): Promise<string> {
  return verdict(await createVerifier(optionsWith(changes)).verifyChain(tokens));
}

export async function callVerdict(
  tokens: readonly string[],
  {
    proof = pop(tokens),
    use = { tool: "read_file", argsText: '{"path":"/a"}' },
    ...changes
  }: Partial<VerifierOptions<TrustAnchor>> & { readonly proof?: string; readonly use?: ToolUse } = {},
): Promise<string> {
  return verdict(await createVerifier(optionsWith(changes)).verifyCall({ chain: tokens, pop: proof }, use));
}
