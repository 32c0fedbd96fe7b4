import { describe, expect, it } from "vitest";
import { createPep } from "../../src/pep/create-pep.ts";
import { NOW, permit, REFUSAL, scene } from "../support/fake-pdp.ts";

const refusedWith = (code: string) => ({ admitted: false, refused: { kind: "deny", refusal: { code } } });

describe("a call that is asked about before it is to run", () => {
  it("is decided once, and nothing is spent until it runs", async () => {
    const { pdp, pep, call } = await scene();
    const asked = await pep.ask(call());
    expect(asked.refused).toBeUndefined();
    expect([pdp.asks("decide").length, pdp.asks("redeem").length]).toStrictEqual([1, 0]);
    expect(await asked.admit()).toMatchObject({ admitted: true, decisionId: "dec_1" });
    expect([pdp.asks("decide").length, pdp.asks("redeem").length]).toStrictEqual([1, 1]);
  });

  it("stays refused where it was, and says why", async () => {
    for (const [code, kind] of [
      ["policy_denied", "deny"],
      ["approval_required", "approval_required"],
    ] as const) {
      const { pdp, pep, call } = await scene({ decide: () => Promise.resolve({ decision: false, context: { id: "dec_7", refusal: { ...REFUSAL, code } } }) });
      const asked = await pep.ask(call());
      expect(asked.refused).toMatchObject({ kind, decisionId: "dec_7", refusal: { code } });
      expect(await asked.admit()).toStrictEqual({ admitted: false, refused: asked.refused });
      expect([pdp.asks("decide").length, pdp.asks("redeem").length]).toStrictEqual([1, 0]);
    }
  });

  it("is refused at once with a grant that is no use, or an obligation that nobody knows", async () => {
    for (const [decision, code] of [
      [{ decision: true, context: { id: "dec_1", grant: { id: "g", expiresAt: NOW } } }, "grant_invalid"],
      [permit([{ id: "o", type: "sing", properties: {} } as never]), "obligation_unsupported"],
    ] as const) {
      const { pdp, pep, call } = await scene({ decide: () => Promise.resolve(decision) });
      expect(await (await pep.ask(call())).admit()).toMatchObject(refusedWith(code));
      expect(pdp.asks("settle")).toMatchObject([{ status: "not_run" }]);
    }
  });

  it("is admitted once", async () => {
    const { pdp, pep, call } = await scene();
    const asked = await pep.ask(call());
    const [first, second] = await Promise.all([asked.admit(), asked.admit()]);
    expect([first.admitted, second]).toMatchObject([true, refusedWith("grant_replayed")]);
    expect(pdp.asks("settle")).toHaveLength(0);
  });

  it("is asked about once more when its grant ran out meanwhile", async () => {
    let time = NOW;
    const { pdp, call } = await scene({
      decide: () => Promise.resolve({ decision: true, context: { id: "dec_1", grant: { id: "g", expiresAt: time + 10 } } }),
    });
    const pep = createPep({ pdp, agent: "agent", now: () => time });
    const asked = await pep.ask(call());
    time += 10;
    expect(await asked.admit()).toMatchObject({ admitted: true });
    expect([pdp.asks("decide").length, pdp.asks("redeem").length]).toStrictEqual([2, 1]);
  });

  it("is not run by whoever gave up meanwhile, and what was reserved goes back", async () => {
    const { pdp, pep, call } = await scene();
    const asked = await pep.ask(call());
    expect(await asked.admit(AbortSignal.abort())).toMatchObject(refusedWith("call_aborted"));
    expect([pdp.asks("redeem").length, pdp.asks("settle").map(({ status }) => status)]).toStrictEqual([0, ["not_run"]]);
  });

  it("is refused nothing by an enforcement point that observes", async () => {
    const seen: string[] = [];
    const { pdp, call } = await scene({ decide: () => Promise.resolve({ decision: false, context: { id: "dec_7", refusal: REFUSAL } }) });
    const pep = createPep({ pdp, agent: "agent", mode: "observe", onObserved: ({ refusal }) => seen.push(refusal.code), now: () => NOW });
    const asked = await pep.ask(call());
    expect([asked.refused, (await asked.admit()).admitted, seen]).toStrictEqual([undefined, true, [REFUSAL.code]]);
    expect(pdp.asks("decide")).toHaveLength(1);
  });
});
