import { generateKeyPairSync, sign } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Json } from "../../src/data/json.ts";
import { trustAnchor } from "../../src/token/anchors.ts";
import { changeSignature, dangling, hmacToken, malleated, pem, type AttackClass } from "../support/forgery.ts";
import { hasVectors, vectorText } from "../support/vectors.ts";
import { AUDIENCE, base64url, callVerdict, chain, compact, headerOf, ISSUER, ISSUER_PAIR, NOW, pair, pop, rootClaims, signatureOf, type Pair } from "./mint.ts";

// One token of each class as the root of a chain, with the proof of its holder and a call that it permits: all else is as it should be.
const ED = ISSUER_PAIR;
const EC = pair("ES256");
const FOREIGN = pair();
const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
const HEADER = { ...headerOf(ED), kid: "ed-1" };
const CLAIMS = rootClaims({ aud: AUDIENCE });
const GOOD = compact(HEADER, CLAIMS, ED);
const [HEAD, BODY, SIGNATURE] = GOOD.split(".") as [string, string, string];

const ANCHORS = [
  { issuer: ISSUER, jwk: ED.jwk, kid: "ed-1" },
  { issuer: ISSUER, jwk: EC.jwk, kid: "ec-1" },
].map((anchor) => trustAnchor(anchor));

const withHeader = (header: unknown, key: Pair = ED): string => compact(header, CLAIMS, key);
const withClaims = (changes: object): string => compact(HEADER, { ...CLAIMS, ...changes }, ED);
/** The claims as text, with something put in before `"jti"`. */
const withText = (inserted: string): string => compact(HEADER, JSON.stringify(CLAIMS).replace('"jti"', `${inserted},"jti"`), ED);
const unsigned = (header: unknown, signature = ""): string => `${base64url(JSON.stringify(header))}.${BODY}.${signature}`;

const hmac = (secret: string | Buffer, alg = "HS256"): string => hmacToken({ ...HEADER, alg }, BODY, secret);

const SECRETS: Readonly<Record<string, () => string | Buffer>> = {
  edPem: () => pem(ED.publicKey, "spki"),
  rsaPem: () => pem(RSA.publicKey, "spki"),
  rsaPkcs1: () => pem(RSA.publicKey, "pkcs1"),
  edPemTrim: () => pem(ED.publicKey, "spki").trim(),
  rsaPemLeadingNl: () => `\n${pem(RSA.publicKey, "spki")}`,
  edX: () => ED.jwk["x"] as string,
  edRaw: () => Buffer.from(ED.jwk["x"] as string, "base64url"),
  jwkJson: () => JSON.stringify(ED.jwk),
  empty: () => "",
  zeros: () => Buffer.alloc(32),
};

const withSignature = (change: (signature: Buffer) => Buffer, token = GOOD): string => changeSignature(token, change);

function der(): string {
  const input = `${base64url(JSON.stringify({ ...headerOf(EC), kid: "ec-1" }))}.${BODY}`;
  return `${input}.${base64url(sign("sha256", Buffer.from(input), EC.privateKey))}`;
}

function detached(header: object): string {
  const input = `${base64url(JSON.stringify(header))}.${JSON.stringify(CLAIMS)}`;
  return `${input}.${base64url(signatureOf(input, ED))}`;
}

const EXPIRIES: Readonly<Record<string, Json | undefined>> = {
  past: NOW - 1,
  missing: undefined,
  string: String(NOW + 60),
  float: NOW + 60.5,
  "1e30": 1e30,
  negative: -1,
  null: null,
  array: [NOW + 60],
};
const TYPES: Readonly<Record<string, string | undefined>> = { undefined };

