import { createECDH, createPrivateKey, sign, type KeyObject } from "node:crypto";
import { canonicalText, idOf, PURPOSES, sha256, VOCABULARY, without, type Members } from "./base.ts";
import { ANCHORS, AUDIENCE, b64, chainOf, CLOCK, KEYS, NOW, type Change, type Pair } from "./token.ts";

/** P-256 of a seed that everybody can compute. */
function p256(name: string): Pair {
  const seed = Buffer.from(sha256(`ambit spec test key ${name}`), "base64url");
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(seed);
  const point = curve.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString("base64url")) as [string, string];
  const jwk = { crv: "P-256", kty: "EC", x, y };
  const own = { ...jwk, d: seed.toString("base64url") };
  return { jwk: own, public: jwk, privateKey: createPrivateKey({ key: own, format: "jwk" }), thumbprint: sha256(canonicalText(jwk)) };
}

const P256 = p256("p256");

/** An ES256 signature is another one each time, so these were made once: by the SHA-256 of what they sign. */
const RECORDED: Readonly<Record<string, string>> = {
  cQ8yVVygE6jEmYkhQC1ccsCLG_tZwC4BVEYx16W49Ts: "BvHkYl_p8H52Q-HO4Ncq7oOCAxwcY3nJMfAbcZVT6OWUMV1IgvboJCNMBJQwMF5Nua86jWpjNRuJOmhqqCm34g",
  OiBwjpcnd3P4aIP1EzJLix2QzxNaC0AWicaSrxuN8M0: "IfdqInOxI3iNeJ-g1WxNuh13pRXJFB4oGEgvctKpVOacoFWWdSDW3RKE-76mPyNniDeZe0WHzZMJl8-CNw3n3g",
};

function recorded(text: Buffer, key: KeyObject): Buffer {
  const known = RECORDED[sha256(text.toString())];
  if (known !== undefined) return Buffer.from(known, "base64url");
  throw new Error(`record "${sha256(text.toString())}": "${sign("sha256", text, { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}"`);
}

const es256 = (text: Buffer, { privateKey }: Pair): Buffer => recorded(text, privateKey);

const ARGS: Members = { customer_id: "c1", limit: 5 };
const TOOL = "contracts.read";

/** What a proof says where it differs from what it should say. */
interface Proof {
  readonly header?: Members;
  readonly claims?: Members;
  readonly drop?: readonly string[];
  readonly key?: Pair;
  readonly sign?: (signingInput: Buffer, key: Pair) => Buffer;
  readonly raw?: (payload: string) => string;
}

const HOLDERS = [KEYS.first, KEYS.second, KEYS.third] as const;

function proofOf(chain: readonly string[], tool: string, args: Members, proof: Proof): string {
  const leaf = chain.at(-1) as string;
  const depth = chain.length - 1;
  const claims: Members = {
    jti: "0196c5a0-0000-7000-8000-0000000000aa",
    iat: NOW,
    aat_id: `0196c5a0-0000-7000-8000-00000000000${depth}`,
    aat_hash: sha256(leaf.slice(0, leaf.lastIndexOf("."))),
    aat_tool: tool,
    hta: args,
    aat_aud: AUDIENCE,
    ...proof.claims,
  };
  const payload = canonicalText(without(claims, ...(proof.drop ?? [])));
  const header = canonicalText({ alg: "Ed25519", typ: "aat-pop+jwt", ...proof.header });
  const signingInput = `${b64(header)}.${b64(proof.raw === undefined ? payload : proof.raw(payload))}`;
  const signWith = proof.sign ?? ((text: Buffer, { privateKey }: Pair): Buffer => sign(null, text, privateKey));
  return `${signingInput}.${signWith(Buffer.from(signingInput), proof.key ?? (HOLDERS[depth] as Pair)).toString("base64url")}`;
}

interface Case {
  readonly title: string;
  /** @defaultValue a root and a child */
  readonly changes?: readonly Change[];
  /** What is called. */
  readonly tool?: string;
  /** JSON text. @defaultValue the text of what the proof is over */
  readonly args?: string;
  readonly proof?: Proof;
  readonly refused?: readonly [code: string, step: string];
}

const denied = (title: string, code: string, step: string, rest: Omit<Case, "title" | "refused"> = {}): Case => ({ title, refused: [code, step], ...rest });
const badProof = (title: string, step: string, proof: Proof, code = "pop_invalid"): Case => denied(title, code, step, { proof });

