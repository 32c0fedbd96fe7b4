import { createProofVerifier, type KeySource } from "@ambit/core/identity";
import { createPdpService, servePdp, type Caller, type PdpService, type PdpServiceOptions } from "@ambit/pdp/server";
import { describe, expect, it } from "vitest";
import { jwt, testKey } from "../../../core/test/identity/issuer.ts";
import { codeOf } from "../../../core/test/support/codes.ts";
import { rejection } from "../support/fixture.ts";
import { signedFixture } from "../support/signed.ts";
import { CALLERS, closeAfter, ENFORCER } from "./scene.ts";
import { freePort } from "../support/free-port.ts";

const URL_OF_SERVICE = "https://pdp.example";
const BAD = "the-secret-of-nobody-at-all-but-long-enough";

interface Scene {
  readonly service: PdpService;
  /** The status of an attempt from an address with a token. */
  readonly attempt: (address: string | undefined, token?: string) => Promise<number>;
  readonly attempts: (times: number, address: string | undefined, token?: string | ((count: number) => string)) => Promise<readonly number[]>;
  readonly advance: (by: number) => void;
}

async function scene(failedAttempts: PdpServiceOptions["failedAttempts"] = { most: 3, seconds: 60 }, callers: readonly Caller[] = CALLERS): Promise<Scene> {
  const { pdp } = await signedFixture();
  let time = 1_000_000;
  const service = createPdpService({ pdp, url: URL_OF_SERVICE, callers, failedAttempts, now: () => time });
  const attempt: Scene["attempt"] = async (address, token) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await service.fetch(new Request(`${URL_OF_SERVICE}/ambit/v1/terms`, { headers }), { address })).status;
  };
  return {
    service,
    attempt,
    attempts: async (times, address, token) => {
      const statuses: number[] = [];
      for (let count = 0; count < times; count++) statuses.push(await attempt(address, typeof token === "function" ? token(count) : token));
      return statuses;
    },
    advance: (by) => void (time += by),
  };
}

describe("whoever fails to authenticate", () => {
  it("has to wait after so many attempts, and is heard again after so long", async () => {
    const { service, attempt, attempts, advance } = await scene();
    expect(await attempts(5, "192.0.2.1", BAD)).toEqual([401, 401, 401, 429, 429]);
    advance(20_500);
    const request = new Request(`${URL_OF_SERVICE}/ambit/v1/terms`, { headers: { authorization: `Bearer ${BAD}`, "x-request-id": "r" } });
    const answer = await service.fetch(request, { address: "192.0.2.1" });
    expect([answer.headers.get("retry-after"), await answer.json()]).toEqual([
      "40",
      { error: { code: "too_many_requests", message: "too many attempts failed; wait", request_id: "r" } },
    ]);
    advance(39_499);
    expect(await attempt("192.0.2.1", BAD)).toBe(429);
    advance(1);
    expect(await attempts(4, "192.0.2.1", BAD)).toEqual([401, 401, 401, 429]);
  });

  it("keeps nobody else out: not at another address, nor who shows something else at the same one", async () => {
    const { attempt, attempts } = await scene();
    await attempts(10, "192.0.2.1", BAD);
    expect(await attempts(10, "192.0.2.1")).toEqual([401, 401, 401, 429, 429, 429, 429, 429, 429, 429]);
    expect(await attempt("192.0.2.1", ENFORCER)).toBe(200);
    expect([await attempt("192.0.2.2", BAD), await attempt("192.0.2.2", ENFORCER)]).toEqual([401, 200]);
  });

  it("cannot go on by showing something else each time, and a secret that is right does not help then", async () => {
    const { attempt, attempts, advance } = await scene();
    const statuses = await attempts(40, "192.0.2.1", (count) => `${BAD}-${count}`);
    expect([statuses.indexOf(429), statuses.lastIndexOf(401)]).toEqual([30, 29]);
    expect([await attempt("192.0.2.1", ENFORCER), await attempt("192.0.2.2", ENFORCER)]).toEqual([429, 200]);
    advance(60_000);
    expect(await attempt("192.0.2.1", ENFORCER)).toBe(200);
  });

  it("is told the same whether anybody goes by what they claim or not", async () => {
    const [ours, theirs] = [await testKey("ES256", "ours"), await testKey("ES256", "ours")];
    const keys: KeySource = { keys: () => [], ready: async () => undefined };
    const proofs = createProofVerifier({ issuers: [{ kind: "oidc", issuer: "https://login.example", audience: "pdp", keys, tenant: { id: "tenant_1" } }] });
    const caller = { kind: "jwt", name: "people", roles: ["enforce"], tenants: "any", proofs, subjects: "any" } as const;
    const { attempts } = await scene(undefined, [...CALLERS, caller]);
    const tokens = async (sub: string, iss: string): Promise<readonly string[]> =>
      Promise.all([ours, theirs, ours, theirs, ours].map((key, jti) => jwt(key, { iss, sub, jti: String(jti) })));
    for (const [sub, iss] of [
      ["known", "https://login.example"],
      ["unknown", "https://nobody.example"],
    ] as const) {
      const each = await tokens(sub, iss);
      expect(await attempts(5, "192.0.2.1", (count) => each[count] ?? "")).toEqual([401, 401, 401, 429, 429]);
    }
  });

  it("has one host's addresses, and those of IPv4 are told apart however they are written", async () => {
    const { attempt, attempts } = await scene();
    await attempts(3, "2001:db8:1:2::5", BAD);
    expect(await attempt("2001:db8:1:2:ffff:0:0:1", BAD)).toBe(429);
    expect(await attempt("2001:0db8:0001:0002::1", BAD)).toBe(429);
    expect(await attempt("2001:db8:1:3::5", BAD)).toBe(401);
    await attempts(3, "::ffff:192.0.2.1", BAD);
    expect([await attempt("192.0.2.1", BAD), await attempt("::ffff:192.0.2.2", BAD)]).toEqual([429, 401]);
    await attempts(3, "fe80::1%eth0", BAD);
    expect([await attempt("fe80::2%eth1", BAD), await attempt("::1", BAD)]).toEqual([429, 401]);
  });

  it("is not stopped where nobody knows who it is, nor where that is configured", async () => {
    expect(new Set(await (await scene()).attempts(40, undefined, BAD))).toEqual(new Set([401]));
    expect(new Set(await (await scene("unlimited")).attempts(40, "192.0.2.1", BAD))).toEqual(new Set([401]));
    for (const wrong of [{ most: 0 }, { seconds: 0 }, { most: 1.5 }, { seconds: Number.NaN }]) {
      const { pdp } = await signedFixture();
      expect(codeOf(() => createPdpService({ pdp, url: URL_OF_SERVICE, callers: CALLERS, failedAttempts: wrong }))).toBe("option_invalid");
    }
  });

  it("is forgotten when too many others fail, so that they fill no memory", async () => {
    const { attempt, attempts } = await scene({ most: 1, seconds: 60 });
    expect(await attempts(2, "198.51.100.1", BAD)).toEqual([401, 429]);
    for (let count = 0; count < 10_000; count++) await attempt(`10.0.${count >> 8}.${count & 255}`, BAD);
    expect(await attempt("198.51.100.1", BAD)).toBe(401);
    expect(await attempt("10.0.39.15", BAD)).toBe(429);
  });

  it("is not somebody whose token cannot be judged now", async () => {
    const keys: KeySource = { keys: () => [], ready: () => Promise.reject(new Error("no route")) };
    const proofs = createProofVerifier({ issuers: [{ kind: "oidc", issuer: "https://login.example", audience: "pdp", keys, tenant: { id: "tenant_1" } }] });
    const caller = { kind: "jwt", name: "people", roles: ["enforce"], tenants: "any", proofs, subjects: "any" } as const;
    const { attempts } = await scene(undefined, [...CALLERS, caller]);
    const token = await jwt(await testKey("ES256"), { iss: "https://login.example", sub: "ann" });
    expect(await attempts(5, "192.0.2.1", token)).toEqual([503, 503, 503, 503, 503]);
    expect(await attempts(1, "192.0.2.1", ENFORCER)).toEqual([200]);
  });
});

