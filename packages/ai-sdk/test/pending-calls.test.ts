import { describe, expect, test } from "vitest";
import { needsApproval } from "../src/needs-approval.ts";
import { createPendingCalls } from "../src/pending-calls.ts";
import type { ExecuteOptions } from "../src/to-call.ts";
import { deny, enforcement, fakePdp, permit, type FakePdp } from "./support/fake-pdp.ts";

async function stage(pdp: FakePdp = fakePdp()) {
  const { pep, task } = await enforcement(pdp);
  const calls = createPendingCalls(pep, { envelope: task, name: "search", definition: async () => undefined });
  const options = (change: Partial<ExecuteOptions> = {}): ExecuteOptions => ({ toolCallId: "call-1", messages: [{ role: "user", content: "go" }], ...change });
  return { pdp, calls, options };
}

describe("a call that the SDK asks about before it runs it", () => {
  test("is decided once, permitted or refused, and redeemed when it runs", async () => {
    for (const pdp of [fakePdp(), fakePdp({ decide: async () => deny() })]) {
      const { calls, options } = await stage(pdp);
      const [input, given] = [{ topic: "x" }, options()];
      await calls.hasToWait(input, given);
      expect(pdp.redeemed).toEqual([]);
      const { admitted } = await calls.admit(input, given);
      expect([pdp.asked.length, pdp.redeemed.length]).toEqual([1, admitted ? 1 : 0]);
    }
  });

  test("runs with what was decided, whatever happened to its input meanwhile", async () => {
    const { calls, options } = await stage();
    const [input, given] = [{ topic: "x" }, options()];
    await calls.hasToWait(input, given);
    input.topic = "everything";
    expect(await calls.admit(input, given)).toMatchObject({ admitted: true, arguments: { topic: "x" } });
  });

  test.each<[string, (given: ExecuteOptions) => readonly [unknown, ExecuteOptions | undefined]]>([
    ["its second run", (given) => [undefined, given]],
    ["another input, though it is equal", (given) => [{ topic: "x" }, given]],
    ["another id", (given) => [undefined, { ...given, toolCallId: "call-2" }]],
    ["another history", (given) => [undefined, { ...given, messages: [...given.messages] }]],
    ["no options", () => [undefined, undefined]],
  ])("is another question for %s", async (which, change) => {
    const { calls, options, pdp } = await stage();
    const [input, given] = [{ topic: "x" }, options()];
    await calls.hasToWait(input, given);
    if (which === "its second run") await calls.admit(input, given);
    const [other = input, otherOptions] = change(given);
    await calls.admit(other, otherOptions);
    expect(pdp.asked).toHaveLength(2);
  });

  test.each([undefined, null, "x", 7])("is asked about again when its input is %s, which nobody can hold on to", async (input) => {
    const { calls, options, pdp } = await stage();
    const given = options();
    expect(await calls.hasToWait(input, given)).toBe(false);
    await calls.admit(input, given);
    expect(pdp.asked).toHaveLength(2);
  });

  test("is asked about again when it had to wait, since whoever runs it in the same step has waited for an answer", async () => {
    let isApproved = false;
    const pdp = fakePdp({ decide: async () => (isApproved ? permit() : deny("approval_required")) });
    const { calls, options } = await stage(pdp);
    const [input, given] = [{ topic: "x" }, options()];
    expect(await calls.hasToWait(input, given)).toBe(true);
    isApproved = true;
    expect((await calls.admit(input, given)).admitted).toBe(true);
  });

  test("pauses although it is permitted only where the history says that an approval was asked for, not where it merely stands in it", async () => {
    const { calls, options, pdp } = await stage();
    const asks = needsApproval(calls, undefined);
    const call = { type: "tool-call", toolCallId: "call-1" };
    const shown = options({ messages: [{ role: "assistant", content: [call] }] });
    const waits = options({ messages: [{ role: "assistant", content: [call, { type: "tool-approval-request", toolCallId: "call-1" }] }] });
    expect([await asks({ topic: "x" }, shown), await asks({ topic: "x" }, waits)]).toEqual([false, true]);
    expect(pdp.asked).toHaveLength(1);
  });

  test("is not run by whoever has given up meanwhile", async () => {
    const { calls, options, pdp } = await stage();
    const abort = new AbortController();
    const [input, given] = [{ topic: "x" }, options({ abortSignal: abort.signal })];
    await calls.hasToWait(input, given);
    abort.abort();
    expect(await calls.admit(input, given)).toMatchObject({ admitted: false, refused: { refusal: { code: "call_aborted" } } });
    expect(pdp.settled.map(({ status }) => status)).toEqual(["not_run"]);
  });
});