const CASES: readonly Case[] = [
  { title: "a call by the holder of a root", changes: [{}] },
  { title: "a call by the holder of a child" },
  { title: "a call by the holder of a grandchild", changes: [{}, {}, {}] },
  { title: "arguments in another order", args: '{"limit":5,"customer_id":"c1"}' },
  { title: "arguments with spaces and escapes", args: '{ "customer_id" : "\\u0063\\u0031", "limit": 5 }' },
  { title: "a number that is spelled otherwise", args: '{"customer_id":"c1","limit":5.0e0}' },
  { title: "no arguments", args: "{}", proof: { claims: { hta: {} } } },
  { title: "a proof of half a minute ago", proof: { claims: { iat: NOW - 30 } } },
  { title: "a proof of half a minute ahead", proof: { claims: { iat: NOW + 30 } } },
  { title: "a proof without an audience", proof: { drop: ["aat_aud"] } },
  { title: "a proof with a claim that nobody knows", proof: { claims: { "x-hint": 1 } } },
  { title: "a call by a holder of p256", changes: [{ claims: { cnf: { jwk: P256.public } } }], proof: { header: { alg: "ES256" }, key: P256, sign: es256 } },
  {
    title: "a child that a holder of p256 derived",
    changes: [
      { claims: { cnf: { jwk: P256.public } } },
      { header: { alg: "ES256" }, key: P256, sign: es256, claims: { iss: `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${P256.thumbprint}` } },
    ],
  },

  denied("a tool that only the parent has", "tool_not_allowed", "6b", { tool: "crm.read" }),
  denied("a tool that nobody has", "tool_not_allowed", "6b", { tool: "payments.send" }),
  denied("a tool with an inherited name", "tool_not_allowed", "6b", { tool: "constructor" }),
  denied("a tool in capitals", "tool_not_allowed", "6b", { tool: "Contracts.Read" }),
  denied("arguments that are a list", "argument_not_allowed", "6b", { args: "[]" }),
  denied("arguments that are no json", "argument_not_allowed", "6b", { args: "{customer_id:1}" }),
  denied("a member of the arguments that is there twice", "argument_not_allowed", "6b", { args: '{"customer_id":"c2","customer_id":"c1","limit":5}' }),
  denied("a number that is not exact", "argument_not_allowed", "6b", { args: '{"customer_id":"c1","limit":9007199254740993}' }),
  denied("a child for other verifiers", "audience_mismatch", "6c", { changes: [{}, { claims: { aud: ["https://other.example"] } }] }),
  denied("a root for other verifiers and a child for this one", "audience_mismatch", "6c", {
    changes: [{ claims: { aud: ["https://other.example"] } }, { claims: { aud: [AUDIENCE] } }],
  }),
  denied("an audience with a slash more", "audience_mismatch", "6c", { changes: [{ claims: { aud: [`${AUDIENCE}/`] } }] }),

  badProof("a proof of another type", "7a", { header: { typ: "aat+jwt" } }),
  badProof("a proof without a type", "7a", { header: { typ: "JWT" } }),
  badProof("a proof without a signature algorithm", "7a", { header: { alg: "none" } }),
  badProof("a proof with the algorithm of another key", "7a", { header: { alg: "ES256" } }),
  badProof("a proof with the general name of its algorithm", "7a", { header: { alg: "EdDSA" } }),
  badProof("a proof of a stranger", "7b", { key: KEYS.stranger }, "holder_mismatch"),
  badProof("a proof of the holder of the parent", "7b", { key: KEYS.first }, "holder_mismatch"),
  badProof("a proof of the issuer", "7b", { key: KEYS.issuer }, "holder_mismatch"),
  badProof("a proof of a stranger that brings the key", "7b", { key: KEYS.stranger, header: { jwk: KEYS.stranger.public } }, "holder_mismatch"),
  badProof("a claim of a proof that is there twice", "7b", { raw: (payload) => payload.replace('"aat_tool":', '"aat_tool":"crm.read","aat_tool":') }),
  badProof("a proof without an id", "7c", { drop: ["jti"] }),
  badProof("a proof without a time", "7c", { drop: ["iat"] }),
  badProof("a proof with a time in pieces of a second", "7c", { claims: { iat: NOW + 0.5 } }),
  badProof("a proof for another token", "7c", { claims: { aat_id: "0196c5a0-0000-7000-8000-000000000000" } }),
  badProof("a proof for another text of the token", "7c", { claims: { aat_hash: sha256("another") } }),
  badProof("a proof over no object", "7c", { claims: { hta: [] } }),
  badProof("a proof for another verifier", "7d", { claims: { aat_aud: "https://other.example" } }, "audience_mismatch"),
  badProof("a proof for several verifiers", "7d", { claims: { aat_aud: [AUDIENCE] } }),
  badProof("a proof for another tool", "7e", { claims: { aat_tool: "crm.read" } }),
  badProof("a proof for an act", "7e", { claims: { aat_tool: "ambit:end" } }),
  denied("other arguments than those of the proof", "pop_invalid", "7f", { args: '{"customer_id":"c1","limit":6}' }),
  denied("an argument more than the proof has", "pop_invalid", "7f", { args: '{"customer_id":"c1","limit":5,"offset":0}' }),
  denied("an argument less than the proof has", "pop_invalid", "7f", { args: '{"customer_id":"c1"}' }),
  denied("a number that is a text in the proof", "pop_invalid", "7f", { args: '{"customer_id":"c1","limit":"5"}' }),
  badProof("a proof of more than half a minute ago", "7g", { claims: { iat: NOW - 31 } }),
  badProof("a proof of more than half a minute ahead", "7g", { claims: { iat: NOW + 31 } }),
];

export const CALL: Members = {
  about:
    "Calls and their proofs, sections 7 and 8 of draft-niyikiza-oauth-attenuating-agent-tokens-02 and spec/envelope.md section 6.1, by verifiers that require no nonce and no audience of a proof. That a proof is taken once is left to tests. The chains are valid, but for whom they are.",
  keys: { p256: P256.jwk },
  anchors: ANCHORS,
  audience: AUDIENCE,
  now: CLOCK,
  vocabulary: VOCABULARY,
  purposes: PURPOSES,
  vectors: CASES.map(({ title, changes = [{}, {}], tool = TOOL, args, proof = {}, refused }): Members => {
    const chain = chainOf(changes);
    const over = (proof.claims?.["hta"] ?? ARGS) as Members;
    return {
      id: idOf("call", title),
      title,
      chain,
      tool,
      arguments: args ?? canonicalText(over),
      pop: proofOf(chain, tool, ARGS, proof),
      expected: refused === undefined ? { permitted: true } : { error: refused[0], step: refused[1] },
    };
  }),
};
