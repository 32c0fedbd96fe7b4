import { chainOf, createPep, parseEnvelope, type AccessRequest, type BeginOptions, type Pdp, type Task } from "@ambit/core";
import { deriveEnvelope, deriveToken, generateKey, holdChain, holdEnvelope, issueEnvelope, issueRoot, signPop, type SigningKey } from "@ambit/core/token";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { createMemoryLog, verifyLog } from "@ambit/core/audit";
import { createPdp } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { createMemoryState } from "../src/state/memory-state.ts";
import { BEGIN, codeOf, CONFIG, NOW, outcomeOf, rejection } from "./support/fixture.ts";
import { AUDIENCE, ISSUER, signedFixture, type SignedFixture } from "./support/signed.ts";

const CONTRACT = { customer_id: "c1", title: "t", terms: "r", salary: 7 };
const READ = ["contracts_read", { contract_id: "k1" }, CONTRACT] as const;

/** What a task shows for one question, made by hand. */
async function show(setting: SignedFixture, task: Task, key: SigningKey, change: { tool?: string; args?: object; audience?: string; now?: number } = {}) {
  const chain = chainOf(task) ?? [];
  const { tool = "contracts.read", args = { contract_id: "k1" }, audience = AUDIENCE, now = setting.now() } = change;
  const pop = await signPop({ leaf: holdChain(chain).leaf, tool, args: args as never, audience, now }, key);
  return { kind: "chain", chain, pop } as const;
}

/** The last access request that went to the decision point. */
function watched(pdp: Pdp): { readonly pdp: Pdp; readonly asked: AccessRequest[] } {
  const asked: AccessRequest[] = [];
  return { pdp: { ...pdp, decide: (request) => (asked.push(request), pdp.decide(request)) }, asked };
}