const MADE: Readonly<Record<string, () => string>> = {
  "ok-baseline": () => GOOD,
  "ok-es256": () => withHeader({ ...headerOf(EC), kid: "ec-1" }, EC),
  "alg-none-keep-sig": () => unsigned({ ...HEADER, alg: "none" }, SIGNATURE),
  "alg-missing": () => withHeader({ typ: "aat+jwt" }),
  "alg-number": () => withHeader({ ...HEADER, alg: 1 }),
  "alg-array": () => withHeader({ ...HEADER, alg: ["Ed25519"] }),
  "alg-null": () => withHeader({ ...HEADER, alg: null }),
  "hs512-rsaPem": () => hmac(pem(RSA.publicKey, "spki"), "HS512"),
  "rs256-on-ed-kid": () => {
    const input = `${base64url(JSON.stringify({ ...HEADER, alg: "RS256" }))}.${BODY}`;
    return `${input}.${base64url(sign("sha256", Buffer.from(input), RSA.privateKey))}`;
  },
  "es256-der-sig": der,
  "es256-zero-sig": () => withSignature((bytes) => Buffer.alloc(bytes.length), withHeader({ ...headerOf(EC), kid: "ec-1" }, EC)),
  "ed-zero-sig": () => withSignature((bytes) => Buffer.alloc(bytes.length)),
  "ed-malleable-S+L": () => withSignature(malleated),
  "jwk-header-injection": () => withHeader({ ...HEADER, jwk: FOREIGN.jwk }, FOREIGN),
  "kid-proto-hmac": () => hmac("", "HS256").replace(/^[^.]+/, base64url(JSON.stringify({ ...HEADER, alg: "HS256", kid: "__proto__" }))),
  "crit-unknown": () => withHeader({ ...HEADER, crit: ["urn:x"], "urn:x": true }),
  "crit-empty": () => withHeader({ ...HEADER, crit: [] }),
  "crit-string": () => withHeader({ ...HEADER, crit: "alg" }),
  "crit-absent-member": () => withHeader({ ...HEADER, crit: ["exp"] }),
  "crit-alg": () => withHeader({ ...HEADER, crit: ["alg"] }),
  "crit-dup": () => withHeader({ ...HEADER, crit: ["b64", "b64"], b64: true }),
  "b64-false-detached": () => detached({ ...HEADER, b64: false, crit: ["b64"] }),
  "b64-false-nocrit": () => detached({ ...HEADER, b64: false }),
  "zip-DEF": () => compact({ ...HEADER, zip: "DEF" }, deflateRawSync(JSON.stringify(CLAIMS)), ED),
  "dup-alg": () => withHeader('{"alg":"none","alg":"Ed25519","typ":"aat+jwt"}'),
  "dup-alg2": () => withHeader('{"alg":"Ed25519","typ":"aat+jwt","alg":"Ed25519"}'),
  "dup-exp": () => withText(`"exp":${NOW + 60}`),
  "dup-sub": () => withText('"sub":"a","sub":"b"'),
  "dup-escaped": () => withText(`"\\u0065xp":${NOW + 60}`),
  "case-variant": () => withClaims({ EXP: 1, Iss: "https://evil.example", "\u017fub": "x", AUD: "other" }),
  "proto-claim": () => withText('"__proto__":{"aud":"x"}'),
  "claim-exp-inf": () => compact(HEADER, JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e999'), ED),
  "claim-iat-future": () => withClaims({ iat: NOW + 31 }),
  "claim-exp-before-iat": () => withClaims({ iat: NOW + 20, exp: NOW + 10 }),
  "claim-ttl-too-long": () => withClaims({ exp: NOW + 10 * 365 * 86_400 }),
  "claim-iss-array": () => withClaims({ iss: [ISSUER] }),
  "claim-iss-array-2": () => withClaims({ iss: ["https://evil.example", ISSUER] }),
  "claim-iss-slash": () => withClaims({ iss: `${ISSUER}/` }),
  "claim-iss-case": () => withClaims({ iss: ISSUER.toUpperCase() }),
  "claim-iss-missing": () => withClaims({ iss: undefined }),
  // `aud` is optional in the draft, and demanded by the verifier here.
  "claim-aud-missing": () => withClaims({ aud: undefined }),
  "claim-aud-wrong": () => withClaims({ aud: "https://other.example" }),
  "claim-aud-prefix": () => withClaims({ aud: `${AUDIENCE}.evil.example` }),
  "claim-aud-empty": () => withClaims({ aud: [] }),
  "claim-aud-object": () => withClaims({ aud: { 0: AUDIENCE, length: 1 } }),
  // No `sub` in the draft; NUL is refused in whatever claim it stands.
  "claim-sub-nul": () => withClaims({ sub: "user\0admin" }),
  "claim-jti-missing": () => withClaims({ jti: undefined }),
  "claim-jti-number": () => withClaims({ jti: 7 }),
  "pad-header": () => `${HEAD}=.${BODY}.${SIGNATURE}`,
  "pad-sig": () => `${GOOD}==`,
  "space-sig": () => `${GOOD.slice(0, -8)} ${GOOD.slice(-8)}`,
  "nl-sig": () => `${GOOD}\n`,
  "tab-sig": () => `${GOOD}\t`,
  "dangling-bits-sig": () => dangling(GOOD),
  "std-b64-alphabet": () => GOOD.replaceAll("-", "+").replaceAll("_", "/"),
  "four-parts": () => `${GOOD}.`,
  "two-parts": () => `${HEAD}.${BODY}`,
  "five-parts-jwe": () => `${HEAD}.${BODY}.${SIGNATURE}.${BODY}.${SIGNATURE}`,
  empty: () => "",
  dots: () => "..",
  "json-general": () => JSON.stringify({ payload: BODY, signatures: [{ protected: HEAD, signature: SIGNATURE }] }),
  "json-flattened-unprotected": () => JSON.stringify({ header: { alg: "none" }, payload: BODY, protected: HEAD, signature: SIGNATURE }),
  "payload-not-json": () => compact(HEADER, "claims", ED),
  "payload-array": () => compact(HEADER, [CLAIMS], ED),
  "payload-null": () => compact(HEADER, "null", ED),
  "payload-number": () => compact(HEADER, "1", ED),
  "payload-bom": () => compact(HEADER, `\ufeff${JSON.stringify(CLAIMS)}`, ED),
  "payload-invalid-utf8": () => compact(HEADER, Buffer.from(JSON.stringify({ ...CLAIMS, x: "\xff" }), "latin1"), ED),
  "payload-lone-surrogate": () => withText('"x":"\\ud800"'),
  "deep-nesting": () => withText(`"x":${"[".repeat(20_000)}${"]".repeat(20_000)}`),
  "huge-128KiB": () => withClaims({ x: "x".repeat(131_072) }),
  "many-keys": () => withClaims(Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [index.toString(36), 0]))),
};

