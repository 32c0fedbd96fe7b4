import { generateKeyPairSync, sign } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Order } from "../../../src/envelope/order.ts";
import { createVocabulary } from "../../../src/envelope/vocabulary.ts";
import { trustAnchor } from "../../../src/token/anchors.ts";
import { verifyEnvelopes, type EnvelopeAnchor } from "../../../src/token/profile/verify-envelope.ts";
import { createVerifier } from "../../../src/token/verifier.ts";
import { changeSignature, dangling, hmacToken, malleated, pem, type AttackClass } from "../../support/forgery.ts";
import { hasVectors, vectorText } from "../../support/vectors.ts";
import { AUDIENCE, aat, base64url, chain, compact, headerOf, ISSUER, ISSUER_PAIR, NOW, pair, pop, rootClaims, signatureOf, type Pair } from "../mint.ts";

/*
 * One token of each class as the root of a chain of our profile, under an anchor of kind `ambit`: presented with the proof of its holder, for a
 * call that it permits, and read as an envelope. All but the one thing is as it should be.
 */
type Claims = Readonly<Record<string, unknown>>;

const ED = ISSUER_PAIR;
const EC = pair("ES256");
const FOREIGN = pair();
const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
const HEADER = { ...headerOf(ED), kid: "ed-1" };
const ORDER: Order = {
  vocabulary: createVocabulary(),
  purposes: { parentOf: (purpose) => (purpose === "review" ? null : undefined), digest: "sha-256:classes" },
};
const EXPIRY = NOW + 3600;
const instant = (seconds: number): string => new Date(seconds * 1000).toISOString();

const ENTRY: Claims = {
  type: "urn:ambit:envelope:1",
  vocabulary: ORDER.vocabulary.digest,
  purposes: ORDER.purposes.digest,
  delegator_id: "u1",
  tenant_id: "t1",
  session_id: "s1",
  task_id: "k1",
  purpose: "review",
  agent_id: "reviewer",
  allowed_tools: ["read_file"],
  resource_constraints: { max_records: 25 },
  max_depth: 4,
  expires_at: instant(EXPIRY),
};
const claimsWith = (changes: Claims = {}, entryChanges: Claims = {}): Claims =>
  rootClaims({
    aud: AUDIENCE,
    exp: EXPIRY,
    del_max_depth: 4,
    authorization_details: [aat({ read_file: {} }), { ...ENTRY, ...entryChanges }],
    ...changes,
  });
const CLAIMS = claimsWith();
const GOOD = compact(HEADER, CLAIMS, ED);
const [HEAD, BODY, SIGNATURE] = GOOD.split(".") as [string, string, string];

const ANCHORS = [
  { issuer: ISSUER, jwk: ED.jwk, kid: "ed-1" },
  { issuer: ISSUER, jwk: EC.jwk, kid: "ec-1" },
].map((anchor): EnvelopeAnchor => ({ ...trustAnchor(anchor), kind: "ambit", tenants: new Set(["t1"]) }));

const withHeader = (header: unknown, key: Pair = ED): string => compact(header, CLAIMS, key);
const withClaims = (changes: Claims, entryChanges?: Claims): string => compact(HEADER, claimsWith(changes, entryChanges), ED);
const withEntry = (changes: Claims): string => withClaims({}, changes);
/** The claims as text, with something put in before `"jti"`, or in our entry before `"delegator_id"`. */
const withText = (inserted: string, before = '"jti"'): string => compact(HEADER, JSON.stringify(CLAIMS).replace(before, `${inserted},${before}`), ED);
const withExpiry = (exp: unknown): string => withClaims({ exp });
const unsigned = (header: unknown, signature = ""): string => `${base64url(JSON.stringify(header))}.${BODY}.${signature}`;

const hmac = (secret: string | Buffer, alg = "HS256", kid = "ed-1"): string => hmacToken({ ...HEADER, alg, kid }, BODY, secret);

const withSignature = (change: (signature: Buffer) => Buffer, token = GOOD): string => changeSignature(token, change);

/** Signed over another input than the compact form of the claims. */
function signedOtherwise(header: object, body: string, signature: (input: Buffer) => Buffer): string {
  const input = `${base64url(JSON.stringify(header))}.${body}`;
  return `${input}.${base64url(signature(Buffer.from(input)))}`;
}
const detached = (header: object): string => signedOtherwise(header, JSON.stringify(CLAIMS), (input) => signatureOf(input.toString(), ED));

