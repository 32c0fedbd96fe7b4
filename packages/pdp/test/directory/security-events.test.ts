import { describe, expect, it } from "vitest";
import { parseUserModel, readSecurityEvents, type SecurityEvents } from "../../src/directory/index.ts";
import { codeOf } from "../../../core/test/support/codes.ts";

const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC = "https://schemas.openid.net/secevent/risc/event-type/";
const ISSUER = "https://idp.example/";
const MODEL = parseUserModel({
  issuers: {
    [ISSUER]: { id: { claim: "sub", prefix: "idp:" }, tenant: { id: "acme" } },
    "https://many.example": { id: { claim: "sub" }, tenant: { claim: "tid", among: ["acme", "globex"] } },
    "https://any.example": { id: { claim: "sub" }, tenant: { claim: "tid", among: "any" } },
    "https://mail.example": { id: { claim: "email" }, tenant: { id: "acme" } },
  },
});
const NOW = 1_700_000_000_000;
const ANN = { format: "iss_sub", iss: ISSUER, sub: "ann" };
const SESSION = { format: "opaque", id: "s-1" };

const token = (event: string, change: Record<string, unknown> = {}, details: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: ISSUER,
  jti: "j1",
  iat: NOW / 1000 - 10,
  aud: "ambit",
  sub_id: ANN,
  events: { [event]: details },
  ...change,
});
const read = (payload: unknown): SecurityEvents => readSecurityEvents(MODEL, payload, "ambit", NOW);

