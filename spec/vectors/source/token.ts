import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import { ALL_KINDS, CANONICAL, canonicalText, digest, idOf, PURPOSES, sha256, VOCABULARY, without, type Data, type Members } from "./base.ts";

export const CLOCK = "2026-05-12T18:00:00Z";
export const NOW = Date.parse(CLOCK) / 1000;
const EXPIRES = NOW + 1800;
export const AUDIENCE = "https://ambit.acme.example";
const ENTRY = "urn:ambit:envelope:1";

export interface Pair {
  readonly jwk: Members;
  readonly public: Members;
  readonly privateKey: KeyObject;
  readonly thumbprint: string;
}

/** Ed25519 of a seed that everybody can compute: keys for tests and nothing else. */
function pairOf(name: string): Pair {
  const seed = Buffer.from(sha256(`ambit spec test key ${name}`), "base64url");
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  const jwk = { crv: "Ed25519", kty: "OKP", x: x as string };
  return { jwk: { ...jwk, d: seed.toString("base64url") }, public: jwk, privateKey, thumbprint: sha256(canonicalText(jwk)) };
}

const NAMES = ["issuer", "foreign-issuer", "stranger", "first", "second", "third"] as const;
export const KEYS = Object.fromEntries(NAMES.map((name) => [name, pairOf(name)])) as { readonly [name in (typeof NAMES)[number]]: Pair };
const HOLDERS = [KEYS.first, KEYS.second, KEYS.third] as const;

export const ANCHORS: Members = {
  acme: { kind: "ambit", issuer: "https://issuer.acme.example", jwk: KEYS.issuer.public, tenants: ["tenant_acme"] },
  partner: {
    kind: "aat",
    issuer: "https://issuer.partner.example",
    jwk: KEYS["foreign-issuer"].public,
    tenant_id: "tenant_acme",
    delegator_id: "user_partner",
    purpose: "review",
  },
};

const ROOT: Members = CANONICAL;
const CHILD: Members = { ...ROOT, agent_id: "classifier", task_id: "task_8842/clauses", purpose: "classify", allowed_tools: ["contracts.read"] };
const GRANDCHILD: Members = { ...CHILD, agent_id: "counter", purpose: "classify_clauses", budgets: { calls: 3 } };
const ENVELOPES = [ROOT, CHILD, GRANDCHILD] as const;

/** The neutral element of the curve, encoded: a point of order 1. */
const NEUTRAL = Buffer.from([1, ...Array.from({ length: 31 }, () => 0)]);

/** The order of the base point of Ed25519 (RFC 8032 section 5.1). */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);

/**
 * A signature of the key's holder whose R is of order 1: S is k·a, so that [S]B = R + [k]A holds (RFC 8032 section 5.1.7). Who asks for no more than that
 * takes it.
 */
function signOfSmallOrder(text: Buffer, { jwk }: Pair): Buffer {
  const sha512 = (...parts: readonly Uint8Array[]): Buffer => createHash("sha512").update(Buffer.concat(parts)).digest();
  const scalar = sha512(Buffer.from(jwk["d"] as string, "base64url")).subarray(0, 32);
  const a = (numberOf(scalar) & ~7n & (2n ** 254n - 1n)) | (2n ** 254n);
  const k = numberOf(sha512(NEUTRAL, Buffer.from(jwk["x"] as string, "base64url"), text));
  const s = Buffer.from(((k * a) % L).toString(16).padStart(64, "0"), "hex").reverse();
  return Buffer.concat([NEUTRAL, s]);
}

const LINEAGE = "urn:ambit:lineage:1";
const EARLIER = `env_${sha256("the first root of the lineage")}`;

export const b64 = (text: string): string => Buffer.from(text).toString("base64url");

/** What a token says where it differs from what it should say. `raw` is taken for the text of the payload. */
export interface Change {
  readonly header?: Members;
  readonly claims?: Members;
  readonly drop?: readonly string[];
  /** The envelope, as it differs from the one of its place; `null` for no entry at all. */
  readonly envelope?: Members | null;
  /** Members of the entry besides the envelope. */
  readonly entry?: Members;
  readonly dropFromEntry?: readonly string[];
  readonly moreDetails?: readonly Data[];
  /** Tools of the draft's own entry. @defaultValue those of the envelope */
  readonly tools?: Members;
  readonly key?: Pair;
  readonly raw?: (payload: string) => string;
  readonly sign?: (signingInput: Buffer, key: Pair) => Buffer;
}