const FORM = "envelope_malformed 3a";
const KEY = "envelope_signature_invalid 3a";
const SIGNED_BY_NONE = "envelope_signature_invalid 3b";
const TEXT = "envelope_malformed 3b";
const EXPIRY_FORM = "envelope_malformed 3b";
const AUDIENCE_FORM = "envelope_malformed 6c";
const ISSUER_FORM = "envelope_malformed 3k";
const ID_FORM = "envelope_malformed 3j";
const OTHER_ISSUER = "chain_broken 3k";
const OTHER_AUDIENCE = "audience_mismatch 6c";
const ENTRY_FORM = "envelope_malformed profile 3";
const PERMITTED = "permitted";

const all = (prefix: string, expected: string, tokens: Readonly<Record<string, () => string>>): readonly (readonly [string, Case])[] =>
  Object.entries(tokens).map(([name, token]) => [prefix + name, [expected, token]]);
type Case = readonly [expected: string, token: () => string];

const algorithms = ["none", "None", "NONE", "nOnE", "none ", ""].map((alg) => [JSON.stringify(alg), () => unsigned({ ...HEADER, alg })] as const);
const kids = [
  ...["../../../../dev/null", "/dev/null", "ed-1; rm -rf /", "ed-1' OR '1'='1", 'ed-1" UNION SELECT 1--', "__proto__", "constructor", "toString"],
  ...["hasOwnProperty", "", "ED-1", "ed-1 ", "\uff45\uff44-1"],
].map((kid) => [JSON.stringify(kid), () => withHeader({ ...HEADER, kid })] as const);
const types = ["JWT", "at+jwt", "dpop+jwt", "txntoken+jwt", "oauth-id-jag+jwt", "secevent+jwt", "wpt+jwt", "application/at+jwt"].map(
  (typ) => [typ, () => withHeader({ ...HEADER, typ })] as const,
);

