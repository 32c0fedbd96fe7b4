import { createPep } from "@ambit/core";
import { generateKey, signDpop } from "@ambit/core/token";
import { createPdpService, type Caller } from "@ambit/pdp/server";
import { describe, expect, it } from "vitest";
import { createMemoryState } from "../../src/state/memory-state.ts";
import { BEGIN, NOW, outcomeOf, rejection } from "../support/fixture.ts";
import { signedFixture } from "../support/signed.ts";
import { CALLERS, ENFORCER, serviceScene } from "./scene.ts";

const URL_OF_SERVICE = "https://pdp.example";
const TERMS = "/ambit/v1/terms";
const callersOf = (...thumbprints: readonly string[]): readonly Caller[] => [
  ...CALLERS,
  { kind: "dpop", name: "gateway", thumbprints, roles: ["enforce", "assert"], tenants: "any" },
];

/** Two decision points over one state, and a key that both know. */
async function replicas(state = createMemoryState()) {
  const key = await generateKey();
  const open = async () =>
    createPdpService({ pdp: (await signedFixture({}, { state })).pdp, url: URL_OF_SERVICE, callers: callersOf(key.public.thumbprint), clock: () => NOW });
  const proof = (change: object = {}, by = key): Promise<string> => signDpop({ method: "GET", url: URL_OF_SERVICE + TERMS, now: NOW, ...change }, by);
  const services = [await open(), await open()] as const;
  const ask = async (to: 0 | 1, headers: Record<string, string>): Promise<readonly [number, string | null]> => {
    const answer = await services[to].fetch(new Request(URL_OF_SERVICE + TERMS, { headers }));
    return [answer.status, answer.headers.get("www-authenticate")];
  };
  return { key, proof, ask };
}

const REFUSED = [401, 'DPoP realm="ambit", error="invalid_dpop_proof"'] as const;

describe("a caller that signs a proof for each request", () => {
  it("is known by its key, and works as any other", async () => {
    const key = await generateKey("ES256");
    const { connect, keys, now, problems } = await serviceScene({}, {}, { callers: callersOf(key.public.thumbprint) });
    const pepBy = async (by: typeof key) =>
      createPep({ pdp: connect({ credentials: { kind: "dpop", key: by }, now: Date.now }), agent: "reviewer", keys, now, deadline: 10_000 });
    const pep = await pepBy(key);
    const task = await pep.begin(BEGIN);
    const read = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
    expect([await outcomeOf(pep, task, ...read), await outcomeOf(pep, task, ...read)]).toEqual(["permit", "permit"]);
    expect(problems).toEqual([]);
    expect(await rejection((await pepBy(await generateKey())).begin(BEGIN))).toBe("pdp_unavailable");
  });

  it("has each proof taken once, by all who share the state", async () => {
    const { proof, ask } = await replicas();
    const dpop = await proof();
    expect(await ask(0, { dpop })).toEqual([200, null]);
    expect([await ask(0, { dpop }), await ask(1, { dpop })]).toEqual([REFUSED, REFUSED]);
    const again = await proof();
    const answers = await Promise.all([0, 1, 0, 1].map((to) => ask(to as 0 | 1, { dpop: again })));
    expect(answers.map(([status]) => status).toSorted()).toEqual([200, 401, 401, 401]);
  });

  it("has no proof taken that is for another request or of another key, also beside a good secret's connection", async () => {
    const { proof, ask } = await replicas();
    for (const change of [
      { method: "POST" },
      { url: `${URL_OF_SERVICE}/metrics` },
      { url: `https://other.example${TERMS}` },
      { now: NOW - 61_000 },
      { now: NOW + 10_000 },
    ])
      expect(await ask(0, { dpop: await proof(change) })).toEqual(REFUSED);
    expect(await ask(0, { dpop: await proof({}, await generateKey()) })).toEqual(REFUSED);
    expect(await ask(0, { dpop: "garbage" })).toEqual(REFUSED);
    // Who shows a token is judged by it.
    expect((await ask(0, { dpop: await proof(), authorization: "Bearer nobody" }))[0]).toBe(401);
    expect((await ask(0, { dpop: "garbage", authorization: `Bearer ${ENFORCER}` }))[0]).toBe(200);
  });

  it("is not let in where it cannot be told whether the proof was used before", async () => {
    const state = createMemoryState();
    for (const [admit, status] of [
      [() => Promise.reject(new Error("away")), 503],
      [async () => "yes" as never, 401],
    ] as const) {
      const { proof, ask } = await replicas({ ...state, admit });
      expect((await ask(0, { dpop: await proof() }))[0]).toBe(status);
    }
  });

  it("is not configured with what is no thumbprint", async () => {
    const { pdp } = await signedFixture();
    for (const thumbprints of [[], ["x"], undefined])
      expect(() => createPdpService({ pdp, url: URL_OF_SERVICE, callers: callersOf(...((thumbprints ?? [undefined]) as string[])) })).toThrow(
        expect.objectContaining({ code: "option_invalid" }),
      );
  });
});