function toolsOf(envelope: Members): Members {
  const denied = envelope["denied_tools"] as readonly string[];
  const reach = [...(envelope["allowed_tools"] as readonly string[]), ...(envelope["may_delegate"] as readonly string[])];
  return Object.fromEntries(reach.filter((tool) => !denied.includes(tool)).map((tool) => [tool, {}]));
}

function tokenOf(depth: number, parent: string | undefined, change: Change, issuer: Pair, issuerName: string): string {
  const signer = change.key ?? (depth === 0 ? issuer : (HOLDERS[depth - 1] as Pair));
  const envelope: Members = { ...(ENVELOPES[depth] as Members), ...change.envelope };
  const entry = without(
    { ...envelope, type: ENTRY, vocabulary: digest(ALL_KINDS), purposes: digest(PURPOSES), ...change.entry },
    ...(change.dropFromEntry ?? []),
  );
  const expires = envelope["expires_at"];
  const claims: Members = {
    ...(depth === 0 ? { aud: [AUDIENCE] } : { par_hash: sha256((parent as string).slice(0, (parent as string).lastIndexOf("."))) }),
    iss: depth === 0 ? issuerName : `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${(HOLDERS[depth - 1] as Pair).thumbprint}`,
    jti: `0196c5a0-0000-7000-8000-00000000000${depth}`,
    iat: NOW - 60 + depth,
    exp: typeof expires === "string" ? Math.floor(Date.parse(expires) / 1000) : EXPIRES,
    cnf: { jwk: (HOLDERS[depth] as Pair).public },
    del_depth: depth,
    del_max_depth: envelope["max_depth"] as number,
    authorization_details: [
      { type: "attenuating_agent_token", tools: change.tools ?? toolsOf(envelope) },
      ...(change.envelope === null ? [] : [entry]),
      ...(change.moreDetails ?? []),
    ],
    ...change.claims,
  };
  const payload = canonicalText(without(claims, ...(change.drop ?? [])));
  const header = canonicalText({ alg: "Ed25519", typ: "aat+jwt", ...change.header });
  const signingInput = `${b64(header)}.${b64(change.raw === undefined ? payload : change.raw(payload))}`;
  const signWith = change.sign ?? ((text: Buffer, { privateKey }: Pair): Buffer => sign(null, text, privateKey));
  return `${signingInput}.${signWith(Buffer.from(signingInput), signer).toString("base64url")}`;
}

export function chainOf(changes: readonly Change[], anchor: "acme" | "partner" = "acme"): readonly string[] {
  const tokens: string[] = [];
  const [issuer, name] = anchor === "acme" ? [KEYS.issuer, "https://issuer.acme.example"] : [KEYS["foreign-issuer"], "https://issuer.partner.example"];
  for (const [depth, change] of changes.entries()) tokens.push(tokenOf(depth, tokens.at(-1), change, issuer, name));
  return tokens;
}

interface Case {
  readonly title: string;
  readonly chain: readonly string[];
  readonly now?: string;
  readonly purposes?: Members;
  /** The envelopes as canonical forms, for chains under an `ambit` anchor. */
  readonly envelopes?: readonly Members[];
  /** The lineage that the root says it goes on in. */
  readonly lineage?: string;
  /** What a chain of the draft alone stands for. */
  readonly standsFor?: Members;
  readonly refused?: readonly [code: string, step: string, index: number];
}

const refusedAt = (title: string, changes: readonly Change[], ...refused: readonly [code: string, step: string, index: number]): Case => ({
  title,
  chain: chainOf(changes),
  refused,
});
const malformed = (title: string, change: Change, index: 0 | 1 = 1): Case =>
  refusedAt(title, index === 0 ? [change] : [{}, change], "envelope_malformed", "profile 3", index);
const wider = (title: string, envelope: Members, change: Change = {}): Case => refusedAt(title, [{}, { ...change, envelope }], "not_narrower", "profile 4", 1);

const TWICE = { ...ROOT, type: ENTRY, vocabulary: digest(ALL_KINDS), purposes: digest(PURPOSES) };
const PARTNER_VALUES: Members = { tenant_id: "tenant_acme", delegator_id: "user_partner", purpose: "review" };

