import { callDigest, chainOf, serializeEnvelope, type JsonObject } from "@ambit/core";
import { AMBIT_ENTRY, deriveEnvelope, deriveToken, envelopeIdOf, holdEnvelope, signPop, type HeldEnvelope, type SigningKey } from "@ambit/core/token";
import { describe, expect, it } from "vitest";
import { CHAIN_TYPE } from "../../src/oauth/index.ts";
import { createMemoryState } from "../../src/state/memory-state.ts";
import { BEGIN, NOW, outcomeOf } from "../support/fixture.ts";
import { AUDIENCE, ISSUER } from "../support/signed.ts";
import { bearer, oauthScene, type OauthScene } from "./scene.ts";

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token";
const JWT = "urn:ietf:params:oauth:token-type:jwt";

const ENVELOPE = {
  tenant_id: "tenant_1",
  delegator_id: "user_1",
  agent_id: "reviewer",
  session_id: "sess_1",
  task_id: "task_1",
  purpose: "review",
  allowed_tools: ["contracts.read", "crm.read"],
  resource_constraints: { customer_id: "c1", contract_ids: ["k1"], max_records: 25, data_classes: ["contract_metadata", "renewal_terms", "support_summary"] },
  expires_at: "2026-05-12T18:10:00Z",
};

const details = (change: object = {}): string => JSON.stringify([{ type: AMBIT_ENTRY, ...ENVELOPE, ...change }]);