/** What a token of each class comes to: `permitted`, or the code and the step of the refusal. */
const CASES: Readonly<Record<string, Case>> = Object.fromEntries<Case>([
  ["jwk-header-with-good-sig", ["envelope_malformed profile 3", () => withHeader({ ...HEADER, jwk: FOREIGN.jwk })]],
  ["jku-header", ["envelope_malformed profile 3", () => withHeader({ ...HEADER, jku: "https://evil.example/jwks" })]],
  ["x5u-header", ["envelope_malformed profile 3", () => withHeader({ ...HEADER, x5u: "https://evil.example/cert" })]],
  ["x5c-header", ["envelope_malformed profile 3", () => withHeader({ ...HEADER, x5c: ["AAAA"] })]],
  ["claim-nbf-future", ["envelope_malformed profile 3", () => withClaims({ nbf: NOW + 600 })]],
  ["ok-baseline", [PERMITTED, () => GOOD]],
  ["ok-es256", [PERMITTED, () => withHeader({ ...headerOf(EC), kid: "ec-1" }, EC)]],

  ...all("alg-none-", KEY, Object.fromEntries(algorithms)),
  ["alg-none-keep-sig", [KEY, () => unsigned({ ...HEADER, alg: "none" }, SIGNATURE)]],
  ...all("alg-", FORM, {
    missing: () => withHeader({ typ: "aat+jwt" }),
    number: () => withHeader({ ...HEADER, alg: 1 }),
    array: () => withHeader({ ...HEADER, alg: ["Ed25519"] }),
    null: () => withHeader({ ...HEADER, alg: null }),
  }),
  ...all("hs256-secret-is-", KEY, {
    edPem: () => hmac(pem(ED.publicKey, "spki")),
    rsaPem: () => hmac(pem(RSA.publicKey, "spki")),
    rsaPkcs1: () => hmac(pem(RSA.publicKey, "pkcs1")),
    edPemTrim: () => hmac(pem(ED.publicKey, "spki").trim()),
    rsaPemLeadingNl: () => hmac(`\n${pem(RSA.publicKey, "spki")}`),
    edX: () => hmac(ED.jwk["x"] as string),
    edRaw: () => hmac(Buffer.from(ED.jwk["x"] as string, "base64url")),
    jwkJson: () => hmac(JSON.stringify(ED.jwk)),
    empty: () => hmac(""),
    zeros: () => hmac(Buffer.alloc(32)),
  }),
  ["hs512-rsaPem", [KEY, () => hmac(pem(RSA.publicKey, "spki"), "HS512")]],
  ["rs256-on-ed-kid", [KEY, () => signedOtherwise({ ...HEADER, alg: "RS256" }, BODY, (input) => sign("sha256", input, RSA.privateKey))]],
  ["es256-der-sig", [SIGNED_BY_NONE, () => signedOtherwise({ ...headerOf(EC), kid: "ec-1" }, BODY, (input) => sign("sha256", input, EC.privateKey))]],
  ["es256-zero-sig", [SIGNED_BY_NONE, () => withSignature((bytes) => Buffer.alloc(bytes.length), withHeader({ ...headerOf(EC), kid: "ec-1" }, EC))]],
  ["ed-zero-sig", [SIGNED_BY_NONE, () => withSignature((bytes) => Buffer.alloc(bytes.length))]],
  ["ed-malleable-S+L", [SIGNED_BY_NONE, () => withSignature(malleated)]],
  ["jwk-header-injection", [SIGNED_BY_NONE, () => withHeader({ ...HEADER, jwk: FOREIGN.jwk }, FOREIGN)]],

  ...all("kid-", KEY, Object.fromEntries(kids)),
  ['kid-"ed-1\\u0000"', [FORM, () => withHeader({ ...HEADER, kid: "ed-1\0" })]],
  ['kid-"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', [KEY, () => withHeader({ ...HEADER, kid: "a".repeat(4096) })]],
  ...all("kid-", FORM, {
    '{"$ne":null}': () => withHeader({ ...HEADER, kid: { $ne: null } }),
    '["ed-1"]': () => withHeader({ ...HEADER, kid: ["ed-1"] }),
    0: () => withHeader({ ...HEADER, kid: 0 }),
  }),
  ["kid-proto-hmac", [KEY, () => hmac("", "HS256", "__proto__")]],
  ...all("typ-", FORM, { ...Object.fromEntries(types), undefined: () => withHeader({ ...HEADER, typ: undefined }) }),

  ...all("crit-", FORM, {
    unknown: () => withHeader({ ...HEADER, crit: ["urn:x"], "urn:x": true }),
    empty: () => withHeader({ ...HEADER, crit: [] }),
    string: () => withHeader({ ...HEADER, crit: "alg" }),
    "absent-member": () => withHeader({ ...HEADER, crit: ["exp"] }),
    alg: () => withHeader({ ...HEADER, crit: ["alg"] }),
    dup: () => withHeader({ ...HEADER, crit: ["b64", "b64"], b64: true }),
  }),
  ["b64-false-detached", [FORM, () => detached({ ...HEADER, b64: false, crit: ["b64"] })]],
  ["b64-false-nocrit", [FORM, () => detached({ ...HEADER, b64: false })]],
  ["zip-DEF", [TEXT, () => compact({ ...HEADER, zip: "DEF" }, deflateRawSync(JSON.stringify(CLAIMS)), ED)]],

  ["dup-alg", [FORM, () => withHeader('{"alg":"none","alg":"Ed25519","typ":"aat+jwt"}')]],
  ["dup-alg2", [FORM, () => withHeader('{"alg":"Ed25519","typ":"aat+jwt","alg":"Ed25519"}')]],
  ["dup-exp", [TEXT, () => withText(`"exp":${EXPIRY}`)]],
  // Who the token is for is in our entry, so that is where somebody would say it twice.
  ["dup-sub", [TEXT, () => withText('"delegator_id":"ceo"', '"delegator_id"')]],
  ["dup-escaped", [TEXT, () => withText('"\\u0064elegator_id":"ceo"', '"delegator_id"')]],
  ["case-variant", [PERMITTED, () => withClaims({ EXP: 1, Iss: "https://evil.example", "\u017fub": "x", AUD: "other", Authorization_Details: [] })]],
  ["proto-claim", [TEXT, () => withText('"__proto__":{"aud":"x"}')]],

  ["claim-exp-past", ["envelope_expired 3e", () => withClaims({ exp: NOW - 1 }, { expires_at: instant(NOW - 1) })]],
  ...all("claim-exp-", EXPIRY_FORM, {
    missing: () => withExpiry(undefined),
    string: () => withExpiry(String(EXPIRY)),
    float: () => withExpiry(EXPIRY + 0.5),
    inf: () => compact(HEADER, JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e999'), ED),
    "1e30": () => withExpiry(1e30),
    null: () => withExpiry(null),
    array: () => withExpiry([EXPIRY]),
  }),
  ["claim-exp-negative", ["envelope_expired 3e", () => withExpiry(-1)]],
  ["claim-iat-future", ["envelope_not_yet_valid 3f", () => withClaims({ iat: NOW + 31 })]],
  ["claim-exp-before-iat", ["envelope_malformed 3g", () => withClaims({ iat: NOW + 20, exp: NOW + 10 }, { expires_at: instant(NOW + 10) })]],
  ["claim-ttl-too-long", ["envelope_malformed 3h", () => withClaims({ exp: NOW + 8e6 }, { expires_at: instant(NOW + 8e6) })]],
  ["claim-iss-array", [ISSUER_FORM, () => withClaims({ iss: [ISSUER] })]],
  ["claim-iss-array-2", [ISSUER_FORM, () => withClaims({ iss: ["https://evil.example", ISSUER] })]],
  ["claim-iss-missing", [ISSUER_FORM, () => withClaims({ iss: undefined })]],
  ["claim-iss-slash", [OTHER_ISSUER, () => withClaims({ iss: `${ISSUER}/` })]],
  ["claim-iss-case", [OTHER_ISSUER, () => withClaims({ iss: ISSUER.toUpperCase() })]],
  ["claim-aud-missing", ["audience_mismatch profile 2", () => withClaims({ aud: undefined })]],
  ["claim-aud-wrong", [OTHER_AUDIENCE, () => withClaims({ aud: "https://other.example" })]],
  ["claim-aud-prefix", [OTHER_AUDIENCE, () => withClaims({ aud: `${AUDIENCE}.evil.example` })]],
  ["claim-aud-empty", [OTHER_AUDIENCE, () => withClaims({ aud: [] })]],
  ["claim-aud-object", [AUDIENCE_FORM, () => withClaims({ aud: { 0: AUDIENCE, length: 1 } })]],
  ["claim-sub-missing", [ENTRY_FORM, () => withEntry({ delegator_id: undefined })]],
  ["claim-sub-number", [ENTRY_FORM, () => withEntry({ delegator_id: 7 })]],
  ["claim-sub-empty", [ENTRY_FORM, () => withEntry({ delegator_id: "" })]],
  ["claim-sub-nul", [TEXT, () => withEntry({ delegator_id: "u1\0admin" })]],
  ["claim-jti-missing", [ID_FORM, () => withClaims({ jti: undefined })]],
  ["claim-jti-number", [ID_FORM, () => withClaims({ jti: 7 })]],
  ["claim-tid-other", ["tenant_mismatch profile 5", () => withEntry({ tenant_id: "t2" })]],

  ["pad-header", [FORM, () => `${HEAD}=.${BODY}.${SIGNATURE}`]],
  ["pad-sig", [FORM, () => `${GOOD}==`]],
  ["space-sig", [FORM, () => `${GOOD.slice(0, -8)} ${GOOD.slice(-8)}`]],
  ["nl-sig", [FORM, () => `${GOOD}\n`]],
  ["tab-sig", [FORM, () => `${GOOD}\t`]],
  ["dangling-bits-sig", [FORM, () => dangling(GOOD)]],
  ["std-b64-alphabet", [FORM, () => withOtherAlphabet()]],
  ["four-parts", [FORM, () => `${GOOD}.`]],
  ["two-parts", [FORM, () => `${HEAD}.${BODY}`]],
  ["five-parts-jwe", [FORM, () => `${HEAD}.${BODY}.${SIGNATURE}.${BODY}.${SIGNATURE}`]],
  ["empty", [FORM, () => ""]],
  ["dots", [FORM, () => ".."]],
  ["json-general", [FORM, () => JSON.stringify({ payload: BODY, signatures: [{ protected: HEAD, signature: SIGNATURE }] })]],
  ["json-flattened-unprotected", [FORM, () => JSON.stringify({ header: { alg: "none" }, payload: BODY, protected: HEAD, signature: SIGNATURE })]],
  ["payload-not-json", [TEXT, () => compact(HEADER, "claims", ED)]],
  ["payload-array", [TEXT, () => compact(HEADER, [CLAIMS], ED)]],
  ["payload-null", [TEXT, () => compact(HEADER, "null", ED)]],
  ["payload-number", [TEXT, () => compact(HEADER, "1", ED)]],
  ["payload-bom", [TEXT, () => compact(HEADER, `\ufeff${JSON.stringify(CLAIMS)}`, ED)]],
  ["payload-invalid-utf8", [TEXT, () => compact(HEADER, Buffer.from(JSON.stringify({ ...CLAIMS, x: "\xff" }), "latin1"), ED)]],
  ["payload-lone-surrogate", [TEXT, () => withText('"x":"\\ud800"')]],
  ["deep-nesting", [TEXT, () => withText(`"x":${"[".repeat(20_000)}${"]".repeat(20_000)}`)]],
  ["huge-128KiB", ["envelope_malformed 2a", () => withEntry({ task_id: "x".repeat(131_072) })]],
  ["many-keys", [TEXT, () => withClaims(Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [index.toString(36), 0])))]],
]);

