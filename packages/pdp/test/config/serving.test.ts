import { describe, expect, it } from "vitest";
import { parseServing, secretDigest, type Serving } from "@ambit/pdp/server";
import { jwks, testKey } from "../../../core/test/identity/issuer.ts";
import { rejection } from "../support/fixture.ts";

const SECRET = secretDigest("a-secret-that-is-long-enough-for-this");
const CALLER = { kind: "secret", name: "idp", roles: ["transmit"], tenants: [], digest: SECRET };
const serving = (change: object): Promise<Serving> => parseServing({ url: "https://pdp.example", port: 0, callers: [CALLER], ...change }, "ambit.serve.json");

describe("how a decision point is served", () => {
  it("says whose security events are taken, and nobody's where it does not say", async () => {
    const keys = JSON.parse(jwks(await testKey("ES256"))) as object;
    const events = (change: object = {}, issuer: object = {}): object => ({
      security_events: { audience: "https://pdp.example/events", issuers: [{ issuer: "https://idp.example", keys, ...issuer }], ...change },
    });
    expect((await serving({})).securityEvents).toBeUndefined();
    const { securityEvents } = await serving(events({ authentication: "signature" }));
    expect([securityEvents?.audience, securityEvents?.authentication, securityEvents?.tokens.issuers]).toEqual([
      "https://pdp.example/events",
      "signature",
      ["https://idp.example"],
    ]);
    expect((await serving(events())).securityEvents?.authentication).toBeUndefined();
    for (const wrong of [
      events({ audience: undefined }),
      events({ authentication: "none" }),
      events({ issuers: [] }),
      events({ tenants: [] }),
      events({}, { keys: "http://idp.example/jwks" }),
      events({}, { keys: { keys: [] } }),
      events({}, { algorithms: ["HS256"] }),
      { security_events: true },
    ])
      expect(await rejection(serving(wrong))).toBe("config_invalid");
  });

  it("says when who fails to authenticate has to wait, and who tells their address", async () => {
    expect((await serving({})).failedAttempts).toEqual({});
    expect((await serving({ failed_attempts: { most: 5, seconds: 30 } })).failedAttempts).toEqual({ most: 5, seconds: 30 });
    expect((await serving({ failed_attempts: "unlimited" })).failedAttempts).toBe("unlimited");
    expect((await serving({ behind_proxy: true, client_address: "x-forwarded-for" })).serve.addressHeader).toBe("x-forwarded-for");
    for (const wrong of [{ failed_attempts: "none" }, { failed_attempts: { many: 5 } }, { failed_attempts: { most: -1 } }, { client_address: true }])
      expect(await rejection(serving(wrong))).toBe("config_invalid");
  });
});
