import { beforeAll, describe, expect, it } from "vitest";
import { createEventVerifier, type EventVerifier } from "../../src/identity/event-token.ts";
import { fixedKeys } from "../../src/identity/jwks.ts";
import { codeOf } from "../support/codes.ts";
import { idClaims, ISSUER, jwks, jwt, NOW, testKey, type TestKey } from "./issuer.ts";

const TYPED = { typ: "secevent+jwt" } as const;
const CLAIMS = { iss: ISSUER, jti: "1", iat: NOW, aud: "us", events: { "urn:example:event": {} } };

let [ours, theirs]: TestKey[] = [];
let verifier: EventVerifier;
beforeAll(async () => {
  [ours, theirs] = [await testKey("ES256", "ours", { nbf: NOW - 100, exp: NOW + 100 }), await testKey("ES256", "theirs")];
  verifier = createEventVerifier({ issuers: [{ issuer: ISSUER, keys: fixedKeys(jwks(ours)) }] });
});

const problemOf = async (token: Promise<string>): Promise<string> => {
  const answer = await verifier.verify(await token);
  return answer.verified ? "verified" : answer.problem;
};

describe("a security event token", () => {
  it("is what its issuer signed under that type, spelled either way", async () => {
    expect(await verifier.verify(await jwt(ours as TestKey, CLAIMS, TYPED))).toEqual({ verified: true, issuer: ISSUER, payload: CLAIMS });
    expect(await problemOf(jwt(ours as TestKey, CLAIMS, { typ: "application/secevent+jwt" }))).toBe("verified");
    expect(verifier.issuers).toEqual([ISSUER]);
  });

  it.each(["JWT", undefined, "at+jwt", "SECEVENT+JWT", "secevent+jwt "])("is not typed %s", async (typ) => {
    expect(await problemOf(jwt(ours as TestKey, CLAIMS, { typ }))).toBe("invalid_request");
    expect(await problemOf(jwt(ours as TestKey, idClaims(), { typ }))).toBe("invalid_request");
  });

  it("is of an issuer that is configured, and signed by a key of it at its time", async () => {
    expect(await problemOf(jwt(ours as TestKey, { ...CLAIMS, iss: "https://other.example" }, TYPED))).toBe("invalid_issuer");
    expect(await problemOf(jwt(ours as TestKey, { ...CLAIMS, iss: undefined } as never, TYPED))).toBe("invalid_issuer");
    expect(await problemOf(jwt(theirs as TestKey, CLAIMS, TYPED))).toBe("invalid_key");
    expect(await problemOf(jwt(theirs as TestKey, CLAIMS, { ...TYPED, kid: "ours" }))).toBe("invalid_key");
    expect(await problemOf(jwt(ours as TestKey, { ...CLAIMS, iat: NOW + 101 }, TYPED))).toBe("invalid_key");
    expect(await problemOf(jwt(ours as TestKey, { ...CLAIMS, iat: NOW - 101 }, TYPED))).toBe("invalid_key");
    expect(await problemOf(jwt(ours as TestKey, { ...CLAIMS, iat: undefined } as never, TYPED))).toBe("invalid_key");
  });

  it("cannot be told from others while the keys cannot be known", async () => {
    const keys = { keys: () => [], ready: () => Promise.reject(new Error("no route")) };
    const blind = createEventVerifier({ issuers: [{ issuer: ISSUER, keys }] });
    expect(await blind.verify(await jwt(ours as TestKey, CLAIMS, TYPED))).toMatchObject({ verified: false, problem: "unavailable" });
  });

  it("is not verified under rules that anybody could meet", () => {
    const keys = fixedKeys(jwks(ours as TestKey));
    for (const issuers of [
      [],
      [{ issuer: "", keys }],
      [
        { issuer: ISSUER, keys },
        { issuer: ISSUER, keys },
      ],
      [{ issuer: ISSUER, keys, algorithms: [] }],
      [{ issuer: ISSUER, keys, algorithms: ["none"] }],
      [{ issuer: ISSUER, keys, algorithms: ["HS256"] }],
    ])
      expect(codeOf(() => createEventVerifier({ issuers }))).toBe("option_invalid");
  });
});
