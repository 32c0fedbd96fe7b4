import { compactVerify, jwtVerify, type JWK } from "jose";
import { describe, expect, it } from "vitest";
import type { PrivateJwk } from "../../src/token/crypto.ts";
import { deriveToken, issueRoot } from "../../src/token/issue.ts";
import { signingKey } from "../../src/token/key.ts";
import { signPop } from "../../src/token/pop.ts";
import { trustAnchor } from "../../src/token/anchors.ts";
import { createVerifier } from "../../src/token/verifier.ts";
import { EDITS } from "../deep/mutate.ts";
import { randomOf } from "../deep/random.ts";
import { otherHeader, REWRITES } from "../deep/rewrite.ts";
import { AUDIENCE, base64url, chainVerdict, compact, headerOf, ISSUER, ISSUER_PAIR, NOW, optionsWith, pair, rootClaims, type Pair } from "./mint.ts";

/*
 * jose, which has its own parser and its own cryptography, is asked the same: what it refuses is refused here, and what is let through here it
 * verifies with the very key that the anchor has, over the very same bytes.
 */
const ED = ISSUER_PAIR;
const EC = pair("ES256");
const KEYS: readonly Pair[] = [ED, EC, pair(), pair("ES256")];
const ALGORITHMS = { algorithms: ["Ed25519", "ES256"] };
const CLAIM_CHECKS = {
  ...ALGORITHMS,
  issuer: ISSUER,
  audience: AUDIENCE,
  typ: "aat+jwt",
  currentDate: new Date(NOW * 1000),
  requiredClaims: ["exp", "iat", "jti"],
};

const isKept = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => true,
    () => false,
  );

interface Answers {
  readonly ours: string;
  readonly isSignedForJose: boolean;
  readonly isJwtForJose: boolean;
}

/** What both say of one token under one key. */
async function answers(token: string, key: Pair): Promise<Answers> {
  const anchors = [trustAnchor({ issuer: ISSUER, jwk: key.jwk })];
  const ours = await chainVerdict([token], { anchors: () => anchors });
  const jwk = key.jwk as JWK;
  return { ours, isSignedForJose: await isKept(compactVerify(token, jwk, ALGORITHMS)), isJwtForJose: await isKept(jwtVerify(token, jwk, CLAIM_CHECKS)) };
}

const CLAIMS = rootClaims({ aud: AUDIENCE });
const GOOD = compact(headerOf(ED), CLAIMS, ED);
const [HEAD, BODY, SIGNATURE] = GOOD.split(".") as [string, string, string];
const GOOD_EC = compact(headerOf(EC), CLAIMS, EC);
const withClaims = (changes: object): string => compact(headerOf(ED), { ...CLAIMS, ...changes }, ED);
const withHeader = (changes: object, key: Pair = ED): string => compact({ ...headerOf(key), ...changes }, CLAIMS, key);
const withSignature = (token: string, change: (bytes: Buffer) => Buffer): string => {
  const end = token.lastIndexOf(".") + 1;
  return token.slice(0, end) + change(Buffer.from(token.slice(end), "base64url")).toString("base64url");
};

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** (r, n − s): for ECDSA every signature has this twin, and anybody can write it. */
function twinOf(bytes: Buffer): Buffer {
  const s = BigInt(`0x${bytes.subarray(32).toString("hex")}`);
  return Buffer.concat([bytes.subarray(0, 32), Buffer.from((P256_ORDER - s).toString(16).padStart(64, "0"), "hex")]);
}