/** A signature of letters that the two alphabets have in common would be no test: the payload has others for sure. */
function withOtherAlphabet(): string {
  const token = withClaims({ x: "\u00ff\u00fe\u00ff?>?>~~~" });
  expect(token).toMatch(/[-_]/);
  return token.replaceAll("-", "+").replaceAll("_", "/");
}

/** What the draft wants let through, and why it does no harm: each is verified by the anchor's key, and nothing is fetched. */
const HARMLESS: Readonly<Record<string, readonly [why: string, token: () => string]>> = {
  "claim-aud-array-multi": ["a list of audiences is legal when we are in it (RFC 7519)", () => withClaims({ aud: ["https://other.example", AUDIENCE] })],
};

/** The holder's proof, for the good token where the leaf is no token at all. */
function proofFor(tokens: readonly string[]): string {
  try {
    return pop(tokens);
  } catch {
    return pop([GOOD]);
  }
}

/** `permitted`, or the code and the step of the refusal: of the call by the draft, then of the envelopes. */
async function verdictOf(tokens: readonly string[]): Promise<string> {
  const verifier = createVerifier<EnvelopeAnchor>({ anchors: () => ANCHORS, audiences: [AUDIENCE], replay: "deferred", now: () => NOW * 1000 });
  const answer = await verifier.verifyCall({ chain: tokens, pop: proofFor(tokens) }, { tool: "read_file", argsText: '{"path":"/a"}' });
  const profile = answer.verified ? verifyEnvelopes(answer.chain, ORDER) : answer;
  return profile.verified ? PERMITTED : `${profile.refusal.code} ${profile.refusal.step}`;
}