describe("a signed envelope", () => {
  it("is given out to who has a key, proves each call, and is on the record from beginning to end", async () => {
    const { pep, records } = await signedFixture();
    const task = await pep.begin(BEGIN);
    expect(chainOf(task)).toHaveLength(1);
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k9" })).toBe("argument_not_allowed");
    expect(await outcomeOf(pep, task, "mail_send", { to: "x" })).toBe("tool_not_allowed");
    expect(await outcomeOf(pep, task, "unknown_tool", {})).toBe("tool_unmapped");
    await task.end();
    await task.end();
    expect(await outcomeOf(pep, task, ...READ)).toBe("envelope_revoked");
    expect(records().map(({ kind }) => kind)).toEqual(["begin", "decision", "outcome", "decision", "decision", "decision", "end", "decision"]);
    expect(new Set(records().map(({ envelope }) => envelope))).toEqual(new Set([task.envelopeId]));
  });

  it("shows nothing of its chain to who prints a task", async () => {
    const { pep } = await signedFixture();
    const task = await pep.begin(BEGIN);
    const [token = ""] = chainOf(task) ?? [];
    for (const text of [JSON.stringify(task), JSON.stringify({ ...task }), Object.keys(task).join()]) expect(text).not.toContain(token.slice(0, 40));
  });

  it("is verified as well where chains are not remembered", async () => {
    const { pep } = await signedFixture({}, { cachedChains: 0 });
    const task = await pep.begin(BEGIN);
    expect([await outcomeOf(pep, task, ...READ), await outcomeOf(pep, task, ...READ)]).toEqual(["permit", "permit"]);
    expect(await rejection(signedFixture({}, { cachedChains: -1 }))).toBe("option_invalid");
  });

  it("keeps sub-second expiries within what the token says", async () => {
    const { pep } = await signedFixture();
    const task = await pep.begin({ ...BEGIN, expiresIn: 1500 });
    expect(task.envelope.expiresAt).toBe(NOW + 1000);
  });

  it("is given to no key that the agent is not registered with, and to no tenant that is not signed for", async () => {
    const { pepOf, keys } = await signedFixture();
    expect(await rejection(pepOf("reviewer", keys.get("stranger")).begin(BEGIN))).toBe("holder_mismatch");
    expect(await rejection(pepOf("reviewer", keys.get("classifier")).begin(BEGIN))).toBe("holder_mismatch");
    expect(await rejection(pepOf("reviewer").begin({ ...BEGIN, tenantId: "tenant_2" }))).toBe("tenant_mismatch");
  });

  it("is worth nothing with another key, for another call, at another time, or a second time", async () => {
    const setting = await signedFixture();
    const { pep, pdp, keys } = setting;
    const task = await pep.begin(BEGIN);
    const { pdp: seen, asked } = watched(pdp);
    await createPep({ pdp: seen, agent: "reviewer", keys, now: setting.now }).enforce({ envelope: task, tool: READ[0], arguments: READ[1] }, () => CONTRACT);
    const [usual] = asked as [AccessRequest];
    let count = 0;
    const ask = async (presentation: unknown, change: Partial<AccessRequest["context"]> = {}): Promise<string> => {
      const context = { ...usual.context, call_id: `c${count++}`, presentation, ...change } as AccessRequest["context"];
      const answer = await pdp.decide({ ...usual, context });
      return answer.context.refusal?.code ?? "permit";
    };
    const key = keys.get("reviewer") as SigningKey;
    expect(await ask(await show(setting, task, key))).toBe("permit");
    expect(await ask(usual.context.presentation)).toBe("pop_replayed");
    expect(await ask(await show(setting, task, keys.get("stranger") as SigningKey))).toBe("holder_mismatch");
    expect(await ask(await show(setting, task, key, { tool: "crm.read" }))).toBe("pop_invalid");
    expect(await ask(await show(setting, task, key, { tool: "contracts_read" }))).toBe("pop_invalid");
    expect(await ask(await show(setting, task, key, { args: { contract_id: "k2" } }))).toBe("pop_invalid");
    expect(await ask(await show(setting, task, key, { audience: "urn:other" }))).toBe("audience_mismatch");
    expect(await ask(await show(setting, task, key, { now: NOW - 31_000 }))).toBe("pop_invalid");
    expect(await ask(await show(setting, task, key, { tool: "ambit:end", args: { envelope: task.envelopeId } }))).toBe("pop_invalid");
    const good = await show(setting, task, key);
    expect(await ask({ ...good, pop: "" })).toBe("pop_invalid");
    expect(await ask({ ...good, chain: [] })).toBe("envelope_malformed");
    expect(await ask({ ...good, chain: "x" })).toBe("envelope_malformed");
    expect(await ask({ kind: "chain" })).toBe("envelope_malformed");
    expect(await ask({ ...good, kind: "handle", handle: "x" })).toBe("envelope_malformed");
    expect(await ask(good, { agent: "classifier" })).toBe("holder_mismatch");
    expect(await ask(good)).toBe("permit");
  });

  it("gives the same answer to the same call with the same proof, and runs it once", async () => {
    const setting = await signedFixture();
    const { pep, pdp, keys } = setting;
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 1 } });
    const { pdp: seen, asked } = watched(pdp);
    const outer = createPep({ pdp: seen, agent: "reviewer", keys, now: setting.now });
    const admission = await outer.admit({ envelope: task, tool: READ[0], arguments: READ[1], callId: "1", turn: "1" });
    expect(admission.admitted).toBe(true);
    expect((await pdp.decide(asked[0] as AccessRequest)).context.refusal?.code).toBe("grant_replayed");
  });

  it("settles calls that end after it has expired", async () => {
    const { pep, advance, records } = await signedFixture();
    const task = await pep.begin(BEGIN);
    const admission = await pep.admit({ envelope: task, tool: READ[0], arguments: READ[1] });
    advance(11 * 60_000);
    expect(admission.admitted && (await admission.complete(CONTRACT)).released).toBe(true);
    expect(records().at(-1)).toMatchObject({ kind: "outcome", envelope: task.envelopeId });
    expect(await outcomeOf(pep, task, ...READ)).toBe("envelope_expired");
    expect(records().at(-1)).toMatchObject({ kind: "decision", tenant: "tenant_1", envelope: task.envelopeId });
    await task.end();
  });

  it("that another process ends is ended by its holder or who handed it on, and by nobody else", async () => {
    const setting = await signedFixture();
    const { pep, pdp, keys, pepOf } = setting;
    const task = await pep.begin(BEGIN);
    const child = await pep.handOff(task, { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] });
    const classifier = pepOf("classifier");
    const received = await classifier.receive(chainOf(child) ?? []);
    const presentation = await show(setting, received, keys.get("stranger") as SigningKey, { tool: "ambit:end", args: { envelope: received.envelopeId } });
    await expect(pdp.end({ presentation, agent: "classifier" })).rejects.toMatchObject({ refusal: { code: "pop_invalid" } });
    const forParent = await show(setting, received, keys.get("classifier") as SigningKey, { tool: "ambit:end", args: { envelope: task.envelopeId } });
    await expect(pdp.end({ presentation: forParent, agent: "classifier" })).rejects.toMatchObject({ refusal: { code: "pop_invalid" } });
    expect(await outcomeOf(classifier, received, ...READ)).toBe("permit");
    await child.end(); // by the parent's key
    expect(await outcomeOf(classifier, received, ...READ)).toBe("envelope_revoked");
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
  });
});