function derOf(bytes: Buffer): Buffer {
  const integers = [bytes.subarray(0, 32), bytes.subarray(32)].map((number) => {
    const positive = (number[0] as number) < 0x80 ? number : Buffer.concat([Buffer.alloc(1), number]);
    return Buffer.concat([Buffer.from([2, positive.length]), positive]);
  });
  const body = Buffer.concat(integers);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

/** Both let them through. */
const VALID: Readonly<Record<string, string>> = {
  "signed by Ed25519": GOOD,
  "signed by ES256": GOOD_EC,
  "with a `kid`": withHeader({ kid: "any" }),
  "with a list of audiences": withClaims({ aud: ["https://other.example", AUDIENCE] }),
  "with a claim that nobody knows": withClaims({ x: { y: [null, 1.5] } }),
  "with a header that nobody knows": withHeader({ x: 1 }),
  "with somebody's key in its header": withHeader({ jwk: EC.jwk }),
  "of JSON with spaces": compact(JSON.stringify(headerOf(ED), null, 1), JSON.stringify(CLAIMS, null, 1), ED),
  "signed by the other signature that ES256 has for it": withSignature(GOOD_EC, twinOf),
};

/** jose refuses them. */
const INVALID: Readonly<Record<string, string>> = {
  "without a signature": `${base64url('{"alg":"none","typ":"aat+jwt"}')}.${BODY}.`,
  "that says the other algorithm": compact(headerOf(EC), CLAIMS, ED),
  "that says EdDSA": withHeader({ alg: "EdDSA" }),
  "that says HS256": withHeader({ alg: "HS256" }),
  "that says no algorithm": withHeader({ alg: undefined }),
  "signed by another key": compact(headerOf(ED), CLAIMS, pair()),
  "with another payload": `${HEAD}.${base64url(JSON.stringify({ ...CLAIMS, exp: NOW + 9999 }))}.${SIGNATURE}`,
  "with another header": `${base64url(JSON.stringify({ ...headerOf(ED), kid: "x" }))}.${BODY}.${SIGNATURE}`,
  "with a bit less": withSignature(GOOD, (bytes) => Buffer.concat([bytes.subarray(0, 63), Buffer.from([(bytes[63] as number) ^ 1])])),
  "with a signature of zeros": withSignature(GOOD, (bytes) => Buffer.alloc(bytes.length)),
  "with an ES256 signature of zeros": withSignature(GOOD_EC, (bytes) => Buffer.alloc(bytes.length)),
  "with a short signature": withSignature(GOOD, (bytes) => bytes.subarray(1)),
  "with a long signature": withSignature(GOOD, (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
  "with an ES256 signature in DER": withSignature(GOOD_EC, derOf),
  "with a signature that is no base64url": `${HEAD}.${BODY}.$$$`,
  "of two parts": `${HEAD}.${BODY}`,
  "of four parts": `${GOOD}.`,
  "of nothing": "",
  "in JSON serialisation": JSON.stringify({ payload: BODY, protected: HEAD, signature: SIGNATURE }),
  "with `crit` that nobody knows": withHeader({ crit: ["urn:x"], "urn:x": 1 }),
  "with an empty `crit`": withHeader({ crit: [] }),
  "that is no JSON": compact(headerOf(ED), "claims", ED),
  "that is a list": compact(headerOf(ED), [CLAIMS], ED),
  "that is null": compact(headerOf(ED), "null", ED),
  "of another `typ`": withHeader({ typ: "at+jwt" }),
  "of no `typ`": withHeader({ typ: undefined }),
  expired: withClaims({ exp: NOW }),
  "that expires as text": withClaims({ exp: String(NOW + 60) }),
  "without an expiry": withClaims({ exp: undefined }),
  "that was issued as text": withClaims({ iat: "now" }),
  "by another issuer": withClaims({ iss: "https://evil.example" }),
  "by a list of issuers": withClaims({ iss: [ISSUER] }),
  "without a `jti`": withClaims({ jti: undefined }),
};

/** jose lets them through, and the draft or our parser does not. */
const STRICTER: Readonly<Record<string, string>> = {
  "with a space in the signature": `${GOOD.slice(0, -8)} ${GOOD.slice(-8)}`,
  "with a line end behind it": `${GOOD}\n`,
  "with padding": `${GOOD}==`,
  "with a member twice": compact(headerOf(ED), JSON.stringify(CLAIMS).replace('"jti"', '"aud":"x","jti"'), ED),
  "with a header member twice": compact('{"alg":"Ed25519","typ":"x","typ":"aat+jwt"}', CLAIMS, ED),
  "with half of a surrogate pair": compact(headerOf(ED), JSON.stringify(CLAIMS).replace('"jti"', '"x":"\\ud800","jti"'), ED),
  "that lives for years": withClaims({ exp: NOW + 1e9 }),
  "from the future": withClaims({ iat: NOW + 31 }),
  "with an expiry that has a fraction": withClaims({ exp: NOW + 60.5 }),
};

describe("a token that jose verifies, under the key of its anchor,", () => {
  it.each(Object.entries(VALID))("%s is let through, and no other key lets it", async (_, token) => {
    const own = token.split(".")[0] === GOOD_EC.split(".")[0] ? EC : ED;
    for (const key of KEYS) {
      const both = await answers(token, key);
      expect(both).toEqual(
        key === own ? { ours: "permitted", isSignedForJose: true, isJwtForJose: true } : expect.objectContaining({ isSignedForJose: false }),
      );
      if (key !== own) expect(both.ours).toMatch(/^envelope_signature_invalid /);
    }
  });
});

describe("a token that jose refuses,", () => {
  it.each(Object.entries(INVALID))("%s, is refused", async (_, token) => {
    for (const key of KEYS) {
      const { ours, isJwtForJose } = await answers(token, key);
      expect(isJwtForJose).toBe(false);
      expect(ours).toMatch(/^(envelope|chain)_[a-z_]+ 3[a-k] 0$/);
    }
  });
});

describe("where we are stricter than jose,", () => {
  it.each(Object.entries(STRICTER))("a token %s is refused", async (_, token) => {
    expect(await answers(token, ED)).toEqual({ ours: expect.stringMatching(/^envelope_/) as string, isSignedForJose: true, isJwtForJose: true });
  });

  it("the audience is asked of a call, and not of a chain", async () => {
    const { ours, isJwtForJose } = await answers(withClaims({ aud: "https://other.example" }), ED);
    expect([ours, isJwtForJose]).toEqual(["permitted", false]);
  });

  // The one claim that jose minds and the draft, which has no word for it, wants ignored.
  it("only a token that is not valid before some time is let through, because `nbf` is no claim of the draft", async () => {
    expect(await answers(withClaims({ nbf: NOW + 600 }), ED)).toEqual({ ours: "permitted", isSignedForJose: true, isJwtForJose: false });
  });
});

describe("the other signature that ES256 has for a text", () => {
  it("makes no other token: what names it by its hash is the same", async () => {
    const anchors = [trustAnchor({ issuer: ISSUER, jwk: EC.jwk })];
    const verifier = createVerifier(optionsWith({ anchors: () => anchors }));
    const named = await Promise.all(
      [GOOD_EC, withSignature(GOOD_EC, twinOf)].map(async (token) => {
        const answer = await verifier.verifyChain([token]);
        return answer.verified ? [answer.chain.leaf.hash, answer.chain.leaf.claims.jti] : answer.refusal.code;
      }),
    );
    expect(named[0]).toEqual(named[1]);
  });
});

describe("tokens that were changed at random,", () => {
  it("are let through only where jose verifies the same bytes by the same key", async () => {
    let [permitted, refusedByJose, changed] = [0, 0, 0];
    const payload = JSON.stringify(CLAIMS);
    for (let index = 0; index < 3000; index++) {
      const random = randomOf(1, index);
      const key = random.pick([ED, EC]);
      const rewritten = random.chance(80) ? random.pick(Object.values(REWRITES))(payload, random) : payload;
      const header = JSON.stringify(headerOf(key));
      const signed = compact(random.chance(20) ? otherHeader(header, random) : header, rewritten, key);
      const edited = random.chance(25) ? random.pick(Object.values(EDITS))([signed, signed, signed, signed], random)[0] : signed;
      if (typeof edited !== "string") continue;
      changed++;
      const { ours, isSignedForJose, isJwtForJose } = await answers(edited, key);
      if (!isSignedForJose) refusedByJose++;
      if (ours !== "permitted") continue;
      permitted++;
      const { payload: bytes } = await compactVerify(edited, key.jwk as JWK, ALGORITHMS);
      const claims = JSON.parse(Buffer.from(bytes).toString()) as Readonly<Record<string, unknown>>;
      expect([edited, isSignedForJose]).toEqual([edited, true]);
      expect(Buffer.from(bytes).equals(Buffer.from(rewritten))).toBe(true);
      // Of the claims, the audience is asked later and `nbf` never: see above.
      if (claims["nbf"] === undefined && [claims["aud"]].flat().includes(AUDIENCE)) expect([edited, isJwtForJose]).toEqual([edited, true]);
    }
    expect(permitted).toBeGreaterThan(300);
    expect(refusedByJose).toBeGreaterThan(150);
    expect(changed).toBeGreaterThan(2500);
  });
});

describe("what we sign", () => {
  const keyOf = (key: Pair): ReturnType<typeof signingKey> => signingKey(key.privateKey.export({ format: "jwk" }) as PrivateJwk);

  it.each([
    ["Ed25519", ED, EC],
    ["ES256", EC, ED],
  ])("by %s is verified by jose: root, child and proof", async (_, issuerPair, holderPair) => {
    const [issuer, holder] = await Promise.all([keyOf(issuerPair), keyOf(holderPair)]);
    const options = { audience: [AUDIENCE], now: NOW * 1000 };
    const parent = await issueRoot({ ...options, issuer: ISSUER, holder: holder.public, tools: { read_file: {} }, maxDepth: 2, expiresAt: NOW + 60 }, issuer);
    const child = await deriveToken(parent, { ...options, holder: issuer.public }, holder);
    const proof = await signPop({ leaf: child.leaf, tool: "read_file", args: { path: "/ä" }, now: NOW * 1000 }, issuer);
    const [first, second] = child.tokens as [string, string];
    expect((await jwtVerify(first, issuerPair.jwk as JWK, CLAIM_CHECKS)).payload.jti).toBe(parent.leaf.claims.jti);
    const derived = { ...CLAIM_CHECKS, issuer: `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${holderPair.thumbprint}` };
    expect((await jwtVerify(second, holderPair.jwk as JWK, derived)).payload["par_hash"]).toBe(parent.leaf.hash);
    const { payload, protectedHeader } = await compactVerify(proof, issuerPair.jwk as JWK, ALGORITHMS);
    expect(protectedHeader.typ).toBe("aat-pop+jwt");
    expect((JSON.parse(Buffer.from(payload).toString()) as { readonly hta: unknown }).hta).toEqual({ path: "/ä" });
    for (const [token, pairOfOther] of [
      [first, holderPair],
      [second, issuerPair],
      [proof, holderPair],
    ] as const) {
      expect(await isKept(compactVerify(token, pairOfOther.jwk as JWK, ALGORITHMS))).toBe(false);
    }
  });
});
