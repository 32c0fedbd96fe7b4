import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import type { Order } from "../../src/envelope/order.ts";
import { createVocabulary } from "../../src/envelope/vocabulary.ts";
import { trustAnchor } from "../../src/token/anchors.ts";
import type { EnvelopeAnchor } from "../../src/token/profile/verify-envelope.ts";
import { AUDIENCE, compact, headerOf, ISSUER, NOW, type Pair } from "../token/mint.ts";

// A chain of our profile, written without any code of `src/token`. Its Ed25519 keys are the same in every run, so that a case can be repeated.

const PKCS8_OF_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function fixedPair(name: string): Pair {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_OF_ED25519, sha256(`ambit deep ${name}`)]), format: "der", type: "pkcs8" });
  return pairOf("Ed25519", privateKey, createPublicKey(privateKey));
}

function pairOf(alg: Pair["alg"], privateKey: Pair["privateKey"], publicKey: Pair["publicKey"]): Pair {
  const { crv, kty, x, y } = publicKey.export({ format: "jwk" }) as Record<string, string>;
  const jwk = (y === undefined ? { crv, kty, x } : { crv, kty, x, y }) as Pair["jwk"];
  return { alg, privateKey, publicKey, jwk, thumbprint: sha256(JSON.stringify(jwk)).toString("base64url") };
}

const curve = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** Who signs the token at each position, and last the proof. One of them by ES256, whose signatures differ from run to run. */
const SIGNERS: readonly Pair[] = [fixedPair("issuer"), fixedPair("first"), pairOf("ES256", curve.privateKey, curve.publicKey), fixedPair("last")];
const signer = (position: number): Pair => SIGNERS[position] as Pair;

export const ORDER: Order = {
  vocabulary: createVocabulary({ region: "subset" }),
  purposes: { parentOf: (purpose) => (purpose === "review" ? null : undefined), digest: "sha-256:deep" },
};
export const ANCHOR: EnvelopeAnchor = { ...trustAnchor({ issuer: ISSUER, jwk: signer(0).jwk }), kind: "ambit", tenants: new Set(["t1"]) };

const CONSTRAINED = {
  path: {
    constraint_type: "any",
    constraints: [
      { constraint_type: "one_of", values: ["/a", "/b", 1.5] },
      { constraint_type: "all", constraints: [{ constraint_type: "range", min: 1, max: 9, max_inclusive: false }] },
    ],
  },
  further: { constraint_type: "subset", allowed: ["x", "é", "😀"], optional: true },
};

function claimsAt(position: number, parent: string | undefined): object {
  const expiresAt = NOW + 3600 - position;
  const envelope = {
    type: "urn:ambit:envelope:1",
    vocabulary: ORDER.vocabulary.digest,
    purposes: ORDER.purposes.digest,
    delegator_id: "u1",
    tenant_id: "t1",
    session_id: "s1",
    task_id: "k1",
    purpose: "review",
    agent_id: `agent-${position}`,
    allowed_tools: ["constructor", "read_file"],
    resource_constraints: { customer_id: "c1", max_records: 25 - position, path_prefix: ["/data/acme"] },
    budgets: { calls: 9 - position, money: { EUR: 100 }, rate: { 60: 5 }, tools: { read_file: { calls: 3 } } },
    max_depth: 4,
    expires_at: new Date(expiresAt * 1000).toISOString(),
  };
  return {
    jti: `token-${position}`,
    iss: parent === undefined ? ISSUER : `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${signer(position).thumbprint}`,
    aud: AUDIENCE,
    iat: NOW - 300 + position,
    exp: expiresAt,
    cnf: { jwk: signer(position + 1).jwk },
    del_depth: position,
    del_max_depth: 4,
    authorization_details: [{ type: "attenuating_agent_token", tools: { read_file: CONSTRAINED, constructor: {} } }, envelope],
    ...(parent === undefined ? {} : { par_hash: hashOf(parent) }),
  };
}

export function hashOf(token: string): string {
  return sha256(token.slice(0, token.lastIndexOf("."))).toString("base64url");
}

/** Header and payload as text, signed by who signs at this position: the proof is at the last one. */
export function signedAt(position: number, header: string, payload: string | Buffer): string {
  return compact(header, payload, signer(position));
}

export interface Part {
  readonly header: string;
  readonly payload: string;
  readonly token: string;
}

function part(position: number, claims: object, typ = "aat+jwt"): Part {
  const [header, payload] = [JSON.stringify(headerOf(signer(position), typ)), JSON.stringify(claims)];
  return { header, payload, token: signedAt(position, header, payload) };
}

const root = part(0, claimsAt(0, undefined));
const middle = part(1, claimsAt(1, root.token));
const leaf = part(2, claimsAt(2, middle.token));
const proof = part(3, { jti: "proof", iat: NOW, aat_id: "token-2", aat_hash: hashOf(leaf.token), aat_tool: "read_file", hta: { path: "/a" } }, "aat-pop+jwt");

/** What is presented: three tokens, and the proof for `USE`. */
export const PARTS: readonly Part[] = [root, middle, leaf, proof];
export const USE = { tool: "read_file", argsText: '{"path":"/a"}' };