describe("the address of who asks", () => {
  async function served(options: object): Promise<(forwarded: string, token: string) => Promise<number>> {
    const { pdp } = await signedFixture();
    const service = createPdpService({ pdp, url: URL_OF_SERVICE, callers: CALLERS, failedAttempts: { most: 2 } });
    const { port } = closeAfter(await servePdp(service, { port: await freePort(), grace: 100, ...options }));
    return async (forwarded, token) => {
      const headers = { authorization: `Bearer ${token}`, ...(forwarded === "" ? {} : { "x-forwarded-for": forwarded }) };
      return (await fetch(`http://127.0.0.1:${port}/ambit/v1/terms`, { headers })).status;
    };
  }

  it("is that of the connection, whatever it says itself", async () => {
    const ask = await served({});
    expect([await ask("192.0.2.1", BAD), await ask("192.0.2.2", BAD), await ask("192.0.2.3", BAD)]).toEqual([401, 401, 429]);
    expect(await ask("192.0.2.4", ENFORCER)).toBe(200);
  });

  it("is behind a proxy what that proxy wrote last, and unknown where it writes none", async () => {
    const ask = await served({ behindProxy: true, addressHeader: "x-forwarded-for" });
    expect([await ask("10.0.0.1, 192.0.2.1", BAD), await ask("10.0.0.2, 192.0.2.1", BAD), await ask("192.0.2.1", BAD)]).toEqual([401, 401, 429]);
    expect([await ask("192.0.2.1, 192.0.2.2", BAD), await ask("192.0.2.2", ENFORCER)]).toEqual([401, 200]);
    for (const none of ["", "unknown", "192.0.2.1, "]) for (let count = 0; count < 4; count++) expect(await ask(none, BAD)).toBe(401);
    const blind = await served({ behindProxy: true });
    for (let count = 0; count < 4; count++) expect(await blind("192.0.2.1", BAD)).toBe(401);
  });

  it("is not taken from a header that anybody can write", async () => {
    const { pdp } = await signedFixture();
    const service = createPdpService({ pdp, url: URL_OF_SERVICE, callers: CALLERS });
    for (const options of [{ addressHeader: "x-forwarded-for" }, { behindProxy: true, addressHeader: "X Forwarded" }, { behindProxy: true, addressHeader: "" }])
      expect(await rejection(servePdp(service, { port: 0, ...options }))).toBe("option_invalid");
  });
});
