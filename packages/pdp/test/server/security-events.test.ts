import { createEventVerifier, remoteJwks } from "@ambit/core/identity";
import type { PdpConfig, PdpOptions } from "@ambit/pdp";
import { allRoutes, secretDigest } from "@ambit/pdp/server";
import { createMemoryState } from "@ambit/pdp";
import { beforeAll, describe, expect, it } from "vitest";
import { jwks, jwt, send, serve, testKey, type TestKey } from "../../../core/test/identity/issuer.ts";
import { codeOf } from "../../../core/test/support/codes.ts";
import { createMemoryDocuments } from "../../src/state/memory-documents.ts";
import { BEGIN, NOW, outcomeOf, rejection } from "../support/fixture.ts";
import { signedFixture } from "../support/signed.ts";
import { CALLERS, closeAfter, ENFORCER, OBSERVER, serviceScene, type ServiceScene } from "./scene.ts";

const IDP = "https://idp.example";
const AUDIENCE = "https://pdp.example/ambit/v1/security-events";
const TRANSMITTER = "the-secret-of-a-transmitter-long-enough-too";
const RISC = "https://schemas.openid.net/secevent/risc/event-type/";
const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";
const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r" }] as const;

const config: Partial<PdpConfig> = { users: { issuers: { [IDP]: { id: { claim: "sub" }, tenant: { id: "tenant_1" } } } } };
const callers = [...CALLERS, { kind: "secret", name: "idp", digest: secretDigest(TRANSMITTER), roles: ["transmit"], tenants: [] } as const];

let [key, other]: TestKey[] = [];
beforeAll(async () => {
  [key, other] = [await testKey("ES256", "k1"), await testKey("ES256", "k1")];
});

interface Scene extends ServiceScene {
  readonly idp: Awaited<ReturnType<typeof serve>>;
  readonly push: (token: string, change?: Record<string, string>) => Promise<Response>;
  /** The answer to a token, in short. */
  readonly pushed: (token: string, change?: Record<string, string>) => Promise<string>;
}

/** A decision point with an identity provider whose keys are on a real server. */
async function scene(options: PdpOptions = {}, authentication?: "caller" | "signature"): Promise<Scene> {
  const idp = closeAfter(await serve(send(jwks(key as TestKey))));
  const tokens = createEventVerifier({ issuers: [{ issuer: IDP, keys: remoteJwks({ url: idp.url, allowLoopback: true, cooldown: 0.001 }) }] });
  const made = await serviceScene(config, options, {
    callers,
    routes: (pdp, url) => allRoutes({ pdp, url, securityEvents: { tokens, audience: AUDIENCE, authentication } }),
  });
  const push: Scene["push"] = (body, change = {}) =>
    fetch(`${made.url}/ambit/v1/security-events`, {
      method: "POST",
      body,
      headers: { "content-type": "application/secevent+jwt", authorization: `Bearer ${TRANSMITTER}`, ...change },
    });
  const pushed: Scene["pushed"] = async (token, change) => {
    const answer = await push(token, change);
    const text = await answer.text();
    const { err = "none" } = (text === "" ? {} : JSON.parse(text)) as { readonly err?: string };
    if (answer.status !== 202) expect(answer.headers.get("content-language")).toBe("en");
    return `${answer.status} ${err}`;
  };
  return { ...made, idp, push, pushed };
}

const USER = { format: "iss_sub", iss: IDP, sub: "user_1" };

/** A security event token as an identity provider sends it. */
function event(type: string, change: object = {}, header: object = {}, signer: TestKey = key as TestKey): Promise<string> {
  const claims = { iss: IDP, jti: "jti-1", iat: NOW / 1000 - 5, aud: AUDIENCE, sub_id: USER, events: { [type]: {} }, ...change };
  return jwt(signer, claims, { typ: "secevent+jwt", ...header });
}

