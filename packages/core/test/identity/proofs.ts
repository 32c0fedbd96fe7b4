import { fixedKeys } from "../../src/identity/jwks.ts";
import type { KeySource } from "../../src/identity/key-source.ts";
import type { OidcIssuer } from "../../src/identity/oidc.ts";
import { createProofVerifier, type ProofIssuer } from "../../src/identity/proof.ts";
import type { ProofAnswer, ProofDemand } from "../../src/identity/proven-identity.ts";
import type { SpiffeIssuer } from "../../src/identity/spiffe.ts";
import { AUDIENCE, idClaims, ISSUER, jwks, jwt, NOW, testKey, type TestKey } from "./issuer.ts";

// Issuers that know every key there is, and what they answer to a token.

export const ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "Ed25519"] as const;
const keys = new Map<string, TestKey>();
export const keyOf = (alg: string): TestKey => keys.get(alg) as TestKey;
for (const alg of ALGORITHMS) keys.set(alg, await testKey(alg));
export const source: KeySource = fixedKeys(jwks(...keys.values()));
const bundle: KeySource = fixedKeys(jwks({ ...keyOf("ES256").jwk, use: "jwt-svid" }, { ...keyOf("RS256").jwk, use: "jwt-svid" }), "spiffe-bundle");

export const oidc = (changes: Partial<OidcIssuer> = {}): OidcIssuer => ({
  kind: "oidc",
  issuer: ISSUER,
  audience: AUDIENCE,
  keys: source,
  tenant: { claim: "tid", among: ["tenant_acme"] },
  ...changes,
});
export const spiffe = (changes: Partial<SpiffeIssuer> = {}): SpiffeIssuer => ({
  kind: "spiffe",
  trustDomain: "prod.example.org",
  audience: AUDIENCE,
  keys: bundle,
  tenant: { id: "tenant_acme" },
  ...changes,
});

export async function ask(token: unknown, issuers: readonly ProofIssuer[] = [oidc()], demand?: ProofDemand, now = NOW): Promise<ProofAnswer> {
  return createProofVerifier({ issuers, now: () => now * 1000 }).verify(token as string, demand);
}
export const codeIn = (answer: ProofAnswer): string => (answer.verified ? "verified" : answer.refusal.code);
export const codeFor = async (claims: object, issuers?: readonly ProofIssuer[], header: object = {}, alg = "ES256"): Promise<string> =>
  codeIn(await ask(await jwt(keyOf(alg), idClaims(claims), header), issuers));