const CASES: readonly Case[] = [
  { title: "a root", chain: chainOf([{}]), envelopes: [ROOT] },
  { title: "a child", chain: chainOf([{}, {}]), envelopes: [ROOT, CHILD] },
  { title: "a grandchild", chain: chainOf([{}, {}, {}]), envelopes: [ROOT, CHILD, GRANDCHILD] },
  {
    title: "an entry whose lists are in another order",
    chain: chainOf([{ envelope: { allowed_tools: ["crm.read", "contracts.read"] } }]),
    envelopes: [ROOT],
  },
  {
    title: "an entry without the optional members",
    chain: chainOf([{ dropFromEntry: ["budgets", "approvals", "may_delegate", "denied_tools"] }]),
    envelopes: [ROOT],
  },
  { title: "an audience that is one text", chain: chainOf([{ claims: { aud: AUDIENCE } }]), envelopes: [ROOT] },
  { title: "a claim and an entry that nobody knows", chain: chainOf([{ claims: { "x-hint": 1 }, moreDetails: [{ type: "urn:other" }] }]), envelopes: [ROOT] },
  { title: "a header that names the key", chain: chainOf([{ header: { kid: "2026-05" } }, { header: { kid: "any" } }]), envelopes: [ROOT, CHILD] },
  {
    title: "a root that goes on in a lineage",
    chain: chainOf([{ moreDetails: [{ type: LINEAGE, lineage: EARLIER }] }]),
    envelopes: [ROOT],
    lineage: EARLIER,
  },
  {
    title: "a lineage in a child says nothing",
    chain: chainOf([{}, { moreDetails: [{ type: LINEAGE, lineage: EARLIER }] }]),
    envelopes: [ROOT, CHILD],
  },
  {
    title: "a lineage that is none says nothing in a child",
    chain: chainOf([{ moreDetails: [{ type: LINEAGE, lineage: EARLIER }] }, { moreDetails: [{ type: LINEAGE, lineage: 1 }] }]),
    envelopes: [ROOT, CHILD],
    lineage: EARLIER,
  },
  {
    title: "tools that may only be handed on",
    chain: chainOf([{ envelope: { may_delegate: ["tickets.create"] } }]),
    envelopes: [{ ...ROOT, may_delegate: ["tickets.create"] }],
  },
  {
    title: "a child with a constraint more",
    chain: chainOf([{}, { envelope: { resource_constraints: { max_records: 5 } } }]),
    envelopes: [ROOT, { ...CHILD, resource_constraints: { max_records: 5 } }],
  },
  {
    title: "a chain of the draft alone under its own anchor",
    chain: chainOf([{ envelope: null, drop: ["aud"] }, { envelope: null }], "partner"),
    standsFor: PARTNER_VALUES,
  },
  { title: "an entry of ours in a root of the draft alone", chain: chainOf([{}], "partner"), refused: ["chain_broken", "profile 1", 0] },
  {
    title: "an entry of ours in a child of the draft alone",
    chain: chainOf([{ envelope: null }, {}], "partner"),
    refused: ["chain_broken", "profile 1", 1],
  },
  refusedAt("a root for every verifier", [{ drop: ["aud"] }], "audience_mismatch", "profile 2", 0),
  refusedAt("a root for every verifier and a child for one", [{ drop: ["aud"] }, { claims: { aud: [AUDIENCE] } }], "audience_mismatch", "profile 2", 0),
  refusedAt("a root for nobody", [{ claims: { aud: [] } }], "audience_mismatch", "profile 2", 0),
  refusedAt("a root for nobody and a child for one", [{ claims: { aud: [] } }, { claims: { aud: [AUDIENCE] } }], "audience_mismatch", "profile 2", 0),
  malformed("no entry in the root", { envelope: null }, 0),
  malformed("no entry in the child", { envelope: null }),
  malformed("two entries", { moreDetails: [TWICE] }, 0),
  malformed("an entry of another version", { entry: { type: "urn:ambit:envelope:2" } }, 0),
  malformed("an entry of another version beside ours is no entry of ours", { moreDetails: [TWICE, { type: "urn:ambit:envelope:2" }] }, 0),
  malformed("another vocabulary", { entry: { vocabulary: digest({ ...ALL_KINDS, region: "equal" }) } }),
  malformed("no vocabulary", { dropFromEntry: ["vocabulary"] }),
  malformed("other purposes", { entry: { purposes: digest({ purposes: {} }) } }),
  malformed("no purposes", { dropFromEntry: ["purposes"] }),
  malformed("the digests of each other", { entry: { vocabulary: digest(PURPOSES), purposes: digest(ALL_KINDS) } }),
  malformed("an unknown member in the entry", { entry: { superuser: true } }),
  malformed("no agent", { dropFromEntry: ["agent_id"] }),
  malformed("no constraints", { dropFromEntry: ["resource_constraints"] }),
  malformed("a constraint that nobody declared", { envelope: { resource_constraints: { region: "eu" } } }),
  malformed("an expiry before exp", { envelope: { expires_at: "2026-05-12T18:29:59Z" }, claims: { exp: EXPIRES } }),
  malformed("an expiry within the second of exp", { envelope: { expires_at: "2026-05-12T18:30:00.500Z" }, claims: { exp: EXPIRES } }, 0),
  malformed("another depth than del_max_depth", { envelope: { max_depth: 3 }, claims: { del_max_depth: 4 } }),
  malformed("no depth stands for 4 and not for del_max_depth", { envelope: { max_depth: 5 }, dropFromEntry: ["max_depth"] }, 0),
  malformed("a tool that the draft's entry does not have", { envelope: { allowed_tools: ["contracts.read", "crm.read"] }, tools: { "contracts.read": {} } }),
  malformed("another tool than the draft's entry", { envelope: { allowed_tools: ["crm.read"] }, tools: { "contracts.read": {} } }),
  malformed("a tool that only the draft's entry has", { tools: { "contracts.read": {}, "crm.read": {} } }),
  malformed("a denied tool in the draft's entry", { envelope: { denied_tools: ["contracts.read"] }, tools: { "contracts.read": {} } }),
  malformed("a header that says where a key is", { header: { jku: "https://keys.example" } }, 0),
  malformed("a header with a key", { header: { jwk: KEYS.stranger.public } }),
  malformed("a header with a content type", { header: { cty: "json" } }),
  malformed("a root that begins later", { claims: { nbf: NOW } }, 0),
  malformed("a child that began before", { claims: { nbf: NOW - 3600 } }),
  malformed("a beginning that is no time", { claims: { nbf: null } }, 0),
  malformed(
    "two lineages",
    {
      moreDetails: [
        { type: LINEAGE, lineage: EARLIER },
        { type: LINEAGE, lineage: EARLIER },
      ],
    },
    0,
  ),
  malformed("a lineage that is no text", { moreDetails: [{ type: LINEAGE, lineage: [EARLIER] }] }, 0),
  malformed("a lineage without its name", { moreDetails: [{ type: LINEAGE }] }, 0),
  malformed("a lineage that is not the id of a root", { moreDetails: [{ type: LINEAGE, lineage: EARLIER.slice(0, -1) }] }, 0),
  malformed("a lineage with a line more", { moreDetails: [{ type: LINEAGE, lineage: `${EARLIER}\n` }] }, 0),
  wider("another tenant in the child", { tenant_id: "tenant_2" }),
  wider("another delegator in the child", { delegator_id: "user_1" }),
  wider("a purpose beside in the child", { purpose: "pay" }),
  wider("a task that begins alike in the child", { task_id: "task_88421" }),
  {
    title: "a constraint less in the child",
    chain: chainOf([{ envelope: { resource_constraints: { customer_id: "c1" } } }, {}]),
    refused: ["not_narrower", "profile 4", 1],
  },
  {
    title: "a budget more in the grandchild",
    chain: chainOf([{}, { envelope: { budgets: { calls: 2 } } }, {}]),
    refused: ["not_narrower", "profile 4", 2],
  },
  {
    title: "a currency more in the child",
    chain: chainOf([{ envelope: { budgets: { money: { EUR: 100 } } } }, { envelope: { budgets: { money: { EUR: 100, USD: 0 } } } }]),
    refused: ["not_narrower", "profile 4", 1],
  },
  refusedAt("a tenant that the issuer does not speak for", [{ envelope: { tenant_id: "tenant_2" } }], "tenant_mismatch", "profile 5", 0),
  { title: "a catalogue that has changed since", chain: chainOf([{}]), purposes: { purposes: {} }, refused: ["envelope_malformed", "profile 3", 0] },

  { title: "after the expiry", chain: chainOf([{}]), now: "2026-05-12T18:30:00Z", refused: ["envelope_expired", "3e", 0] },
  { title: "before it was issued", chain: chainOf([{}]), now: "2026-05-12T17:58:00Z", refused: ["envelope_not_yet_valid", "3f", 0] },
  refusedAt("a root of a stranger", [{ key: KEYS.stranger }], "envelope_signature_invalid", "3b", 0),
  refusedAt("a root of another name", [{ claims: { iss: "https://issuer.partner.example" } }], "chain_broken", "3k", 0),
  refusedAt("a root of another type", [{ header: { typ: "JWT" } }], "envelope_malformed", "3a", 0),
  refusedAt("a root with the general name of its algorithm", [{ header: { alg: "EdDSA" } }], "envelope_signature_invalid", "3a", 0),
  refusedAt("a child of a stranger", [{}, { key: KEYS.stranger }], "envelope_signature_invalid", "4b", 1),
  refusedAt("a root whose signature has a point of small order", [{ sign: signOfSmallOrder }], "envelope_signature_invalid", "3b", 0),
  refusedAt("a child whose signature has a point of small order", [{}, { sign: signOfSmallOrder }], "envelope_signature_invalid", "4b", 1),
  refusedAt(
    "a holder key of small order",
    [{ claims: { cnf: { jwk: { crv: "Ed25519", kty: "OKP", x: NEUTRAL.toString("base64url") } } } }],
    "envelope_malformed",
    "3l",
    0,
  ),
  refusedAt("a child of another parent", [{}, { claims: { par_hash: sha256("another") } }], "chain_broken", "4q", 1),
  refusedAt("a child that skips a depth", [{}, { claims: { del_depth: 2 } }], "chain_broken", "4d", 1),
  refusedAt("a child of a parent that may not be handed on", [{ envelope: { max_depth: 0 } }, { envelope: { max_depth: 0 } }], "depth_exceeded", "4e", 1),
  refusedAt("a child with more depth", [{}, { envelope: { max_depth: 5 } }], "not_narrower", "4g", 1),
  refusedAt("a child that expires later", [{}, { envelope: { expires_at: "2026-05-12T18:30:01Z" } }], "not_narrower", "4h", 1),
  refusedAt("a child with a further tool", [{}, { envelope: { allowed_tools: ["payments.send"] } }], "not_narrower", "4p1", 1),
  refusedAt(
    "a member of an entry that is there twice",
    [{ raw: (payload) => payload.replace('"tenant_id":', '"tenant_id":"tenant_2","tenant_id":') }],
    "envelope_malformed",
    "3b",
    0,
  ),
  { title: "a child alone", chain: chainOf([{}, {}]).slice(1), refused: ["envelope_signature_invalid", "3b", 0] },
  {
    title: "a root with a byte changed",
    chain: chainOf([{}]).map((token) => token.replace(/^([^.]+\.)(.)/, (_, head: string, first: string) => `${head}${first === "e" ? "f" : "e"}`)),
    refused: ["envelope_signature_invalid", "3b", 0],
  },
];

export const TOKEN: Members = {
  about:
    "Chains of signed envelopes, spec/envelope.md sections 4 to 6. The private keys are for these vectors only. A step without `profile` is one of section 8 of draft-niyikiza-oauth-attenuating-agent-tokens-02; only the verdict of it is normative.",
  keys: Object.fromEntries(NAMES.map((name) => [name, KEYS[name].jwk])),
  anchors: ANCHORS,
  audience: AUDIENCE,
  now: CLOCK,
  vocabulary: VOCABULARY,
  purposes: PURPOSES,
  vectors: CASES.map(({ title, chain, now, purposes, envelopes, lineage, standsFor, refused }): Members => ({
    id: idOf("tok", title),
    title,
    ...(now === undefined ? {} : { now }),
    ...(purposes === undefined ? {} : { purposes }),
    chain,
    expected:
      refused === undefined
        ? standsFor === undefined
          ? { envelopes: envelopes ?? [], ...(lineage === undefined ? {} : { lineage }) }
          : { stands_for: standsFor }
        : { error: refused[0], step: refused[1], index: refused[2] },
  })),
};
