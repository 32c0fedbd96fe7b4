import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/pdp/pdp.ts";
import { NOW, permit, scene } from "../support/fake-pdp.ts";

const never = (): never => {
  throw new Error("the tool ran");
};
const settled = (outcomes: readonly Outcome[]): readonly string[] => outcomes.map(({ status }) => status);

describe("an admission", () => {
  const admitted = async (answers: Parameters<typeof scene>[0] = {}) => {
    const { pdp, pep, call } = await scene(answers);
    const admission = await pep.admit(call());
    if (!admission.admitted) throw new Error("not admitted");
    return { pdp, admission };
  };

  it("ends once: what is completed again is the first result again", async () => {
    const { pdp, admission } = await admitted();
    expect(await admission.complete("first")).toStrictEqual({ released: true, result: "first" });
    expect(await admission.complete("second")).toStrictEqual({ released: true, result: "first" });
    await admission.fail(new Error("late"));
    await admission.abandon();
    expect(settled(pdp.asks("settle"))).toStrictEqual(["done"]);
  });

  it("that was never sent to the tool says so, and that nobody else will run it", async () => {
    const { pdp, admission } = await admitted();
    await admission.cancel();
    expect(pdp.asks("settle")).toMatchObject([{ status: "not_run", decisionId: "dec_1", redeemed: true }]);
  });

  it.each(["fail", "abandon", "cancel"] as const)("releases nothing after `%s`", async (ending) => {
    const { pdp, admission } = await admitted();
    await admission[ending](new Error("e"));
    expect(await admission.complete("secret")).toMatchObject({ released: false, refused: { refusal: { code: "grant_replayed" } } });
    expect(settled(pdp.asks("settle"))).toStrictEqual([{ fail: "failed", abandon: "unknown", cancel: "not_run" }[ending]]);
  });

  it("withholds the result when its outcome cannot be recorded", async () => {
    const failures = [
      () => Promise.reject(new Error("disk")),
      () => new Promise(() => {}),
      () => Promise.resolve({ recorded: false }),
      () => Promise.resolve(undefined),
      () => Promise.resolve("ok"),
    ];
    for (const settle of failures) {
      const { admission } = await admitted({ settle });
      expect(await admission.complete("secret")).toMatchObject({
        released: false,
        refused: { kind: "deny", decisionId: "dec_1", refusal: { retryable: false } },
      });
    }
  });

  it("says whether the result must be held back", async () => {
    expect((await admitted()).admission.holdsResult).toBe(false);
    const label = { id: "o", type: "label_output", properties: { integrity: "untrusted", data_classes: ["x"] } } as const;
    expect((await admitted({ decide: () => Promise.resolve(permit([label])) })).admission.holdsResult).toBe(false);
    const limit = { id: "o", type: "limit_records", properties: { pointer: "", max: 1 } } as const;
    expect((await admitted({ decide: () => Promise.resolve(permit([limit])) })).admission.holdsResult).toBe(true);
  });

  it("needs a grant that has not expired", async () => {
    for (const expiresAt of [NOW, NOW - 1, 0, -1]) {
      const { pdp, pep, call } = await scene({ decide: () => Promise.resolve(permit([], { id: "g", expiresAt })) });
      expect(await pep.enforce(call(), never)).toMatchObject({ refused: { refusal: { code: "grant_invalid" } } });
      expect(pdp.asks("redeem")).toHaveLength(0);
      expect(settled(pdp.asks("settle"))).toStrictEqual(["not_run"]);
    }
  });
});