/** Why a class is no attack on an AAT, and that it does no harm. */
const NOT_APPLICABLE: Readonly<Record<string, readonly [why: string, token: () => string]>> = {
  "jwk-header-with-good-sig": ["verified as if the member were absent (draft 3.5)", () => withHeader({ ...HEADER, jwk: FOREIGN.jwk })],
  "jku-header": ["verified as if the member were absent; nothing is fetched", () => withHeader({ ...HEADER, jku: "https://evil.example/jwks" })],
  "x5u-header": ["verified as if the member were absent; nothing is fetched", () => withHeader({ ...HEADER, x5u: "https://evil.example/cert" })],
  "x5c-header": ["verified as if the member were absent", () => withHeader({ ...HEADER, x5c: ["AAAA"] })],
  "claim-nbf-future": ["the draft has no `nbf`; an unknown claim must not cause rejection", () => withClaims({ nbf: NOW + 600 })],
  "claim-aud-array-multi": ["a list of audiences is legal when we are in it (RFC 7519)", () => withClaims({ aud: ["https://other.example", AUDIENCE] })],
  "claim-sub-missing": ["the draft has no `sub` on purpose", () => withClaims({ sub: undefined })],
  "claim-sub-number": ["the draft has no `sub` on purpose", () => withClaims({ sub: 7 })],
  "claim-sub-empty": ["the draft has no `sub` on purpose", () => withClaims({ sub: "" })],
  "claim-tid-other": ["a tenant is a dimension of a profile, not of the draft", () => withClaims({ tid: "other" })],
};

