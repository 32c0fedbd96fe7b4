import { calculateJwkThumbprint, exportJWK, generateKeyPair, jwtVerify, EmbeddedJWK, SignJWT, type JWTHeaderParameters, type JWTPayload } from "jose";
import { describe, expect, test } from "vitest";
import { generateKey, signDpop, verifyDpop } from "../../src/token/index.ts";

const NOW = Date.parse("2026-05-12T18:00:00Z");
const ASKED = { method: "POST", url: "https://pdp.example/ambit/v1/decide", now: NOW };
const anybody = (): boolean => true;

describe("a proof of possession for a request", () => {
  test.each(["Ed25519", "ES256"] as const)("of %s is one for others who know RFC 9449, and for us", async (algorithm) => {
    const key = await generateKey(algorithm);
    const proof = await signDpop(ASKED, key);
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: "dpop+jwt", currentDate: new Date(NOW) });
    expect(payload).toEqual({ jti: expect.any(String), htm: "POST", htu: ASKED.url, iat: NOW / 1000 });
    expect(await calculateJwkThumbprint(protectedHeader.jwk as object)).toBe(key.public.thumbprint);
    expect(await verifyDpop(proof, ASKED, (thumbprint) => thumbprint === key.public.thumbprint)).toEqual({
      thumbprint: key.public.thumbprint,
      id: payload.jti,
      until: NOW + 60_000,
    });
    expect(await signDpop(ASKED, key)).not.toBe(proof);
  });

  test("that others made is read, and is refused for whatever is wrong with it", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const other = await generateKeyPair("ES256");
    const jwk = await exportJWK(publicKey);
    const proof = (claims: JWTPayload = {}, header: Partial<JWTHeaderParameters> = {}, key = privateKey): Promise<string> =>
      new SignJWT({ jti: "1", htm: "POST", htu: ASKED.url, iat: NOW / 1000, ...claims })
        .setProtectedHeader(JSON.parse(JSON.stringify({ typ: "dpop+jwt", alg: "ES256", jwk, ...header })) as JWTHeaderParameters)
        .sign(key);
    const isTaken = async (text: string, asked = ASKED, isKnown = anybody): Promise<boolean> => typeof (await verifyDpop(text, asked, isKnown)) === "object";
    const good = await proof();
    expect(await isTaken(good)).toBe(true);
    for (const bad of [
      await proof({ htm: "GET" }),
      await proof({ htm: "post" }),
      await proof({ htu: `${ASKED.url}/` }),
      await proof({ htu: `${ASKED.url}?a=1` }),
      await proof({ htu: "https://other.example/ambit/v1/decide" }),
      await proof({ iat: NOW / 1000 - 60 }),
      await proof({ iat: NOW / 1000 + 6 }),
      await proof({ iat: NOW / 1000 + 0.5 }),
      await proof({ jti: "" }),
      await proof({ jti: 1 as never }),
      await proof({ ath: "x" }),
      await proof({}, { typ: "JWT" }),
      await proof({}, { typ: "DPOP+JWT" }),
      await proof({}, {}, other.privateKey),
      await proof({}, { jwk: undefined as never, kid: await calculateJwkThumbprint(jwk) }),
      await proof({}, { jwk: { ...jwk, d: "AAAA" } as never }),
      `${good}.x`,
      good.slice(0, good.lastIndexOf(".")),
      `${good}, ${good}`,
      "",
      "x".repeat(10_000),
    ])
      expect(await isTaken(bad)).toBe(false);
    expect(await isTaken(good, ASKED, () => false)).toBe(false);
    expect(await isTaken(await proof({ iat: NOW / 1000 - 59 }))).toBe(true);
  });
});