describe("a hand-off of a signed envelope", () => {
  it("is derived by its holder, decided once, and used by the other agent in another process", async () => {
    const { pep, pepOf, keys, records } = await signedFixture();
    const task = await pep.begin(BEGIN);
    const child = await pep.handOff(task, { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] });
    expect(child).toMatchObject({ depth: 1, lineage: task.lineage, envelope: { agentId: "classifier", purpose: "classify" } });
    const classifier = pepOf("classifier");
    const received = await classifier.receive(chainOf(child) ?? []);
    expect(received).toMatchObject({ envelopeId: child.envelopeId, decisionId: child.decisionId });
    expect(await outcomeOf(classifier, received, ...READ)).toBe("permit");
    expect(await outcomeOf(classifier, received, "crm_read", { customer_id: "c1" })).toBe("tool_not_allowed");
    expect(await outcomeOf(pepOf("reviewer"), received, ...READ)).toBe("pop_invalid"); // a key of the other algorithm
    expect(await outcomeOf(pepOf("classifier", await generateKey("ES256")), received, ...READ)).toBe("holder_mismatch");
    expect(await outcomeOf(pepOf("reviewer", keys.get("classifier")), received, ...READ)).toBe("holder_mismatch"); // the key, under another name
    expect(records().filter(({ kind }) => kind === "hand_off")).toMatchObject([
      { details: { decision: "permit", from: "reviewer", to: "classifier", child_envelope: child.envelopeId } },
    ]);
  });

  it("is decided when its child is first seen, where nobody asked before, also by many calls at once", async () => {
    const { pep, pepOf, keys, now, pdp, records } = await signedFixture();
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 100 } });
    const { order } = await pdp.terms();
    const narrowing = { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] };
    const held = holdEnvelope(chainOf(task) ?? [], order);
    const holder = (keys.get("classifier") as SigningKey).public;
    const child = await deriveEnvelope(held, { narrowing, holder, now: now() }, keys.get("reviewer") as SigningKey, order);
    const classifier = pepOf("classifier");
    const unseen = { ...task, envelope: child.envelope, envelopeId: "env_x" };
    Object.defineProperty(unseen, Symbol.for("ambit.holding"), { value: () => ({ kind: "chain", chain: child.chain.tokens }) });
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => outcomeOf(classifier, unseen, ...READ)));
    expect(new Set(outcomes)).toEqual(new Set(["permit"]));
    expect(records().filter(({ kind }) => kind === "hand_off")).toHaveLength(1);
  });

  it("cannot give what its giver does not have, whoever computes it", async () => {
    const { pep } = await signedFixture();
    const task = await pep.begin(BEGIN);
    const to = { agentId: "classifier", purpose: "classify" } as const;
    expect(await rejection(pep.handOff(task, { ...to, allowedTools: ["mail.send"] }))).toBe("not_narrower");
    expect(await rejection(pep.handOff(task, { ...to, resourceConstraints: { contract_ids: ["k9"] } }))).toBe("not_narrower");
    expect(await rejection(pep.handOff(task, { ...to, expiresIn: "1d" }))).toBe("not_narrower");
    expect(await rejection(pep.handOff(task, { ...to, purpose: "other" }))).toBe("not_narrower");
  });

  it("is refused by policy, to unregistered agents, with excerpts that must not go on, and for tools that are not of its purpose", async () => {
    const { pep, records } = await signedFixture({
      policies: [
        {
          name: "p",
          text: `permit (principal, action, resource);
            forbid (principal, action == Action::"ambit:hand_off", resource) when { resource == Agent::"coordinator" };`,
        },
      ],
    });
    const task = await pep.begin(BEGIN);
    expect(await rejection(pep.handOff(task, { agentId: "coordinator", allowedTools: ["crm.read"] }))).toBe("policy_denied");
    expect(await rejection(pep.handOff(task, { agentId: "stranger", allowedTools: ["crm.read"] }))).toBe("agent_unknown");
    expect(await rejection(pep.handOff(task, { agentId: "nobody", allowedTools: ["crm.read"] }))).toBe("option_invalid");
    const data = [{ label: "x", data: "y", dataClasses: ["salary"] }];
    expect(await rejection(pep.handOff(task, { agentId: "classifier", data }))).toBe("hand_off_denied");
    expect(await rejection(pep.handOff(task, { agentId: "classifier", purpose: "classify", allowedTools: ["tickets.create"] }))).toBe("purpose_mismatch");
    expect(records().filter(({ kind, details }) => kind === "hand_off" && details["decision"] === "permit")).toEqual([]);
    expect(records().filter(({ kind }) => kind === "hand_off")).toHaveLength(4);
  });

  it("to a tool that may only be handed on lets nobody use it by a child for itself", async () => {
    const { pep, pepOf } = await signedFixture();
    const task = await pepOf("coordinator").begin({ ...BEGIN, allowedTools: [], mayDelegate: ["contracts.read"] });
    expect(await outcomeOf(pepOf("coordinator"), task, ...READ)).toBe("tool_not_allowed");
    expect(await rejection(pep.receive(chainOf(task) ?? []))).toBe("resolved"); // known to the decision point; using it needs the holder's key
    expect(await outcomeOf(pep, await pep.receive(chainOf(task) ?? []), ...READ)).toBe("holder_mismatch");
  });

  it("to a key that is not the receiver's is no hand-off", async () => {
    const { pep, keys } = await signedFixture();
    const task = await pep.begin(BEGIN);
    const holder = (keys.get("stranger") as SigningKey).public.jwk;
    expect(await rejection(pep.handOff(task, { agentId: "classifier", allowedTools: ["crm.read"], holder }))).toBe("holder_mismatch");
  });

  it("spends from what its giver has, however many children there are", async () => {
    const { pep, pepOf } = await signedFixture();
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 2 } });
    const outcomes: string[] = [];
    for (let index = 0; index < 3; index++) {
      const child = await pep.handOff(task, {
        agentId: "classifier",
        purpose: "classify",
        allowedTools: ["contracts.read"],
        taskId: `${task.envelope.taskId}/${index}`,
      });
      const classifier = pepOf("classifier");
      outcomes.push(await outcomeOf(classifier, await classifier.receive(chainOf(child) ?? []), ...READ));
    }
    expect(outcomes).toEqual(["permit", "permit", "budget_exhausted"]);
  });
});

