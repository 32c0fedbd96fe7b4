import { describe, expect, it } from "vitest";
import { AmbitError } from "../../src/errors.ts";
import type { Task } from "../../src/pep/task.ts";
import { CLAIMS, denial, issue, REFUSAL, scene } from "../support/fake-pdp.ts";

describe("an agent that inherits", () => {
  it("takes what is its own as it is", async () => {
    const { pdp, pep, task } = await scene();
    expect(await pep.inherit(task)()).toBe(task);
    expect(await pep.inherit(() => Promise.resolve(task))()).toBe(task);
    expect(await pep.inherit(undefined)()).toBeUndefined();
    expect(pdp.asks("handOff")).toHaveLength(0);
  });

  it("is handed off all that another agent has, once, by that agent", async () => {
    const { pdp, pep, task } = await scene();
    const inherit = pep.as("other").inherit(task);
    const [first, second] = await Promise.all([inherit(), inherit()]);
    expect(first).toBe(second);
    const { allowedTools, mayDelegate } = task.envelope;
    expect(pdp.asks("handOff")).toMatchObject([{ agent: "agent", narrowing: { agentId: "other", allowedTools, mayDelegate } }]);
  });

  it("is refused with the code of the hand-off, and asks again after", async () => {
    let isRefused = true;
    const refusedAnswer = { decision: false, id: "dec_9", refusal: { ...REFUSAL, code: "hand_off_denied" } };
    const { pdp, pep, task, call } = await scene({ handOff: async () => (isRefused ? refusedAnswer : issue({ ...CLAIMS, agent_id: "other" })) });
    const other = pep.as("other");
    const envelope = other.inherit(task);
    expect(await other.admit(call({ envelope }))).toMatchObject({ admitted: false, refused: { decisionId: "dec_9", refusal: { code: "hand_off_denied" } } });
    expect(pdp.asks("decide")).toHaveLength(0);
    await expect(other.handOff(envelope, { agentId: "third" })).rejects.toMatchObject({ code: "hand_off_denied", decisionId: "dec_9" });
    await expect(other.offers(envelope, ["read"])).rejects.toMatchObject({ code: "hand_off_denied" });
    isRefused = false;
    expect((await envelope())?.envelope.agentId).toBe("other");
    expect(pdp.asks("handOff")).toHaveLength(4);
  });

  it("inherits from the call within which it runs, where that goes on from the same task", async () => {
    const { pdp, pep, task, call } = await scene();
    const other = pep.as("other");
    const child = (await other.inherit(task)()) as Task;
    const within = async (agent: string): Promise<Task | undefined> => {
      const admission = await other.admit(call({ envelope: child }));
      if (!admission.admitted) throw new Error("refused");
      return admission.run(() => pep.as(agent).inherit(task)());
    };
    expect(await within("other")).toBe(child);
    await within("agent");
    expect(pdp.asks("handOff").at(-1)).toMatchObject({ agent: "other", narrowing: { agentId: "agent" } });
    expect(pdp.asks("handOff")).toHaveLength(2);
    expect(await pep.inherit(task)()).toBe(task);
  });
});

describe("an agent that is started where nobody knows within which call", () => {
  it("inherits from what it was given: this is a limit", async () => {
    const { pdp, pep, task, call } = await scene();
    const child = (await pep.as("other").inherit(task)()) as Task;
    // A worker that was there before the call does what others give it, in a context of its own.
    let give = (_work: () => Promise<unknown>): void => undefined;
    const worked = new Promise<() => Promise<unknown>>((resolve) => (give = resolve)).then((work) => work());
    const admission = await pep.as("other").admit(call({ envelope: child }));
    if (!admission.admitted) throw new Error("refused");
    admission.run(() => give(() => pep.as("third").inherit(task)()));
    await worked;
    expect(pdp.asks("handOff").at(-1)).toMatchObject({ agent: task.envelope.agentId, narrowing: { agentId: "third" } });
  });
});

describe("a source that throws", () => {
  it("is a deny with the code of the refusal that it met with, and without an envelope for anything else", async () => {
    const { pep, call } = await scene();
    const codeOf = async (error: unknown): Promise<unknown> => {
      const envelope = async (): Promise<never> => {
        throw error;
      };
      const admission = await pep.admit(call({ envelope }));
      return admission.admitted ? "admitted" : admission.refused.refusal.code;
    };
    expect(await codeOf(new AmbitError("policy_denied", "no", { decisionId: "dec_7" }))).toBe("policy_denied");
    expect(await codeOf(new AmbitError("option_invalid", "no"))).toBe("envelope_malformed");
    expect(await codeOf({ code: "policy_denied" })).toBe("envelope_malformed");
    expect(await codeOf(denial())).toBe("envelope_malformed");
  });
});
