import type { Admission, Pep } from "@ambit/core";
import { describe, expect, it } from "vitest";
import type { Harness, KitTool, Scene } from "../src/index.ts";
import { harness } from "./support/example.ts";
import { failedGroups } from "./support/failed-groups.ts";

/** The adapter of the README in front of an enforcement point, or around tools, that somebody has tampered with. */
function broken(change: (scene: Scene) => Partial<Scene>): Harness {
  const tamper = <T extends Omit<Scene, "calls">>(scene: T): T => ({ ...scene, ...change({ calls: [], ...scene }) });
  return { ...harness, run: (scene) => harness.run(tamper(scene)), call: async (scene, args) => harness.call?.(tamper(scene), args) };
}

function withAdmission(change: (admission: Admission, asked: unknown) => Partial<Admission>): Harness {
  return broken(({ pep }) => {
    const admit: Pep["admit"] = async (call) => {
      const admission = await pep.admit(call);
      return admission.admitted ? { ...admission, ...change(admission, call.arguments) } : admission;
    };
    return { pep: { ...pep, admit } };
  });
}

const withTools = (change: (tool: KitTool, scene: Scene) => Partial<KitTool>): Harness =>
  broken((scene) => ({ tools: scene.tools.map((tool) => ({ ...tool, ...change(tool, scene) })) }));

const NEVER_ASKS: Admission = {
  admitted: true,
  decisionId: "none",
  arguments: {},
  holdsResult: false,
  run: (body) => body(),
  uses: () => undefined,
  complete: async (result) => ({ released: true, result }),
  fail: async () => undefined,
  abandon: async () => undefined,
  pause: async () => undefined,
  cancel: async () => undefined,
};

const MUTANTS: readonly (readonly [flaw: string, harness: Harness, groups: readonly string[]])[] = [
  [
    "never asks",
    broken(({ pep }) => ({ pep: { ...pep, admit: async (call) => ({ ...NEVER_ASKS, arguments: call.arguments as Record<string, unknown> }) } })),
    ["a permitted call", "a refused call", "an envelope", "a result", "a tool that fails", "a run that is aborted", "an approval (handles)"],
  ],
  [
    "runs the arguments that came in instead of those that were decided",
    withAdmission((_, asked) => ({ arguments: asked as Record<string, unknown> })),
    ["a permitted call"],
  ],
  [
    "shows results as they are",
    withAdmission(({ complete }) => ({
      complete: async (result) => {
        await complete(result);
        return { released: true, result };
      },
    })),
    ["a result", "between decision and execution (handles)"],
  ],
  [
    "runs a call that was refused",
    broken(({ pep }) => ({
      pep: {
        ...pep,
        admit: async (call) => {
          const admission = await pep.admit(call);
          return admission.admitted ? admission : { ...NEVER_ASKS, arguments: call.arguments as Record<string, unknown> };
        },
      },
    })),
    ["a refused call", "an envelope", "between decision and execution (handles)", "a hand-off (handles)", "an approval (handles)"],
  ],
  [
    "runs the tool twice",
    withTools(({ run }) => ({
      run: async (args, signal) => {
        await run(args, signal);
        return run(args, signal);
      },
    })),
    ["a permitted call", "between decision and execution (handles)", "an approval (handles)"],
  ],
  [
    "says nothing to the model of a refusal",
    { ...harness, run: async (scene) => ({ ...(await harness.run(scene)), shown: [] }) },
    ["a permitted call", "a refused call"],
  ],
  [
    "shows a refusal as a success",
    {
      ...harness,
      run: async (scene) => {
        const turn = await harness.run(scene);
        return { ...turn, shown: turn.shown.map((shown) => ({ ...shown, isError: false })) };
      },
    },
    ["a refused call", "an envelope", "a result"],
  ],
  [
    "asks again when it was refused",
    broken(({ pep }) => ({
      pep: {
        ...pep,
        admit: async (call) => {
          const admission = await pep.admit(call);
          return admission.admitted ? admission : pep.admit(call);
        },
      },
    })),
    ["a refused call"],
  ],
  [
    "reports no outcome",
    withAdmission(() => ({ complete: async (result) => ({ released: true, result }), fail: async () => undefined, abandon: async () => undefined })),
    ["a permitted call", "a tool that fails", "a run that is aborted"],
  ],
  [
    "reports every outcome as done",
    withAdmission(({ complete }) => ({
      fail: async () => void (await complete(undefined)),
      abandon: async () => void (await complete(undefined)),
    })),
    ["a tool that fails", "a run that is aborted"],
  ],
  [
    "asks about another tool than it runs",
    broken(({ pep }) => ({ pep: { ...pep, admit: (call) => pep.admit({ ...call, tool: "crm.read_contact" }) } })),
    ["a permitted call", "the very same call has the very same verdict in every adapter (handles)"],
  ],
  [
    "keeps the envelope that it got first",
    broken(({ pep, envelope }) => {
      let first: ReturnType<Extract<typeof envelope, () => unknown>> | undefined;
      return { pep: { ...pep, admit: (call) => pep.admit({ ...call, envelope: () => (first ??= typeof envelope === "function" ? envelope() : envelope) }) } };
    }),
    ["an envelope"],
  ],
  [
    "does not hear that a run is aborted",
    broken(({ pep }) => ({ pep: { ...pep, admit: ({ signal: _, ...call }) => pep.admit(call) } })),
    ["a run that is aborted"],
  ],
  ["shows what a tool throws, whatever must be held back", withAdmission(() => ({ holdsResult: false })), ["a tool that fails"]],
  [
    "puts what it holds into what others see",
    {
      ...harness,
      run: async (scene) => {
        const task = typeof scene.envelope === "function" ? await scene.envelope() : scene.envelope;
        const hidden = task === undefined ? [] : Object.getOwnPropertySymbols(task).map((symbol) => (task as never)[symbol] as unknown);
        const turn = await harness.run(scene);
        return { ...turn, seen: [turn.seen, hidden.map((show) => (typeof show === "function" ? (show as () => unknown)() : show))] };
      },
    },
    ["between decision and execution (handles)", "between decision and execution (signed envelopes)"],
  ],
];

describe("an adapter that is broken does not pass", () => {
  it.each(MUTANTS)("when it %s", async (_, mutant, expected) => {
    expect(await failedGroups(mutant, expected)).toEqual(expected.toSorted());
  });
});