const WIRE = {
  delegator_id: "user_1",
  tenant_id: "tenant_1",
  session_id: "s",
  task_id: "t",
  purpose: "review",
  agent_id: "reviewer",
  allowed_tools: ["contracts.read"],
  resource_constraints: { customer_id: "c1", contract_ids: ["k1"] },
};

describe("chains of other issuers", () => {
  const envelope = (wire: object, setting: SignedFixture) =>
    setting.pdp.terms().then(({ order }) => parseEnvelope({ ...WIRE, expires_at: new Date(NOW + 600_000).toISOString(), ...wire }, order.vocabulary));

  it("are taken under their anchors, and their beginning is decided when first seen", async () => {
    const other = await generateKey();
    const anchors = [{ kind: "ambit", issuer: "https://other.example", jwk: other.public.jwk, tenants: ["tenant_1"] }];
    const setting = await signedFixture({ anchors });
    const { pep, keys, pdp, now, records } = setting;
    const { order } = await pdp.terms();
    const mint = async (wire: object, issuer = "https://other.example", key = other): Promise<readonly string[]> => {
      const options = {
        envelope: await envelope(wire, setting),
        issuer,
        holder: (keys.get("reviewer") as SigningKey).public,
        audience: [AUDIENCE],
        now: now(),
      };
      return (await issueEnvelope(options, key, order)).chain.tokens;
    };
    const task = await pep.receive(await mint({}));
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    expect(records()[0]).toMatchObject({ kind: "begin", details: { decision: "permit", asserted_by: "issuer https://other.example" } });
    expect(await rejection(pep.receive(await mint({ tenant_id: "tenant_2" })))).toBe("tenant_mismatch");
    expect(await rejection(pep.receive(await mint({ agent_id: "classifier" })))).toBe("holder_mismatch");
    expect(await rejection(pep.receive(await mint({ allowed_tools: ["tickets.remove"] })))).toBe("tool_unmapped");
    expect(await rejection(pep.receive(await mint({}, "https://stranger.example")))).toBe("chain_broken");
    expect(await rejection(pep.receive(await mint({}, ISSUER)))).toBe("chain_broken");
    expect(await rejection(pep.receive(await mint({}, "https://other.example", await generateKey())))).toBe("envelope_signature_invalid");
  });

  it("of the draft alone stand for what their anchor says, with their own constraints", async () => {
    const foreign = await generateKey();
    const anchors = [{ kind: "aat", issuer: "https://as.example", jwk: foreign.public.jwk, tenant_id: "tenant_1", delegator_id: "user_1", purpose: "review" }];
    const setting = await signedFixture({ anchors });
    const { pep, keys, now, records } = setting;
    const holder = (keys.get("reviewer") as SigningKey).public;
    const root = { issuer: "https://as.example", holder, maxDepth: 2, expiresAt: NOW / 1000 + 600, now: now(), audience: [AUDIENCE] };
    const tools = { "contracts.read": { contract_id: { constraint_type: "exact", value: "k1" } }, "payroll.read": {} };
    const chain = await issueRoot({ ...root, tools }, foreign);
    const task = await pep.receive(chain.tokens);
    expect(task.envelope).toMatchObject({ allowedTools: ["contracts.read"], tenantId: "tenant_1", purpose: "review" });
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k2" })).toBe("argument_not_allowed");
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1" })).toBe("tool_not_allowed");
    expect(records()[0]).toMatchObject({ kind: "begin", details: { asserted_by: "issuer https://as.example" } });
    const child = await deriveToken(chain, { holder: (keys.get("classifier") as SigningKey).public, now: now() }, keys.get("reviewer") as SigningKey);
    const classifier = setting.pepOf("classifier");
    expect(await outcomeOf(classifier, await classifier.receive(child.tokens), ...READ)).toBe("permit");
    const unknown = await issueRoot({ ...root, tools, holder: (keys.get("stranger") as SigningKey).public }, foreign);
    expect(await rejection(pep.receive(unknown.tokens))).toBe("agent_unknown");
    const { audience: _, ...open } = root;
    expect(await rejection(pep.receive((await issueRoot({ ...open, tools }, foreign)).tokens))).toBe("audience_mismatch");
  });

  it("are not taken where nothing is configured for them", async () => {
    const setting = await signedFixture({}, { signing: undefined, audience: [] });
    const { pep } = setting;
    expect(await rejection(pep.begin(BEGIN))).toBe("envelope_malformed");
    expect(await rejection(pep.receive(["a.b.c"]))).toBe("envelope_malformed");
  });
});

