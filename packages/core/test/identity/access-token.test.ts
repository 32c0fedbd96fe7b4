import { describe, expect, it } from "vitest";
import type { OidcIssuer } from "../../src/identity/oidc.ts";
import { idClaims, jwt } from "./issuer.ts";
import { ask, codeFor, keyOf, oidc } from "./proofs.ts";

describe("an access token", () => {
  const issuer = (changes: Partial<OidcIssuer> = {}): OidcIssuer => oidc({ token: "access_token", ...changes });
  const claims = (changes: object = {}): object => ({ client_id: "app", jti: "at-1", ...changes });
  const AT = { typ: "at+jwt" };

  it.each(["at+jwt", "at+JWT", "application/at+jwt"])("of type %s says who asks", async (typ) => {
    expect(await codeFor(claims(), [issuer()], { typ })).toBe("verified");
  });

  it("is never taken for an ID token, nor the other way round", async () => {
    expect(await codeFor(claims(), [oidc()], AT)).toBe("proof_invalid");
    for (const typ of ["JWT", undefined]) expect(await codeFor(claims(), [issuer()], { typ })).toBe("proof_invalid");
    const both = [oidc(), issuer({ audience: "https://api.example.com" })];
    expect(await codeFor(claims(), both, AT)).toBe("audience_mismatch");
    expect(await codeFor(claims({ aud: "https://api.example.com" }), both, AT)).toBe("verified");
    expect(await codeFor({}, both)).toBe("verified");
  });

  it("names its client, itself and its subject", async () => {
    for (const missing of ["client_id", "jti", "sub", "iat", "exp"]) {
      expect(await codeFor(claims({ [missing]: undefined }), [issuer()], AT), missing).toBe("proof_invalid");
    }
    expect(await codeFor(claims(), [issuer({ clients: ["app"] })], AT)).toBe("verified");
    expect(await codeFor(claims(), [issuer({ clients: ["other"] })], AT)).toBe("proof_invalid");
  });

  it("of a client on its own behalf has the client as its subject", async () => {
    const token = await jwt(keyOf("RS256"), idClaims(claims({ sub: "app" })), AT);
    expect(await ask(token, [issuer({ agent: { claim: "client_id" } })])).toMatchObject({ identity: { delegatorId: "app", agentId: "app", jti: "at-1" } });
  });
});