async function request(scene: OauthScene, change: Readonly<Record<string, string | undefined>> = {}): Promise<URLSearchParams> {
  const all: Readonly<Record<string, string | undefined>> = {
    grant_type: EXCHANGE,
    subject_token: await scene.idToken(),
    subject_token_type: ID_TOKEN,
    actor_token: await scene.svid(),
    actor_token_type: JWT,
    authorization_details: details(),
    req_cnf: JSON.stringify({ jwk: keyOf(scene, "reviewer").public.jwk }),
    ...change,
  };
  return new URLSearchParams(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

const keyOf = (scene: OauthScene, agent: string): SigningKey => scene.keys.get(agent) as SigningKey;

async function rootOf(scene: OauthScene): Promise<HeldEnvelope> {
  const { json } = await scene.post("/oauth/token", await request(scene));
  return holdEnvelope([String(json["access_token"])], (await scene.pdp.terms()).order);
}

async function childOf(scene: OauthScene, parent: HeldEnvelope): Promise<HeldEnvelope> {
  const { order } = await scene.pdp.terms();
  const holder = keyOf(scene, "classifier").public;
  return deriveEnvelope(
    parent,
    { narrowing: { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"], resourceConstraints: { max_records: 5 } }, holder, now: NOW },
    keyOf(scene, "reviewer"),
    order,
  );
}

const shown = ({ chain }: HeldEnvelope, pop?: string): string => JSON.stringify({ aat_chain: chain.tokens, ...(pop === undefined ? {} : { aat_pop: pop }) });

function endProof({ chain }: HeldEnvelope, key: SigningKey, by: HeldEnvelope = { chain } as HeldEnvelope): Promise<string> {
  return signPop({ leaf: by.chain.leaf, tool: "ambit:end", args: { envelope: envelopeIdOf(chain) }, audience: AUDIENCE, now: NOW }, key);
}

describe("token exchange", () => {
  it("makes a root envelope of two proofs, an envelope and a key, and the key can use it", async () => {
    const scene = await oauthScene();
    const { status, json, headers } = await scene.post("/oauth/token", await request(scene));
    expect([status, json["token_type"], json["issued_token_type"], json["expires_in"]]).toEqual([200, "aat", JWT, 600]);
    expect([headers.get("cache-control"), headers.get("pragma")]).toEqual(["no-store", "no-cache"]);
    expect(json["authorization_details"]).toMatchObject([
      { type: AMBIT_ENTRY, delegator_id: "user_1", allowed_tools: ENVELOPE.allowed_tools, expires_at: "2026-05-12T18:10:00.000Z" },
    ]);
    const held = holdEnvelope([String(json["access_token"])], (await scene.pdp.terms()).order);
    expect(held.chain.leaf.claims.holder.thumbprint).toBe(keyOf(scene, "reviewer").public.thumbprint);
    expect(scene.records().find(({ kind }) => kind === "begin")).toMatchObject({ details: { decision: "permit", asserted_by: "oidc https://login.example" } });
    const proof = await signPop(
      { leaf: held.chain.leaf, tool: "crm.read", args: { customer_id: "c1" }, audience: AUDIENCE, now: NOW },
      keyOf(scene, "reviewer"),
    );
    const decision = await scene.pdp.decide({
      subject: { type: "user", id: "user_1" },
      action: { name: "crm_read" },
      resource: { type: "tool", id: "crm_read" },
      context: {
        presentation: { kind: "chain", chain: held.chain.tokens, pop: proof },
        agent: "reviewer",
        call_id: "c1",
        call_digest: callDigest("crm_read", undefined, { customer_id: "c1" }),
        arguments: { customer_id: "c1" },
        supported_obligations: ["limit_records", "filter_records", "redact_fields", "label_output"],
      },
    });
    expect(decision.decision).toBe(true);
  });

  const bad: readonly (readonly [string, (scene: OauthScene) => Promise<Readonly<Record<string, string | undefined>>>, string, string?])[] = [
    ["no grant type", async () => ({ grant_type: undefined }), "invalid_request"],
    ["another grant type", async () => ({ grant_type: "client_credentials" }), "unsupported_grant_type"],
    ["no proof of the delegator", async () => ({ subject_token: undefined }), "invalid_request"],
    ["an empty proof of the delegator", async () => ({ subject_token: "" }), "invalid_request"],
    ["no kind of proof", async () => ({ subject_token_type: undefined }), "invalid_request"],
    ["a kind of proof that is not taken", async () => ({ subject_token_type: "urn:ietf:params:oauth:token-type:saml2" }), "invalid_request"],
    ["a scope", async () => ({ scope: "all" }), "invalid_scope"],
    ["a resource", async () => ({ resource: "https://crm.example" }), "invalid_target"],
    ["another audience", async () => ({ audience: "https://crm.example" }), "invalid_target"],
    ["another kind of token", async () => ({ requested_token_type: ID_TOKEN }), "invalid_request"],
    ["no proof of the workload", async () => ({ actor_token: undefined }), "invalid_request"],
    ["the delegator's proof for the workload", async (scene) => ({ actor_token: await scene.idToken() }), "invalid_request", "proof_invalid"],
    ["the workload's proof for the delegator", async (scene) => ({ subject_token: await scene.svid() }), "invalid_request", "proof_invalid"],
    [
      "a proof of the workload that has expired",
      async (scene) => ({ actor_token: await scene.svid("reviewer", { exp: NOW / 1000 - 1 }) }),
      "invalid_request",
      "proof_expired",
    ],
    [
      "a proof of the delegator that has expired",
      async (scene) => ({ subject_token: await scene.idToken({ exp: NOW / 1000 - 1 }) }),
      "invalid_request",
      "proof_expired",
    ],
    ["a proof for another audience", async (scene) => ({ subject_token: await scene.idToken({ aud: "other" }) }), "invalid_request", "audience_mismatch"],
    ["a proof of another delegator", async (scene) => ({ subject_token: await scene.idToken({ sub: "user_2" }) }), "invalid_request", "proof_invalid"],
    ["a proof for another tenant", async (scene) => ({ subject_token: await scene.idToken({ tid: "tenant_2" }) }), "invalid_request", "tenant_mismatch"],
    ["a proof bound to a key", async (scene) => ({ subject_token: await scene.idToken({ cnf: { jkt: "x" } }) }), "invalid_request", "proof_invalid"],
    ["another workload", async (scene) => ({ actor_token: await scene.svid("classifier") }), "unauthorized_client", "holder_mismatch"],
    [
      "a workload that is not registered",
      async (scene) => ({ actor_token: await scene.svid("ghost"), authorization_details: details({ agent_id: "ghost" }) }),
      "unauthorized_client",
      "agent_unknown",
    ],
    ["no envelope", async () => ({ authorization_details: undefined }), "invalid_request"],
    ["an envelope that is no JSON", async () => ({ authorization_details: "{" }), "invalid_authorization_details"],
    [
      "an envelope with a member twice",
      async () => ({ authorization_details: details().replace('"purpose"', '"purpose":"other","purpose"') }),
      "invalid_authorization_details",
    ],
    ["two envelopes", async () => ({ authorization_details: `[${details().slice(1, -1)},${details().slice(1, -1)}]` }), "invalid_authorization_details"],
    [
      "an envelope and something else",
      async () => ({ authorization_details: `[${details().slice(1, -1)},{"type":"other"}]` }),
      "invalid_authorization_details",
    ],
    ["an entry of another type", async () => ({ authorization_details: details({ type: "payment" }) }), "invalid_authorization_details"],
    [
      "an envelope with a member that nobody knows",
      async () => ({ authorization_details: details({ only: 1 }) }),
      "invalid_authorization_details",
      "envelope_malformed",
    ],
    [
      "a purpose that nobody knows",
      async () => ({ authorization_details: details({ purpose: "unknown" }) }),
      "invalid_authorization_details",
      "purpose_mismatch",
    ],
    [
      "a tool that is not of the purpose",
      async () => ({ authorization_details: details({ purpose: "other" }) }),
      "invalid_authorization_details",
      "purpose_mismatch",
    ],
    ["no key", async () => ({ req_cnf: undefined }), "invalid_request"],
    ["a key that is none", async () => ({ req_cnf: '{"jwk":{"kty":"oct","k":"AAAA"}}' }), "invalid_request"],
    ["a key by its name only", async () => ({ req_cnf: '{"kid":"k"}' }), "invalid_request"],
    [
      "a private key",
      async (scene) => ({ req_cnf: JSON.stringify({ jwk: { ...keyOf(scene, "reviewer").public.jwk, d: "A".repeat(43) } }) }),
      "invalid_request",
    ],
    ["a key and more", async (scene) => ({ req_cnf: JSON.stringify({ jwk: keyOf(scene, "reviewer").public.jwk, kid: "k" }) }), "invalid_request"],
    [
      "the key of another agent",
      async (scene) => ({ req_cnf: JSON.stringify({ jwk: keyOf(scene, "classifier").public.jwk }) }),
      "unauthorized_client",
      "holder_mismatch",
    ],
  ];
  it.each(bad.map(([name, change, error, refusal]) => ({ name, change, error, refusal })))(
    "with $name gives out nothing",
    async ({ change, error, refusal }) => {
      const scene = await oauthScene();
      const answer = await scene.post("/oauth/token", await request(scene, await change(scene)));
      expect([answer.status, answer.json["error"], answer.json["refusal"]]).toEqual([400, error, refusal]);
      expect(answer.json).not.toHaveProperty("access_token");
      expect(answer.json["error_description"]).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
      expect(scene.records().filter(({ kind, details: said }) => kind === "begin" && (said as JsonObject)["decision"] === "permit")).toEqual([]);
    },
  );

  it("ignores parameters that it does not know, and takes none twice", async () => {
    const scene = await oauthScene();
    const form = await request(scene, { unknown: "1", audience: AUDIENCE, requested_token_type: JWT });
    expect((await scene.post("/oauth/token", form)).status).toBe(200);
    form.append("audience", AUDIENCE);
    const twice = await scene.post("/oauth/token", form);
    expect([twice.status, twice.json["error"]]).toEqual([400, "invalid_request"]);
  });

  it("is for callers that enforce, for their tenants", async () => {
    const scene = await oauthScene();
    const form = await request(scene);
    const told = async (headers: Readonly<Record<string, string>>) => {
      const { status, json } = await scene.post("/oauth/token", form, headers);
      return [status, json["error"]];
    };
    expect(await told({})).toEqual([401, "invalid_client"]);
    expect(await told(bearer("asker"))).toEqual([403, "unauthorized_client"]);
    expect(await told(bearer("foreign"))).toEqual([400, "unauthorized_client"]);
    expect((await scene.post("/oauth/token", JSON.stringify({}), { ...bearer("runtime"), "content-type": "application/json" })).json["error"]).toBe(
      "invalid_request",
    );
  });

  it("takes the roles of the delegator from the token, and none from an older one", async () => {
    const issuer = { id: { claim: "sub" }, tenant: { claim: "tid", among: ["tenant_1"] }, roles: { claim: "groups" } };
    const policy = 'permit (principal is Agent, action, resource); permit (principal is User in Role::"support", action, resource);';
    const scene = await oauthScene({
      config: { users: { roles: ["support"], issuers: { "https://login.example": issuer } }, policies: [{ name: "p.cedar", text: policy }] },
    });
    const exchanged = async (claims: Parameters<OauthScene["idToken"]>[0]): Promise<unknown> => {
      const { status, json } = await scene.post("/oauth/token", await request(scene, { subject_token: await scene.idToken(claims) }));
      return status === 200 ? status : json["refusal"];
    };
    const roles = async (): Promise<unknown> => {
      const known = await scene.pdp.users?.user("tenant_1", "user_1");
      return known?.status === "active" ? known.user.roles : known?.status;
    };
    expect([await exchanged({ groups: [] }), await roles()]).toEqual(["policy_denied", []]);
    expect([await exchanged({ groups: ["support"], iat: NOW / 1000 - 5 }), await roles()]).toEqual([200, ["support"]]);
    expect([await exchanged({ iat: NOW / 1000 - 4 }), await roles()]).toEqual(["policy_denied", []]);
    expect([await exchanged({ groups: ["support"], iat: NOW / 1000 - 5 }), await roles()]).toEqual(["policy_denied", []]);
    expect([await exchanged({ groups: [{ support: true }], iat: NOW / 1000 }), await roles()]).toEqual(["proof_invalid", []]);
  });

  it("says that it cannot be told, where the store does not answer", async () => {
    const store = createMemoryState();
    let isUp = true;
    const state = { ...store, admit: (...args: Parameters<typeof store.admit>) => (isUp ? store.admit(...args) : Promise.reject(new Error("down"))) };
    const scene = await oauthScene({ state });
    isUp = false;
    const { status, json } = await scene.post("/oauth/token", await request(scene));
    expect([status, json["error"], json["refusal"]]).toEqual([503, "temporarily_unavailable", "state_unavailable"]);
  });
});

describe("a chain for a token", () => {
  it("is introduced where its holder derived it, and a child is not made of it", async () => {
    const scene = await oauthScene();
    const child = await childOf(scene, await rootOf(scene));
    const exchange = { grant_type: EXCHANGE, subject_token: shown(child), subject_token_type: CHAIN_TYPE };
    const { status, json } = await scene.post("/oauth/token", exchange);
    expect([status, json["issued_token_type"], json["access_token"]]).toEqual([200, CHAIN_TYPE, child.chain.tokens.at(-1)]);
    expect(json["authorization_details"]).toMatchObject([{ agent_id: "classifier", allowed_tools: ["contracts.read"] }]);
    expect(scene.records().find(({ kind }) => kind === "hand_off")).toMatchObject({ details: { decision: "permit", from: "reviewer", to: "classifier" } });
    for (const more of [{ authorization_details: details() }, { req_cnf: "{}" }, { actor_token: "a" }, { requested_token_type: JWT }]) {
      const minted = await scene.post("/oauth/token", { ...exchange, ...more });
      expect([more, minted.status, minted.json["error"]]).toEqual([more, 400, "invalid_request"]);
    }
    for (const none of ["x y", "{}", '{"aat_chain":[]}', '{"aat_chain":[1]}', "a.b.c", JSON.stringify({ aat_chain: child.chain.tokens.slice(1) })]) {
      const refused = await scene.post("/oauth/token", { ...exchange, subject_token: none });
      expect([none, refused.status, refused.json["access_token"]]).toEqual([none, 400, undefined]);
    }
  });

  it("that is wider than its parent is not introduced, however well it is signed", async () => {
    const scene = await oauthScene();
    const root = await rootOf(scene);
    const { order } = await scene.pdp.terms();
    const derived = async (change: object) => {
      const entry = {
        type: AMBIT_ENTRY,
        ...serializeEnvelope(root.envelope),
        agent_id: "classifier",
        vocabulary: order.vocabulary.digest,
        purposes: order.purposes.digest,
        ...change,
      };
      const tools = Object.fromEntries(root.envelope.allowedTools.map((tool) => [tool, {}]));
      const { maxDepth, expiresAt } = root.envelope;
      const child = {
        holder: keyOf(scene, "classifier").public,
        tools,
        otherDetails: [entry as unknown as JsonObject],
        maxDepth,
        expiresAt: expiresAt / 1000,
        now: NOW,
      };
      const chain = await deriveToken(root.chain, child, keyOf(scene, "reviewer"));
      const { status, json } = await scene.post("/oauth/token", {
        grant_type: EXCHANGE,
        subject_token: JSON.stringify({ aat_chain: chain.tokens }),
        subject_token_type: CHAIN_TYPE,
      });
      return [status, json["error"], json["refusal"]];
    };
    expect(await derived({})).toEqual([200, undefined, undefined]);
    expect(await derived({ resource_constraints: { ...ENVELOPE.resource_constraints, max_records: 26 } })).toEqual([400, "invalid_request", "not_narrower"]);
    expect(await derived({ delegator_id: "user_2" })).toEqual([400, "invalid_request", "not_narrower"]);
  });
});

describe("introspection", () => {
  const introspect = async (scene: OauthScene, token: string, who = "runtime") => (await scene.post("/oauth/introspect", { token }, bearer(who))).json;

  it("tells what a chain says, root to leaf, while it stands", async () => {
    const scene = await oauthScene();
    const root = await rootOf(scene);
    expect(await introspect(scene, root.chain.tokens[0] ?? "")).toMatchObject({
      active: true,
      token_type: "aat",
      iss: ISSUER,
      sub: "user_1",
      client_id: "reviewer",
      act: { sub: "reviewer" },
      exp: NOW / 1000 + 600,
      cnf: { jkt: keyOf(scene, "reviewer").public.thumbprint },
      lineage: envelopeIdOf(root.chain),
    });
    const child = await childOf(scene, root);
    // Nobody has decided it yet.
    expect(await introspect(scene, shown(child))).toEqual({ active: false });
    await scene.post("/oauth/token", { grant_type: EXCHANGE, subject_token: shown(child), subject_token_type: CHAIN_TYPE });
    const told = await introspect(scene, shown(child));
    expect(told).toMatchObject({
      active: true,
      sub: "user_1",
      client_id: "classifier",
      act: { sub: "classifier", act: { sub: "reviewer" } },
      jti: envelopeIdOf(child.chain),
    });
    expect(told["chain"]).toMatchObject([{ client_id: "reviewer" }, { client_id: "classifier" }]);
    scene.advance(600_000);
    expect(await introspect(scene, shown(child))).toEqual({ active: false });
  });

  it("explains nothing of anything else, and tells nothing to another tenant", async () => {
    const scene = await oauthScene();
    const root = await rootOf(scene);
    const token = root.chain.tokens[0] ?? "";
    expect(await introspect(scene, token, "foreign")).toEqual({ active: false });
    for (const none of [
      "x",
      "a.b.c",
      `${token}x`,
      token.slice(0, -2),
      `${token}.`,
      "{}",
      '{"aat_chain":["a"]}',
      JSON.stringify({ aat_chain: [token, token] }),
      await scene.idToken(),
    ])
      expect([none, await introspect(scene, none)]).toEqual([none, { active: false }]);
    expect((await scene.post("/oauth/introspect", {})).json["error"]).toBe("invalid_request");
    expect((await scene.post("/oauth/introspect", { token }, {})).status).toBe(401);
  });

  it("says no where it cannot be told", async () => {
    const store = createMemoryState();
    let isUp = true;
    const state = {
      ...store,
      revokedAt: (...args: Parameters<typeof store.revokedAt>) => (isUp ? store.revokedAt(...args) : Promise.reject(new Error("down"))),
    };
    const scene = await oauthScene({ state });
    const root = await rootOf(scene);
    isUp = false;
    expect(await introspect(scene, root.chain.tokens[0] ?? "")).toEqual({ active: false });
    isUp = true;
    expect(await introspect(scene, root.chain.tokens[0] ?? "")).toMatchObject({ active: true });
  });
});

describe("revocation", () => {
  const standing = async (scene: OauthScene, ...held: readonly HeldEnvelope[]): Promise<readonly unknown[]> =>
    Promise.all(held.map(async (one) => (await scene.post("/oauth/introspect", { token: shown(one) })).json["active"]));

  async function family() {
    const scene = await oauthScene();
    const root = await rootOf(scene);
    const child = await childOf(scene, root);
    await scene.post("/oauth/token", { grant_type: EXCHANGE, subject_token: shown(child), subject_token_type: CHAIN_TYPE });
    expect(await standing(scene, root, child)).toEqual([true, true]);
    return { scene, root, child };
  }

  it("of an envelope by its holder, or by one above it, takes what is below and nothing above", async () => {
    const { scene, root, child } = await family();
    const { status, json } = await scene.post("/oauth/revoke", { token: shown(child, await endProof(child, keyOf(scene, "classifier"))) });
    expect([status, json]).toEqual([200, {}]);
    expect(await standing(scene, root, child)).toEqual([true, false]);
    const again = await family();
    await again.scene.post("/oauth/revoke", { token: shown(again.child, await endProof(again.child, keyOf(again.scene, "reviewer"), again.root)) });
    expect(await standing(again.scene, again.root, again.child)).toEqual([true, false]);
    await again.scene.post("/oauth/revoke", {
      token: shown(again.root, await endProof(again.root, keyOf(again.scene, "reviewer"))),
      token_type_hint: "whatever",
    });
    expect(await standing(again.scene, again.root, again.child)).toEqual([false, false]);
  });

  it("by somebody else revokes nothing", async () => {
    const { scene, root, child } = await family();
    const revoke = async (token: string, who = "runtime") => {
      const answer = await scene.post("/oauth/revoke", { token }, bearer(who));
      return [answer.status, answer.json["error"]];
    };
    expect(await revoke(shown(child))).toEqual([400, "unauthorized_client"]);
    expect(await revoke(shown(child, await endProof(child, keyOf(scene, "stranger"))))).toEqual([400, "unauthorized_client"]);
    expect(await revoke(shown(root, await endProof(root, keyOf(scene, "classifier"))))).toEqual([400, "unauthorized_client"]);
    expect(await revoke(shown(root, await endProof(child, keyOf(scene, "classifier"))))).toEqual([400, "unauthorized_client"]);
    expect(await revoke(shown(root, "x"))).toEqual([400, "unauthorized_client"]);
    // An operator of another tenant is told what they are told of anything that is not there.
    expect(await revoke(shown(root), "foreign")).toEqual([200, undefined]);
    expect(await standing(scene, root, child)).toEqual([true, true]);
  });

  it("by an operator needs no proof, and takes the whole subtree", async () => {
    const { scene, root, child } = await family();
    expect((await scene.post("/oauth/revoke", { token: root.chain.tokens[0] ?? "" }, bearer("ops"))).status).toBe(200);
    expect(await standing(scene, root, child)).toEqual([false, false]);
    expect(scene.records().find(({ kind }) => kind === "revoke")).toMatchObject({ details: { scope: "envelope", id: envelopeIdOf(root.chain), by: "ops" } });
    expect((await scene.post("/oauth/revoke", { token: root.chain.tokens[0] ?? "" }, bearer("ops"))).status).toBe(200);
  });

  it("of what is no envelope is done already", async () => {
    const { scene } = await family();
    for (const none of ["x", "a.b.c", "{}", '{"aat_chain":["a"],"aat_pop":"b"}'])
      expect((await scene.post("/oauth/revoke", { token: none }, bearer("ops"))).status).toBe(200);
    expect((await scene.post("/oauth/revoke", {})).json["error"]).toBe("invalid_request");
  });

  it("that cannot be done is not told as done", async () => {
    const store = createMemoryState();
    let isUp = true;
    const state = { ...store, revoke: (...args: Parameters<typeof store.revoke>) => (isUp ? store.revoke(...args) : Promise.reject(new Error("down"))) };
    const scene = await oauthScene({ state });
    const root = await rootOf(scene);
    isUp = false;
    const proof = await endProof(root, keyOf(scene, "reviewer"));
    for (const [token, who] of [
      [shown(root), "ops"],
      [shown(root, proof), "runtime"],
    ] as const) {
      const { status, json } = await scene.post("/oauth/revoke", { token }, bearer(who));
      expect([status, json["error"]]).toEqual([503, "temporarily_unavailable"]);
    }
  });

  it("ends what an enforcement point could do with it", async () => {
    const scene = await oauthScene();
    const task = await scene.pep.begin(BEGIN).catch(() => undefined);
    // Without a proof `begin` of an application still works here: its chain is revoked like any other.
    if (task === undefined) throw new Error("no task");
    const call = () => outcomeOf(scene.pep, task, "crm_read", { customer_id: "c1" }, { records: [] });
    expect(await call()).toBe("permit");
    await scene.post("/oauth/revoke", { token: JSON.stringify({ aat_chain: chainOf(task) }) }, bearer("ops"));
    expect(await call()).toBe("envelope_revoked");
  });
});

describe("keys and metadata", () => {
  it("are for everybody, and the keys verify what was given out", async () => {
    const scene = await oauthScene();
    const get = async (path: string): Promise<JsonObject> => (await (await fetch(scene.url + path)).json()) as JsonObject;
    expect(await get("/.well-known/jwks.json")).toEqual(JSON.parse(JSON.stringify(scene.ring.toJwks())));
    expect(JSON.stringify(await get("/.well-known/jwks.json"))).not.toContain('"d"');
    expect(await get("/.well-known/oauth-authorization-server")).toEqual({
      issuer: scene.url,
      token_endpoint: `${scene.url}/oauth/token`,
      introspection_endpoint: `${scene.url}/oauth/introspect`,
      revocation_endpoint: `${scene.url}/oauth/revoke`,
      jwks_uri: `${scene.url}/.well-known/jwks.json`,
      grant_types_supported: [EXCHANGE],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: ["bearer"],
      introspection_endpoint_auth_methods_supported: ["bearer"],
      revocation_endpoint_auth_methods_supported: ["bearer"],
      authorization_details_types_supported: [AMBIT_ENTRY],
      aat_issuer: true,
    });
  });
});