describe("a security event", () => {
  it.each([`${RISC}account-purged`, `${RISC}account-disabled`])("of an account that is gone makes a leaver: %s", (event) => {
    expect(read(token(event))).toEqual({
      issuer: ISSUER,
      id: "j1",
      issuedAt: NOW - 10_000,
      changes: [{ kind: "leaver", tenantId: "acme", delegatorId: "idp:ann", event, at: NOW - 10_000 }],
      ignored: [],
    });
  });

  it.each([`${CAEP}credential-change`, `${CAEP}token-claims-change`, `${RISC}sessions-revoked`, `${RISC}credential-compromise`])(
    "of a change revokes what was given out, and removes nobody: %s",
    (event) => {
      expect(read(token(event)).changes).toMatchObject([{ kind: "delegator", delegatorId: "idp:ann" }]);
    },
  );

  it("of a session ends that one where it is named, and all of the user's where it is not", () => {
    const event = `${CAEP}session-revoked`;
    expect(read(token(event, { sub_id: SESSION })).changes).toMatchObject([{ kind: "session", tenantId: "acme", session: "s-1" }]);
    expect(read(token(event, { sub_id: { format: "complex", user: ANN, session: SESSION } })).changes).toMatchObject([{ kind: "session", session: "s-1" }]);
    expect(read(token(event)).changes).toMatchObject([{ kind: "delegator", delegatorId: "idp:ann" }]);
    expect(read(token(event, { sub_id: { format: "complex", user: ANN, device: { format: "opaque", id: "d" } } })).changes).toMatchObject([
      { kind: "delegator" },
    ]);
    expect(read(token(event, { sub_id: { format: "complex", user: ANN, session: { format: "jwt_id", iss: ISSUER, jti: "x" } } })).changes).toMatchObject([
      { kind: "delegator" },
    ]);
  });

  it("is read in the forms of the drafts, too", () => {
    const event = `${RISC}account-disabled`;
    const { sub_id: _, ...bare } = token(event, {}, { subject: { subject_type: "iss-sub", iss: ISSUER, sub: "ann" }, reason: "hijacking" });
    expect(read(bare).changes).toMatchObject([{ kind: "leaver", delegatorId: "idp:ann" }]);
    const { sub_id: __, ...complex } = token(event, {}, { subject: { user: ANN, device: { format: "opaque", id: "d" } } });
    expect(read(complex).changes).toMatchObject([{ kind: "leaver", delegatorId: "idp:ann" }]);
  });

  it("is of all tenants that its issuer speaks for, unless it names one of them", () => {
    const many = (change: Record<string, unknown>): SecurityEvents => read(token(`${RISC}account-purged`, { iss: "https://many.example", ...change }));
    const user = { format: "iss_sub", iss: "https://many.example", sub: "ann" };
    expect(many({ sub_id: user }).changes.map(({ tenantId }) => tenantId)).toEqual(["acme", "globex"]);
    const named = (id: string): Record<string, unknown> => ({ sub_id: { format: "complex", user, tenant: { format: "opaque", id } } });
    expect(many(named("globex")).changes.map(({ tenantId }) => tenantId)).toEqual(["globex"]);
    expect(many(named("initech"))).toMatchObject({ changes: [], ignored: [{ event: `${RISC}account-purged` }] });
    const any = read(token(`${RISC}account-purged`, { iss: "https://any.example", sub_id: { ...user, iss: "https://any.example" } }));
    expect(any).toMatchObject({ changes: [], ignored: [{ event: `${RISC}account-purged` }] });
  });

  it("tells when it happened, in seconds, or in milliseconds as the drafts' examples do, or when the token was made", () => {
    const at = (change: Record<string, unknown>, details: Record<string, unknown> = {}): number | undefined =>
      read(token(`${CAEP}credential-change`, change, details)).changes[0]?.at;
    expect(at({}, { event_timestamp: NOW / 1000 - 100 })).toBe(NOW - 100_000);
    expect(at({}, { event_timestamp: NOW - 5 })).toBe(NOW - 5);
    expect(at({ toe: NOW / 1000 - 50 })).toBe(NOW - 50_000);
    expect(at({})).toBe(NOW - 10_000);
  });

  it("that is not understood, or about somebody who is not known here, is ignored, visibly, and does not keep others back", () => {
    const events = { [`${CAEP}device-compliance-change`]: {}, constructor: "x", [`${RISC}account-purged`]: {} };
    expect(codeOf(() => read(token("", { events })))).toBe("proof_invalid");
    const { constructor: _, ...understood } = { ...events, [`${RISC}account-enabled`]: {} };
    const answer = read(token("", { events: understood }));
    expect(answer.changes).toHaveLength(1);
    expect(answer.ignored.map(({ event }) => event)).toEqual([`${CAEP}device-compliance-change`, `${RISC}account-enabled`]);
    for (const sub_id of [
      { ...ANN, iss: "https://other.example" },
      { format: "email", email: "ann@x" },
      { format: "opaque", id: "ann" },
      { ...ANN, sub: "a b" },
      { format: "own", ann: 1 },
    ]) {
      expect(read(token(`${RISC}account-purged`, { sub_id }))).toMatchObject({ changes: [], ignored: [{}] });
    }
    const mail = read(token(`${RISC}account-purged`, { iss: "https://mail.example", sub_id: { format: "email", email: "ann@x" } }));
    expect(mail.changes).toMatchObject([{ delegatorId: "ann@x" }]);
  });

  it("takes the audience from a list", () => {
    expect(read(token(`${RISC}account-purged`, { aud: ["other", "ambit"] })).changes).toHaveLength(1);
    for (const aud of ["other", ["other"], [], undefined, "Ambit", { ambit: true }])
      expect(codeOf(() => read(token(`${RISC}account-purged`, { aud })))).toBe("audience_mismatch");
  });

  const EVENT = `${RISC}account-purged`;
  it.each<readonly [string, unknown]>([
    ["an issuer that is not configured", token(EVENT, { iss: "https://idp.example" })],
    ["no name of its own", token(EVENT, { jti: undefined })],
    ["a time of its own from the future", token(EVENT, { iat: NOW / 1000 + 31 })],
    ["no time of its own", token(EVENT, { iat: undefined })],
    ["a time that is text", token(EVENT, { iat: "1700000000" })],
    ["an expiry, as an ID token has", token(EVENT, { exp: NOW / 1000 + 60 })],
    ["no events", token(EVENT, { events: {} })],
    ["events that are a list", token(EVENT, { events: [EVENT] })],
    ["more events than a token has", token(EVENT, { events: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`e${index}`, {}])) })],
    ["an event that is no object", token(EVENT, { events: { [EVENT]: true } })],
    ["an event from the future", token(EVENT, {}, { event_timestamp: NOW / 1000 + 60 })],
    ["an event at no time", token(EVENT, {}, { event_timestamp: "yesterday" })],
    ["an event before there was time", token(EVENT, {}, { event_timestamp: -1 })],
    ["no subject", token(EVENT, { sub_id: undefined })],
    ["a subject that is text", token(EVENT, { sub_id: "ann" })],
    ["a subject of nobody", token(EVENT, { sub_id: { format: "complex", device: { format: "opaque", id: "d" } } })],
    ["a subject within a subject", token(EVENT, { sub_id: { format: "complex", user: { format: "complex", user: ANN } } })],
    ["a subject with two formats", token(EVENT, { sub_id: { ...ANN, subject_type: "email" } })],
    ["two subjects", token(EVENT, {}, { subject: ANN })],
    ["nothing in it", null],
  ])("token is refused with %s", (_, payload) => {
    expect(codeOf(() => read(payload))).toBe("proof_invalid");
  });
});
