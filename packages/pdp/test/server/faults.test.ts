import { createPep } from "@ambit/core";
import { pdpClient, type PdpClient, type PdpClientOptions } from "@ambit/core/pdp-client";
import { createPdpService, servePdp } from "@ambit/pdp/server";
import { describe, expect, it, vi } from "vitest";
import { BEGIN, rejection } from "../support/fixture.ts";
import { signedFixture } from "../support/signed.ts";
import { FAULTS, faultProxy, type Fault } from "./fault-proxy.ts";
import { CALLERS, closeAfter, ENFORCER } from "./scene.ts";
import { freePort } from "../support/free-port.ts";

const CONTRACT = { customer_id: "c1", title: "t", terms: "r", salary: 7 };

/** An agent in the middle of a task, a service, and between them what breaks. */
async function scene(options: Partial<PdpClientOptions> = {}) {
  const base = await signedFixture();
  const [outside, inside] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${outside}`;
  const service = createPdpService({ pdp: base.pdp, url, callers: CALLERS });
  closeAfter(await servePdp(service, { port: inside, grace: 100 }));
  const proxy = closeAfter(await faultProxy(outside, () => inside));
  const problems: string[] = [];
  const connect = (more: Partial<PdpClientOptions> = {}): PdpClient =>
    closeAfter(
      pdpClient(url, {
        credentials: { kind: "bearer", token: ENFORCER },
        allowLoopback: true,
        deadline: 10_000,
        breaker: { failures: 1000, pause: 1 },
        onProblem: ({ code }) => problems.push(code),
        ...options,
        ...more,
      }),
    );
  const client = connect();
  const { keys, now } = base;
  const pep = createPep({ pdp: client, agent: "reviewer", keys, now, deadline: 20_000 });
  // Begun with patience: only what is broken on purpose is to be late.
  const task = await createPep({ pdp: connect({ deadline: 10_000 }), agent: "reviewer", keys, now, deadline: 20_000 }).begin(BEGIN);
  let runs = 0;
  const call = async (): Promise<string> => {
    const enforced = await pep.enforce({ envelope: task, tool: "contracts_read", arguments: { contract_id: "k1" } }, () => (runs++, CONTRACT));
    return enforced.refused === undefined ? "permit" : enforced.refused.refusal.code;
  };
  const breakAt = (path: string, does: Fault): void => void (proxy.fault = { path, does });
  return { ...base, client, connect, pep, task, proxy, problems, call, breakAt, runs: () => runs, mend: () => void (proxy.fault = undefined) };
}

/** Milliseconds that an answer may take where nobody says how long it may: the default is 250. */
const SOON = 1500;
const elapsed = async (run: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
};

/** Only who is to be late is not waited for long. */
const patience = (code: string): Partial<PdpClientOptions> => (code === "pdp_timeout" ? { deadline: 500 } : {});
const WAIT = { timeout: 20_000, interval: 10 } as const;

describe("a decision point that", () => {
  it.each(FAULTS)("%s when it is asked for a decision runs no tool, and is used again once it has recovered", async (_, does, code) => {
    const { breakAt, mend, call, runs, problems } = await scene(patience(code));
    breakAt("/ambit/v1/decide", does);
    expect(await call()).toBe(code);
    expect(runs()).toBe(0);
    expect(problems.at(-1)).toBe(code);
    mend();
    await vi.waitFor(async () => expect(await call()).toBe("permit"), WAIT);
    expect(runs()).toBe(1);
  });

  it.each(FAULTS)("%s when the grant is spent runs no tool", async (_, does, code) => {
    const { breakAt, mend, call, runs } = await scene(patience(code));
    breakAt("/ambit/v1/redeem", does);
    expect(await call()).toBe(code);
    expect(runs()).toBe(0);
    mend();
    await vi.waitFor(async () => expect(await call()).toBe("permit"), WAIT);
    expect(runs()).toBe(1);
  });

  it.each(FAULTS)("%s when the outcome is reported shows nothing of the result", async (_, does, code) => {
    const { breakAt, call, runs } = await scene(patience(code));
    breakAt("/ambit/v1/settle", does);
    expect(await call()).toBe(code);
    expect(runs()).toBe(1);
  });

  it.each(FAULTS)("%s when a task begins, or when its terms are read, begins none", async (_, does, code) => {
    const { breakAt, mend, pep, connect, client } = await scene(patience(code));
    await vi.waitFor(() => client.terms(), WAIT);
    breakAt("/ambit/v1/begin", does);
    expect(await rejection(pep.begin(BEGIN))).toBe(code);
    breakAt("/ambit/v1/terms", does);
    expect(await rejection(connect().terms())).toBe(code);
    mend();
    await vi.waitFor(() => pep.begin(BEGIN), WAIT);
  });

  it.each(FAULTS)("%s is not waited for by a client that says nothing of a deadline", async (_, does) => {
    const { breakAt, call, runs } = await scene({ deadline: undefined });
    await vi.waitFor(async () => expect(await call()).toBe("permit"), WAIT);
    const before = runs();
    breakAt("/ambit/v1/decide", does);
    let code = "";
    expect(await elapsed(async () => (code = await call()))).toBeLessThan(SOON);
    expect(code).toMatch(/^pdp_(unavailable|timeout|response_invalid)$/);
    expect(runs()).toBe(before);
  });

  it("hangs is waited for as long as the deadline says, a quarter of a second where nothing does, and no longer", async () => {
    const { breakAt, connect } = await scene({ retries: 0 });
    breakAt("/ambit/v1/terms", () => undefined);
    const waited = (deadline: number | undefined): Promise<number> =>
      elapsed(async () => expect(await rejection(connect({ deadline }).terms())).toBe("pdp_timeout"));
    const [short, usual, long] = [await waited(20), await waited(undefined), await waited(2000)];
    expect(usual).toBeGreaterThan(200);
    expect(usual).toBeLessThan(SOON);
    expect(short).toBeLessThan(SOON);
    expect(long).toBeGreaterThan(SOON);
  });

  it("is not there runs no tool, and is used again once it is", async () => {
    const { proxy, call, runs, problems } = await scene();
    await proxy.kill();
    expect(await call()).toBe("pdp_unavailable");
    expect(runs()).toBe(0);
    await proxy.listen();
    expect(await call()).toBe("permit");
    expect(problems).toEqual(["pdp_unavailable"]);
  });

  it.each([301, 302, 303, 307, 308])("redirects (%s) is not followed", async (status) => {
    const { breakAt, call, runs, proxy } = await scene();
    breakAt("/ambit/v1/decide", (response) => response.writeHead(status, { location: "/elsewhere", "content-type": "application/json" }).end("{}"));
    expect(await call()).toBe("pdp_response_invalid");
    expect(runs()).toBe(0);
    expect(proxy.asked("/elsewhere")).toBe(0);
  });

  it("loses the answer that a grant was spent leaves it unknown by whom, and the call is not run", async () => {
    const { breakAt, call, runs, proxy } = await scene();
    let isFirst = true;
    breakAt("/ambit/v1/redeem", (response, _, forward) => {
      if (!isFirst) return forward();
      isFirst = false;
      const { socket } = response;
      response.end = (() => (socket?.destroy(), response)) as never;
      response.write = (() => (socket?.destroy(), true)) as never;
      return forward();
    });
    expect(await call()).toBe("pdp_unavailable");
    expect(proxy.asked("/ambit/v1/redeem")).toBe(2);
    expect(runs()).toBe(0);
  });

  it("drops a question once is asked again, where that changes nothing", async () => {
    const { breakAt, call, proxy, pep } = await scene();
    for (const path of ["/ambit/v1/decide", "/ambit/v1/redeem", "/ambit/v1/settle"]) {
      const before = proxy.asked(path);
      breakAt(
        path,
        once((response) => response.destroy()),
      );
      expect([path, await call()]).toEqual([path, "permit"]);
      expect(proxy.asked(path) - before).toBe(2);
    }
    // A beginning that may have been read is not asked for twice.
    const before = proxy.asked("/ambit/v1/begin");
    breakAt(
      "/ambit/v1/begin",
      once((response) => response.destroy()),
    );
    expect(await rejection(pep.begin(BEGIN))).toBe("pdp_unavailable");
    expect(proxy.asked("/ambit/v1/begin") - before).toBe(1);
  });

  it("takes no such question is not left alone for it: a model may make up any", async () => {
    const { call, pep, task } = await scene({ breaker: { failures: 1, pause: 600_000 } });
    for (const tool of ["x".repeat(2000), "\ud800", ""]) {
      const enforced = await pep.enforce({ envelope: task, tool, arguments: {} }, () => 1);
      expect(enforced.refused?.refusal.code).toMatch(/^(pdp_response_invalid|pdp_unavailable)$/);
    }
    expect(await call()).toBe("permit");
  });

  it("fails again and again is left alone for a while, and asked again after it", async () => {
    let time = 1_000_000;
    const { breakAt, mend, call, proxy } = await scene({ breaker: { failures: 3, pause: 1000 }, now: () => time, retries: 0, termsLifetime: 86_400_000 });
    breakAt("/ambit/v1/decide", (response) => response.writeHead(500).end());
    for (let index = 0; index < 3; index++) expect(await call()).toBe("pdp_unavailable");
    const asked = proxy.asked("/ambit/v1/decide");
    mend();
    expect(await call()).toBe("pdp_unavailable");
    expect(proxy.asked("/ambit/v1/decide")).toBe(asked);
    time += 1000;
    expect(await call()).toBe("permit");
    expect(await call()).toBe("permit");
  });
});

function once(does: Fault): Fault {
  let isDone = false;
  return (response, incoming, forward) => {
    if (isDone) return forward();
    isDone = true;
    return does(response, incoming, forward);
  };
}