describe("codes", () => {
  it("are told by value", async () => {
    const { pep } = await signedFixture();
    const task = await pep.begin(BEGIN);
    expect(codeOf(await pep.enforce({ envelope: task, tool: "crm_read", arguments: { customer_id: "c2" } }, () => ({})))).toBe("argument_not_allowed");
  });
});

describe("the keys that sign", () => {
  it("are rotated: what the old one signed goes on, what it would sign later does not, and a dropped one takes everything along", async () => {
    const { pep, ring, advance } = await signedFixture();
    const before = await pep.begin(BEGIN);
    const old = ring.current();
    advance(5000);
    ring.rotate(await generateKey("ES256"));
    advance(5000);
    const after = await pep.begin(BEGIN);
    expect([await outcomeOf(pep, before, ...READ), await outcomeOf(pep, after, ...READ)]).toEqual(["permit", "permit"]);
    await expect(old.sign("x")).rejects.toMatchObject({ code: "option_invalid" });
    ring.drop(old.kid);
    expect([await outcomeOf(pep, before, ...READ), await outcomeOf(pep, after, ...READ)]).toEqual(["envelope_signature_invalid", "permit"]);
  });

  it("of another issuer may not be known, and then it cannot be told whose a root is", async () => {
    const other = await generateKey();
    let isUp = false;
    const anchors = {
      anchors: () => (isUp ? [ANCHOR] : []),
      ready: async () => (isUp ? undefined : Promise.reject(new Error("down"))),
    };
    const ANCHOR = { kind: "ambit", issuer: "https://other.example", key: other.public, tenants: new Set(["tenant_1"]) } as const;
    const { pep, keys, pdp } = await signedFixture({}, { anchors });
    const { order } = await pdp.terms();
    const wire = { ...WIRE, expires_at: new Date(NOW + 600_000).toISOString() };
    const options = { envelope: parseEnvelope(wire, order.vocabulary), issuer: "https://other.example", audience: [AUDIENCE], now: NOW };
    const { chain } = await issueEnvelope({ ...options, holder: (keys.get("reviewer") as SigningKey).public }, other, order);
    expect(await rejection(pep.receive(chain.tokens))).toBe("state_unavailable");
    expect(await outcomeOf(pep, await pep.begin(BEGIN), ...READ)).toBe("permit");
    isUp = true;
    expect(await outcomeOf(pep, await pep.receive(chain.tokens), ...READ)).toBe("permit");
  });
});

