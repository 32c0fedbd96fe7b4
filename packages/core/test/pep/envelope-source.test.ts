import { describe, expect, it } from "vitest";
import type { Task } from "../../src/pep/task.ts";
import type { ToolCall } from "../../src/pep/tool-call.ts";
import { HANDLE, scene } from "../support/fake-pdp.ts";

describe("a call without an envelope is a deny", () => {
  it.each([
    ["none", () => undefined],
    ["null", () => null],
    ["a source that has none", () => () => undefined],
    [
      "a source that throws",
      () => () => {
        throw new Error("e");
      },
    ],
    ["a source that rejects", () => () => Promise.reject(new Error("e"))],
    ["a copy of a task", (task: Task) => ({ ...task })],
    ["a task from JSON", (task: Task) => JSON.parse(JSON.stringify(task)) as unknown],
    ["an heir of a task", (task: Task) => Object.create(task) as unknown],
    ["an envelope", (task: Task) => task.envelope],
    ["text", () => HANDLE],
    ["a source of sources", (task: Task) => () => () => task],
    [
      "a presentation without a task",
      () => Object.defineProperty({}, Symbol.for("ambit.holding"), { value: () => ({ kind: "handle", handle: "h" }) }) as unknown,
    ],
  ])("%s", async (_, envelope: (task: Task) => unknown) => {
    const { pdp, pep, task, call } = await scene();
    const admission = await pep.admit(call({ envelope: envelope(task) as ToolCall["envelope"] }));
    expect(admission).toMatchObject({ admitted: false, refused: { kind: "deny", decisionId: "undecided", refusal: { code: "envelope_malformed" } } });
    expect(pdp.asks("decide")).toHaveLength(0);
  });

  it("and a source is asked anew at every call", async () => {
    const { pep, task, call } = await scene();
    let asked = 0;
    const envelope = (): Promise<Task | undefined> => Promise.resolve((asked += 1) === 1 ? task : undefined);
    expect(await pep.enforce(call({ envelope }), () => "ran")).toMatchObject({ result: "ran" });
    expect(await pep.enforce(call({ envelope }), () => "ran")).toMatchObject({ refused: { refusal: { code: "envelope_malformed" } } });
  });

  it("as is a call whose tool has no name that is text", async () => {
    const { pep, call } = await scene();
    for (const tool of [
      undefined,
      null,
      1n,
      ["contracts_read"],
      Symbol("s"),
      {
        toJSON: () => {
          throw new Error("e");
        },
      },
    ]) {
      expect(await pep.admit(call({ tool: tool as never }))).toMatchObject({ admitted: false, refused: { kind: "deny" } });
    }
  });
});