describe("a pushed security event", () => {
  it("of an account that is gone stops what was begun for it, and whatever would be begun", async () => {
    const { pep, pushed, records } = await scene();
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    expect(await pushed(await event(`${RISC}account-disabled`))).toBe("202 none");
    expect(await outcomeOf(pep, task, ...READ)).toBe("envelope_revoked");
    expect(await rejection(pep.begin(BEGIN))).toBe("policy_denied");
    expect(records().filter(({ kind }) => kind === "revoke" || kind === "security_event")).toMatchObject([
      { kind: "revoke", tenant: "tenant_1", details: { scope: "delegator", id: "user_1", by: "directory" } },
      {
        kind: "security_event",
        tenant: "tenant_1",
        details: { issuer: IDP, jti: "jti-1", changes: [{ kind: "leaver", delegatorId: "user_1", event: `${RISC}account-disabled` }], ignored: [] },
      },
    ]);
  });

  it("of a change revokes what was given out for the user, and nothing that is begun afterwards", async () => {
    const { pep, pushed, advance } = await scene();
    const [task, bystander] = [await pep.begin(BEGIN), await pep.begin({ ...BEGIN, delegatorId: "user_2" })];
    expect(await pushed(await event(`${CAEP}credential-change`))).toBe("202 none");
    expect(await outcomeOf(pep, task, ...READ)).toBe("envelope_revoked");
    expect(await outcomeOf(pep, bystander, ...READ)).toBe("permit");
    advance(10_000);
    expect(await outcomeOf(pep, await pep.begin(BEGIN), ...READ)).toBe("permit");
  });

  it("of a session revokes what was given out in it", async () => {
    const { pep, pushed } = await scene();
    const [task, elsewhere] = [await pep.begin({ ...BEGIN, sessionId: "s-1" }), await pep.begin({ ...BEGIN, sessionId: "s-2" })];
    expect(await pushed(await event(`${CAEP}session-revoked`, { sub_id: { format: "opaque", id: "s-1" } }))).toBe("202 none");
    expect(await outcomeOf(pep, task, ...READ)).toBe("envelope_revoked");
    expect(await outcomeOf(pep, elsewhere, ...READ)).toBe("permit");
  });

  it("that is sent again is taken again and changes nothing, at another decision point over the same store neither", async () => {
    const shared = { state: createMemoryState(), documents: createMemoryDocuments() };
    const [one, two] = [await scene(shared), await scene(shared)];
    const token = await event(`${CAEP}credential-change`);
    expect(await one.pushed(token)).toBe("202 none");
    one.advance(10_000);
    two.advance(10_000);
    const task = await one.pep.begin(BEGIN);
    expect([await one.pushed(token), await two.pushed(token)]).toEqual(["202 none", "202 none"]);
    expect(await outcomeOf(one.pep, task, ...READ)).toBe("permit");
    const told = ({ kind }: { readonly kind: string }): boolean => kind === "security_event";
    expect([one.records().filter(told).length, two.records().filter(told).length]).toEqual([1, 0]);
    // The number of another event, used again by mistake, hides nothing.
    expect(await one.pushed(await event(`${RISC}account-disabled`))).toBe("202 none");
    expect(await outcomeOf(one.pep, task, ...READ)).toBe("envelope_revoked");
  });

  it("that nothing comes of is taken, on the record once, and counted", async () => {
    const { push, url, records } = await scene();
    const token = await event("https://schemas.openid.net/secevent/ssf/event-type/verification", { sub_id: { format: "opaque", id: "stream-1" } });
    const answer = await push(token);
    expect([answer.status, await answer.text(), (await push(token)).status]).toEqual([202, "", 202]);
    expect(records().filter(({ kind }) => kind === "security_event")).toMatchObject([
      { tenant: "unknown", details: { issuer: IDP, jti: "jti-1", changes: [], ignored: [{ reason: "events of this type are not understood" }] } },
    ]);
    await push(await event(`${CAEP}credential-change`));
    await push(await event(`${CAEP}credential-change`));
    const metrics = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${OBSERVER}` } })).text();
    for (const [outcome, times] of Object.entries({ ignored: 2, applied: 1, repeated: 1 }))
      expect(metrics.split("\n")).toContain(`ambit_pdp_security_events_total{outcome="${outcome}"} ${times}`);
  });

  it("is refused with the code of RFC 8935 when it is none of ours, and then revokes nothing", async () => {
    const { pep, pushed, records } = await scene();
    const task = await pep.begin(BEGIN);
    const type = `${RISC}account-disabled`;
    const good = await event(type);
    const table: readonly (readonly [string, string, Record<string, string>?])[] = [
      ["not a token", "400 invalid_request"],
      [await event(type, {}, { typ: "JWT" }), "400 invalid_request"],
      [await event(type, { exp: NOW / 1000 + 60 }), "400 invalid_request"],
      [await event(type, { jti: undefined }), "400 invalid_request"],
      [await event(type, { sub_id: undefined }), "400 invalid_request"],
      [await event(type, { iat: NOW / 1000 + 600 }), "400 invalid_request"],
      [await event(type, { iat: NOW / 1000 - 91 * 86_400 }), "400 invalid_request"],
      [await event(type, { iss: "https://other.example" }), "400 invalid_issuer"],
      [await event(type, { aud: "https://other.example" }), "400 invalid_audience"],
      [await event(type, {}, {}, other), "400 invalid_key"],
      [await event(type, {}, { kid: "k2" }), "400 invalid_key"],
      [`${good.slice(0, -4)}AAAA`, "400 invalid_key"],
      ["x".repeat(16_385), "413 invalid_request"],
      [good, "415 invalid_request", { "content-type": "application/jwt" }],
      [good, "400 authentication_failed", { authorization: "Bearer the-secret-of-nobody-at-all-but-long-enough" }],
      [good, "400 access_denied", { authorization: `Bearer ${ENFORCER}` }],
    ];
    for (const [token, answer, change] of table) expect([await pushed(token, change), token]).toEqual([answer, token]);
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    expect(records().filter(({ kind }) => kind === "revoke" || kind === "security_event")).toEqual([]);
  });

  it("has to be sent again while the keys of its issuer, or the store, cannot be asked", async () => {
    const documents = createMemoryDocuments();
    let isUp = true;
    const { pep, idp, pushed } = await scene({
      documents: { ...documents, put: (...row) => (isUp ? documents.put(...row) : Promise.reject(new Error("no route to 10.0.0.7"))) },
    });
    const task = await pep.begin(BEGIN);
    const token = await event(`${RISC}account-disabled`);
    idp.answer = send("no", "text/plain", 500);
    expect(await pushed(token)).toBe("503 none");
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    idp.answer = send(jwks(key as TestKey));
    isUp = false;
    expect(await pushed(token)).toBe("503 none");
    isUp = true;
    expect(await pushed(token)).toBe("202 none");
    expect(await outcomeOf(pep, task, ...READ)).toBe("envelope_revoked");
  });

  it("needs no more than its signature only where that is configured, and goes nowhere where nothing is", async () => {
    const open = await scene({}, "signature");
    const bare = { authorization: "" };
    expect(await open.pushed(await event(`${CAEP}credential-change`), bare)).toBe("202 none");
    expect(await open.pushed(await event(`${CAEP}credential-change`, {}, {}, other), bare)).toBe("400 invalid_key");
    expect(await (await scene()).pushed(await event(`${CAEP}credential-change`), bare)).toBe("400 authentication_failed");
    const { url } = await serviceScene(config, {}, { routes: (pdp, at) => allRoutes({ pdp, url: at }) });
    expect((await fetch(`${url}/ambit/v1/security-events`, { method: "POST" })).status).toBe(404);
  });

  it("of an issuer whose users nobody here knows cannot be configured", async () => {
    const { pdp } = await signedFixture();
    const tokens = createEventVerifier({ issuers: [{ issuer: IDP, keys: remoteJwks({ url: "https://idp.example/jwks" }) }] });
    expect(codeOf(() => allRoutes({ pdp, url: "https://pdp.example", securityEvents: { tokens, audience: AUDIENCE } }))).toBe("option_invalid");
    expect(await rejection(pdp.takeSecurityEvents({}, AUDIENCE))).toBe("option_invalid");
  });
});