describe("the proof of a delegator", () => {
  const issuer = "https://login.example";
  const oidc = async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256" }] };
    const identity = { issuers: [{ kind: "oidc", issuer, audience: "ambit", keys, tenant: { claim: "tid", among: ["tenant_1"] } }] };
    const token = (claims: object = {}): Promise<string> =>
      new SignJWT({ tid: "tenant_1", ...claims })
        .setProtectedHeader({ alg: "ES256", kid: "k" })
        .setIssuer(issuer)
        .setAudience("ambit")
        .setSubject("user_1")
        .setIssuedAt(NOW / 1000)
        .setExpirationTime(NOW / 1000 + 300)
        .sign(privateKey);
    return { identity, token };
  };

  it("begins a task for who is proven, and the record says who vouches", async () => {
    const { identity, token } = await oidc();
    const { pep, records, advance } = await signedFixture({ identity }, { requireProof: true });
    const begin = async (change: Partial<BeginOptions> = {}): Promise<string> => rejection(pep.begin({ ...BEGIN, delegatorProof: await token(), ...change }));
    const task = await pep.begin({ ...BEGIN, delegatorProof: await token() });
    expect(records()[0]).toMatchObject({ kind: "begin", details: { asserted_by: `oidc ${issuer}` } });
    expect(await begin({ delegatorId: "user_2" })).toBe("proof_invalid");
    expect(await begin({ tenantId: "tenant_2" })).toBe("tenant_mismatch");
    expect(await begin({ delegatorProof: undefined })).toBe("proof_invalid");
    expect(await begin({ delegatorProof: "x.y.z" })).toBe("proof_invalid");
    expect(await rejection(pep.renew(task, { expiresIn: "20m" }))).toBe("proof_invalid");
    expect((await pep.renew(task, { expiresIn: "20m", delegatorProof: await token() })).lineage).toBe(task.lineage);
    advance(400_000);
    expect(await begin()).toBe("proof_expired");
  });

  it("is taken by nobody who was not told whom to believe", async () => {
    const { token } = await oidc();
    const { pep } = await signedFixture();
    expect(await rejection(pep.begin({ ...BEGIN, delegatorProof: await token() }))).toBe("proof_invalid");
  });

  it("by an issuer that cannot be told apart from another is not configured", async () => {
    const { identity } = await oidc();
    const bad = [
      {},
      { issuers: [] },
      { issuers: [{ kind: "saml" }] },
      { issuers: [...identity.issuers, ...identity.issuers] },
      { issuers: [{ ...identity.issuers[0], tenant: { claim: "tid" } }] },
    ];
    for (const wrong of bad) expect(await rejection(signedFixture({ identity: wrong }))).toBe("config_invalid");
    expect(await rejection(signedFixture({ identity: { issuers: [{ ...identity.issuers[0], keys: "http://login.example/jwks" }] } }))).toBe("config_invalid");
  });
});

