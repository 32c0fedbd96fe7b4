import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/data/digest.ts";
import type { AccessRequest } from "../../src/pdp/access-request.ts";
import { SUPPORTED_OBLIGATIONS } from "../../src/pdp/obligation.ts";
import type { Outcome, Redemption } from "../../src/pdp/pdp.ts";
import { denial, HANDLE, permit, REFUSAL, scene } from "../support/fake-pdp.ts";

const never = (): never => {
  throw new Error("the tool ran");
};
const CYCLE: Record<string, unknown> = {};
CYCLE["self"] = CYCLE;
const settled = (outcomes: readonly Outcome[]): readonly string[] => outcomes.map(({ status }) => status);

describe("enforce", () => {
  it("runs a permitted call once, with what was decided, and records how it ended", async () => {
    const { pdp, pep, call } = await scene();
    const ran: unknown[] = [];
    const enforced = await pep.enforce(call(), (args) => {
      ran.push(args);
      return { title: "Contract" };
    });
    expect(enforced).toStrictEqual({ result: { title: "Contract" }, decisionId: "dec_1" });
    expect(ran).toStrictEqual([{ contract_id: "k1" }]);
    expect(pdp.asked.map(({ method }) => method)).toStrictEqual(["begin", "decide", "redeem", "settle"]);
    expect(pdp.asks("settle")).toStrictEqual([
      {
        presentation: { kind: "handle", handle: HANDLE },
        agent: "agent",
        callId: (pdp.asks("decide")[0] as AccessRequest | undefined)?.context.call_id,
        decisionId: "dec_1",
        grantId: "grant_1",
        receipt: "receipt_1",
        status: "done",
        records: undefined,
        money: undefined,
        resultDigest: expect.stringMatching(/^hmac-sha-256:/),
      },
    ]);
  });

  it("asks in the terms of AuthZEN, and says nothing that it does not know", async () => {
    const { pdp, pep, call } = await scene();
    await pep.enforce(call({ server: "crm", definition: "sha-256:abc", callId: "call_1", turn: "turn_1" }), () => "ok");
    const presentation = { kind: "handle", handle: HANDLE };
    const digest = digestOf({ tool: "contracts_read", server: "crm", arguments: { contract_id: "k1" } });
    expect(pdp.asks("decide")).toStrictEqual([
      {
        subject: { type: "user", id: "user_1" },
        action: { name: "contracts_read", properties: { server: "crm", definition: "sha-256:abc" } },
        resource: { type: "tool", id: "contracts_read" },
        context: {
          presentation,
          agent: "agent",
          call_id: "env_1/turn_1/call_1",
          call_digest: digest,
          arguments: { contract_id: "k1" },
          supported_obligations: SUPPORTED_OBLIGATIONS,
        },
      },
    ]);
    expect(pdp.asks("redeem")).toStrictEqual([{ presentation, agent: "agent", callId: "env_1/turn_1/call_1", grantId: "grant_1", callDigest: digest }]);
  });

  it("gives a call the same id only when the framework's id and the turn say that it is the same", async () => {
    const { pdp, pep, call } = await scene();
    for (const ids of [{ callId: "c", turn: "1" }, { callId: "c", turn: "1" }, { callId: "c", turn: "2" }, { callId: "c" }, { callId: "c" }, { turn: "1" }, {}])
      await pep.enforce(call(ids), () => 1);
    const ids = pdp.asks("decide").map((request: AccessRequest) => request.context.call_id);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(6);
  });

  it("does not run a denied call, and passes the refusal on", async () => {
    const { pdp, pep, call } = await scene({ decide: () => Promise.resolve(denial()) });
    expect(await pep.enforce(call(), never)).toStrictEqual({ refused: { kind: "deny", decisionId: "dec_2", refusal: REFUSAL } });
    expect(pdp.asks("redeem")).toHaveLength(0);
    expect(pdp.asks("settle")).toHaveLength(0);
  });

  it("tells a call that waits for an approval from one that is denied", async () => {
    const { pep, call } = await scene({ decide: () => Promise.resolve(denial({ ...REFUSAL, code: "approval_required" })) });
    expect(await pep.enforce(call(), never)).toMatchObject({ refused: { kind: "approval_required", refusal: { code: "approval_required" } } });
  });

  it("throws the tool's own error on as it was, and records the failure", async () => {
    const { pdp, pep, call } = await scene();
    const failure = new RangeError("backend down");
    await expect(pep.enforce(call(), () => Promise.reject(failure))).rejects.toBe(failure);
    await expect(
      pep.enforce(call(), () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
    expect(settled(pdp.asks("settle"))).toStrictEqual(["failed", "failed"]);
  });

  it("records a call that was aborted while it ran as one of unknown effect", async () => {
    const { pdp, pep, call } = await scene();
    const controller = new AbortController();
    const run = pep.enforce(call({ signal: controller.signal }), () => {
      controller.abort();
      throw new Error("aborted");
    });
    await expect(run).rejects.toThrow("aborted");
    expect(settled(pdp.asks("settle"))).toStrictEqual(["unknown"]);
  });

  it("asks nothing for a call that was aborted before", async () => {
    const { pdp, pep, call } = await scene();
    expect(await pep.enforce(call({ signal: AbortSignal.abort() }), never)).toMatchObject({ refused: { kind: "deny", refusal: { code: "call_aborted" } } });
    expect(pdp.asks("decide")).toHaveLength(0);
  });

  it("denies a call that is aborted while it is decided, or while its grant is spent", async () => {
    for (const method of ["decide", "redeem"] as const) {
      const controller = new AbortController();
      const hang = (): Promise<never> => {
        controller.abort();
        return new Promise(() => {});
      };
      const { pdp, pep, call } = await scene({ [method]: hang }, { deadline: 10_000 });
      expect(await pep.enforce(call({ signal: controller.signal }), never)).toMatchObject({ refused: { refusal: { code: "call_aborted" } } });
      expect(settled(pdp.asks("settle"))).toStrictEqual(method === "decide" ? [] : ["not_run"]);
    }
  });

  it("lets go of the signal of a call that is over", async () => {
    const { pep, call } = await scene();
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    await pep.enforce(call({ signal }), () => 1);
    expect(listeners).toBe(0);
  });
});

describe("what was decided is what runs (I4)", () => {
  it("whatever the caller does to the arguments meanwhile", async () => {
    const args = { contract_id: "k1", filter: { ids: ["a"] } };
    const { pdp, pep, call } = await scene({
      decide: async () => {
        args.contract_id = "k2";
        args.filter.ids.push("b");
        await Promise.resolve();
        return permit();
      },
      redeem: () => {
        args.filter = { ids: ["c"] };
        return Promise.resolve({ redeemed: true });
      },
    });
    let ran: unknown;
    await pep.enforce(call({ arguments: args }), (decided) => {
      ran = decided;
    });
    expect(ran).toStrictEqual({ contract_id: "k1", filter: { ids: ["a"] } });
    const digest = digestOf({ tool: "contracts_read", server: null, arguments: ran as never });
    expect(pdp.asks("decide")).toMatchObject([{ context: { call_digest: digest, arguments: ran } }]);
    expect((pdp.asks("redeem")[0] as Redemption | undefined)?.callDigest).toBe(digest);
  });

  it("whatever the decision point does to them", async () => {
    const { pep, call } = await scene({
      decide: (request) => {
        expect(() => Object.assign(request.context.arguments, { contract_id: "k2" })).toThrow(TypeError);
        return Promise.resolve(permit());
      },
    });
    expect(await pep.enforce(call(), (args) => args["contract_id"])).toMatchObject({ result: "k1" });
  });

  it("in a copy that the tool may change", async () => {
    const { pep, call } = await scene();
    const original = { list: [1] };
    const enforced = await pep.enforce(call({ arguments: original }), (args) => {
      (args["list"] as number[]).push(2);
      return args["list"];
    });
    expect(enforced).toMatchObject({ result: [1, 2] });
    expect(original).toStrictEqual({ list: [1] });
  });

  it("with arguments read once, left out members and all", async () => {
    let reads = 0;
    const args = {
      get limit() {
        reads += 1;
        return reads === 1 ? 1 : 1_000_000;
      },
      gone: undefined,
    };
    const { pep, call } = await scene();
    expect(await pep.enforce(call({ arguments: args }), (decided) => decided)).toMatchObject({ result: { limit: 1 } });
    expect(await pep.enforce(call({ arguments: undefined }), (decided) => decided)).toMatchObject({ result: {} });
  });

  it.each([
    ["a list", [1]],
    ["text", "{}"],
    ["NaN", { limit: Number.NaN }],
    ["a class", { when: new Date(0) }],
    ["a prototype", JSON.parse('{"__proto__":{"isAdmin":true}}')],
    ["a cycle", CYCLE],
  ])("or nothing runs: %s as arguments is refused and recorded", async (_, args) => {
    const { pdp, pep, call } = await scene(); // permits: the enforcement point has refused already
    expect(await pep.enforce(call({ arguments: args }), never)).toMatchObject({ refused: { refusal: { code: "argument_not_allowed" } } });
    expect(pdp.asks("decide")).toMatchObject([{ context: { arguments: {}, refusal: { code: "argument_not_allowed", step: "call" } } }]);
    expect(pdp.asks("redeem")).toHaveLength(0);
  });
});