const isHere = hasVectors("hostile/token-attack-classes.json");
const classes = isHere ? (JSON.parse(vectorText("hostile/token-attack-classes.json")) as { readonly classes: readonly AttackClass[] }).classes : [];
/** A chain of its own, not one token. */
const CHAINS = ["chain-depth-33"];

describe.skipIf(!isHere)("an envelope of the class", () => {
  const fetched = vi.fn<typeof fetch>();
  beforeEach(() => void vi.stubGlobal("fetch", fetched));
  afterEach(() => {
    vi.unstubAllGlobals();
    expect(fetched).not.toHaveBeenCalled();
  });

  it("is made or ruled out for each of the list, and no other", () => {
    const ids = classes.map(({ id }) => id);
    expect([...Object.keys(CASES), ...Object.keys(HARMLESS), ...CHAINS].toSorted()).toEqual(ids.toSorted());
  });

  it("is refused wherever the list says so, but for what the draft wants let through", () => {
    const accepted = classes.filter(({ expect: expected }) => expected === "accept" || expected === "accept-ignore").map(({ id }) => id);
    expect(Object.keys(CASES).filter((id) => CASES[id]?.[0] === PERMITTED)).toEqual(accepted);
  });

  it.each(classes.filter(({ id }) => Object.hasOwn(CASES, id)))("$id: $expect ($why)", async ({ id }) => {
    const [expected, token] = CASES[id] as Case;
    expect(await verdictOf([token()])).toBe(expected);
  });

  it.each(Object.entries(HARMLESS).map(([id, [why, token]]) => ({ id, why, token })))("$id is no attack here: $why", async ({ token }) => {
    expect(await verdictOf([token()])).toBe(PERMITTED);
  });

  it("case-variant is refused in our entry, which has no unknown members", async () => {
    expect(await verdictOf([withEntry({ Tenant_Id: "t2" })])).toBe(ENTRY_FORM);
  });

  it("chain-depth-33 is refused", async () => {
    const tokens = chain(9);
    expect(await verdictOf([...tokens, ...tokens, ...tokens, ...tokens].slice(0, 33))).toBe("depth_exceeded 4f");
  });
});