describe("two decision points over one store", () => {
  const world = async (failing: { isDown: boolean }) => {
    const state = createMemoryState();
    const one = await signedFixture({}, { state });
    const log = createMemoryLog({ now: one.now });
    const other = await createPdp(
      { ...CONFIG, agents: registered(one.keys) },
      {
        state,
        now: one.now,
        log: { append: (body) => (failing.isDown && body.kind === "decision" ? Promise.reject(new Error("disk")) : log.append(body)) },
        signing: { issuer: ISSUER, keys: one.ring, tenants: new Set(["tenant_1"]) },
        audience: [AUDIENCE],
      },
    );
    return { ...one, other, otherLog: () => verifyLog(log.text()) };
  };
  const registered = (keys: ReadonlyMap<string, SigningKey>) => {
    const { agents } = CONFIG.agents as { readonly agents: { readonly [id: string]: object } };
    return { agents: Object.fromEntries(Object.entries(agents).map(([id, agent]) => [id, { ...agent, keys: [keys.get(id)?.public.jwk] }])) };
  };

  it("repeat each other's decisions, and release no grant that is not on their own record", async () => {
    const failing = { isDown: true };
    const { pep, pdp, keys, now, other, otherLog } = await world(failing);
    const task = await pep.begin(BEGIN);
    const { pdp: seen, asked } = watched({ ...pdp, redeem: async () => ({ redeemed: true }) });
    const call = { envelope: task, tool: READ[0], arguments: READ[1], callId: "1", turn: "1" };
    expect((await createPep({ pdp: seen, agent: "reviewer", keys, now }).admit(call)).admitted).toBe(true);
    const [request] = asked as [AccessRequest];
    const answer = await other.decide(request);
    expect(answer.context.refusal?.code).toBe("log_unavailable");
    failing.isDown = false;
    const again = await other.decide(request);
    expect(again.decision).toBe(true);
    expect(await pdp.decide(request)).toEqual(again);
    const records = otherLog();
    expect(records.intact && records.records.map(({ kind, details }) => [kind, details["repeats"]])).toEqual([["decision", again.context.id]]);
  });

  it("let in, end, revoke and spend for each other", async () => {
    const { pep, keys, now, other, advance } = await world({ isDown: false });
    const there = createPep({ pdp: other, agent: "reviewer", keys, now, deadline: 10_000 });
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 3 } });
    const same = await there.receive(chainOf(task) ?? []);
    expect([await outcomeOf(pep, task, ...READ), await outcomeOf(there, same, ...READ), await outcomeOf(pep, task, ...READ)]).toEqual([
      "permit",
      "permit",
      "permit",
    ]);
    expect([await outcomeOf(pep, task, ...READ), await outcomeOf(there, same, ...READ)]).toEqual(["budget_exhausted", "budget_exhausted"]);
    const next = await pep.begin(BEGIN);
    await (await there.receive(chainOf(next) ?? [])).end();
    expect(await outcomeOf(pep, next, ...READ)).toBe("envelope_revoked");
    const last = await pep.begin(BEGIN);
    advance(6000);
    await other.revoke({ tenantId: "tenant_1", scope: "agent", id: "reviewer", by: "security" });
    expect(await outcomeOf(pep, last, ...READ)).toBe("envelope_revoked");
  });
});