function tokenOf(id: string): string | undefined {
  if (Object.hasOwn(MADE, id)) return MADE[id]?.();
  const [, family = "", rest = ""] = /^(alg-none|hs256-secret-is|kid|typ|claim-exp)-(.*)$/.exec(id) ?? [];
  if (family === "alg-none") return unsigned({ ...HEADER, alg: JSON.parse(rest) as string });
  if (family === "hs256-secret-is") return SECRETS[rest] === undefined ? undefined : hmac(SECRETS[rest]());
  if (family === "kid") return withHeader({ ...HEADER, kid: rest.at(-1) === "a" ? "a".repeat(4096) : (JSON.parse(rest) as unknown) });
  if (family === "typ") return withHeader({ ...HEADER, typ: Object.hasOwn(TYPES, rest) ? TYPES[rest] : rest });
  if (family === "claim-exp" && Object.hasOwn(EXPIRIES, rest)) return withClaims({ exp: EXPIRIES[rest] });
  return undefined;
}

const verdictOf = (tokens: readonly string[]): Promise<string> =>
  callVerdict(tokens, { anchors: () => ANCHORS, requireChainAudience: true, proof: proofFor(tokens) });

/** The holder's proof, for the good token where the leaf is no token at all. */
function proofFor(tokens: readonly string[]): string {
  try {
    return pop(tokens);
  } catch {
    return pop([GOOD]);
  }
}

const isHere = hasVectors("hostile/token-attack-classes.json");
const classes = isHere ? (JSON.parse(vectorText("hostile/token-attack-classes.json")) as { readonly classes: readonly AttackClass[] }).classes : [];

describe.skipIf(!isHere)("a token of the class", () => {
  const fetched = vi.fn<typeof fetch>();
  beforeEach(() => void vi.stubGlobal("fetch", fetched));
  afterEach(() => {
    vi.unstubAllGlobals();
    expect(fetched).not.toHaveBeenCalled();
  });

  it.each(classes.filter(({ id }) => !Object.hasOwn(NOT_APPLICABLE, id) && id !== "chain-depth-33"))(
    "$id: $expect ($why)",
    async ({ id, expect: expected }) => {
      const token = tokenOf(id);
      if (token === undefined) throw new Error(`no token was made for the class ${id}`);
      const verdict = await verdictOf([token]);
      if (expected === "accept" || expected === "accept-ignore" || (expected === "reject-if-different" && token === GOOD)) expect(verdict).toBe("permitted");
      else expect(verdict).toMatch(/^(envelope|chain|audience)_/);
    },
  );

  it("chain-depth-33 is refused", async () => {
    const tokens = chain(9);
    expect(await verdictOf([...tokens, ...tokens, ...tokens, ...tokens].slice(0, 33))).toBe("depth_exceeded 4f 9");
  });

  it.each(Object.entries(NOT_APPLICABLE).map(([id, [why, token]]) => ({ id, why, token })))("$id is no attack here: $why", async ({ token }) => {
    expect(await verdictOf([token()])).toBe("permitted");
  });

  it("is made or ruled out for each of the list, and no other", () => {
    const ids = classes.map(({ id }) => id);
    const isKnown = (id: string): boolean => tokenOf(id) !== undefined || Object.hasOwn(NOT_APPLICABLE, id) || id === "chain-depth-33";
    expect(ids.filter((id) => !isKnown(id))).toEqual([]);
    expect([...Object.keys(MADE), ...Object.keys(NOT_APPLICABLE)].filter((id) => !ids.includes(id))).toEqual([]);
  });
});
