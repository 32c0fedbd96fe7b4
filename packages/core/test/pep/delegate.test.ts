import { describe, expect, it } from "vitest";
import { delegate } from "../../src/pep/delegate.ts";
import { REFUSAL, scene } from "../support/fake-pdp.ts";

const never = (): never => {
  throw new Error("the other agent ran");
};

describe("delegate", () => {
  it("runs the other agent with its own envelope and enforcement point, and ends the envelope after", async () => {
    const { pdp, pep, task } = await scene();
    const order: string[] = [];
    const enforced = await delegate(pep, task, { agentId: "other" }, async (child) => {
      order.push(child.pep.agent, child.task.envelopeId, `ended ${pdp.asks("end").length}`);
      await child.pep.enforce({ envelope: child.task, tool: "t", arguments: {} }, () => order.push("called"));
      return "done";
    });
    expect(enforced).toMatchObject({ result: "done" });
    expect(order).toStrictEqual(["other", "env_2", "ended 0", "called"]);
    expect(pdp.asks("end")).toMatchObject([{ agent: "agent" }]);
    expect(pdp.asks("decide")).toMatchObject([{ context: { agent: "other" } }]);
  });

  it("takes a source, and denies without an envelope", async () => {
    const { pep, task } = await scene();
    expect(
      await delegate(
        pep,
        () => Promise.resolve(task),
        { agentId: "other" },
        () => 1,
      ),
    ).toMatchObject({ result: 1 });
    for (const source of [undefined, () => undefined, () => Promise.reject(new Error("e")), {}, { ...task }]) {
      expect(await delegate(pep, source as never, { agentId: "other" }, never)).toMatchObject({
        refused: { kind: "deny", refusal: { code: "envelope_malformed" } },
      });
    }
  });

  it("answers a refused hand-off with the refusal and the decision", async () => {
    const { pep, task } = await scene({ handOff: () => Promise.resolve({ decision: false, id: "dec_7", refusal: { ...REFUSAL, code: "hand_off_denied" } }) });
    expect(await delegate(pep, task, { agentId: "other" }, never)).toMatchObject({
      refused: { kind: "deny", decisionId: "dec_7", refusal: { code: "hand_off_denied" } },
    });
  });

  it("denies when nobody decides", async () => {
    for (const [handOff, code] of [
      [() => Promise.reject(new Error("secret")), "pdp_unavailable"],
      [() => new Promise(() => {}), "pdp_timeout"],
      [() => Promise.resolve({ decision: true }), "pdp_response_invalid"],
      [() => Promise.resolve(undefined), "pdp_response_invalid"],
    ] as const) {
      const { pep, task } = await scene({ handOff });
      expect(await delegate(pep, task, { agentId: "other" }, never)).toMatchObject({ refused: { refusal: { code } } });
    }
  });

  it("denies when the source of its envelope does not answer", async () => {
    const { pdp, pep } = await scene();
    expect(await delegate(pep, () => new Promise(() => {}), { agentId: "other" }, never)).toMatchObject({ refused: { refusal: { code: "pdp_timeout" } } });
    expect(pdp.asks("handOff")).toHaveLength(0);
  });

  it("denies options that are wrong", async () => {
    const { pep, task } = await scene();
    expect(await delegate(pep, task, { agentId: "other", expiresIn: "soon" }, never)).toMatchObject({ refused: { refusal: { code: "option_invalid" } } });
  });

  it("throws on what the other agent throws, and ends its envelope all the same", async () => {
    const failure = new Error("agent failed");
    const { pdp, pep, task } = await scene();
    await expect(delegate(pep, task, { agentId: "other" }, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(pdp.asks("end")).toHaveLength(1);
  });

  it("throws on what the other agent throws, even when its envelope cannot be ended", async () => {
    const failure = new Error("agent failed");
    const { pep, task } = await scene({ end: () => Promise.reject(new Error("down")) });
    await expect(delegate(pep, task, { agentId: "other" }, () => Promise.reject(failure))).rejects.toBe(failure);
  });

  it("refuses the result of an agent whose envelope cannot be ended", async () => {
    const { pep, task } = await scene({ end: () => Promise.reject(new Error("down")) });
    expect(await delegate(pep, task, { agentId: "other" }, () => "done")).toMatchObject({ refused: { kind: "deny", refusal: { code: "pdp_unavailable" } } });
  });
});
