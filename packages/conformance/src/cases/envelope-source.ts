import type { EnvelopeSource, Task } from "@ambit/core";
import { expect } from "../runner.ts";
import { casesFor, type Group } from "../case.ts";
import type { Harness } from "../harness.ts";
import { enforcement, scriptedPdp } from "../scripted-pdp.ts";
import { CALL, expectRefused, runOne, watch } from "../watch.ts";

const NONE: readonly (readonly [title: string, source: unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["a text", "env_1"],
  ["an object that is no task", { envelopeId: "env_1", envelope: {} }],
  ["a function without one", () => undefined],
  ["a function that promises none", async () => undefined],
  [
    "a function that throws",
    () => {
      throw new Error("no session");
    },
  ],
  ["a function that rejects", () => Promise.reject(new Error("no session"))],
];

/** Lists ask for the envelope as well; here it is not theirs that is counted. */
async function callsOnly(pdp: ReturnType<typeof scriptedPdp>): ReturnType<typeof enforcement> {
  const { pep, task } = await enforcement(pdp);
  return { pep: { ...pep, offers: async (_, names) => new Set(names) }, task };
}

/** Where a call gets its envelope from. */
export function envelopeSources(harness: Harness): Group {
  const { about } = casesFor(harness);
  const refuses = async (source: EnvelopeSource, code: "envelope_malformed" | "pdp_timeout"): Promise<void> => {
    const pdp = scriptedPdp();
    const { pep } = await enforcement(pdp, code === "pdp_timeout" ? 60 : 5000);
    const { tool, ran } = watch(harness);
    const { shown } = await runOne(harness, { pep, envelope: source, tool });
    expectRefused(shown, code);
    expect([ran, pdp.asked]).toEqual([[], []]);
  };
  return {
    title: "an envelope",
    cases: [
      ...NONE.map(([title, source]) =>
        about(`that is ${title} refuses every call, and nobody is asked`, () => refuses(source as EnvelopeSource, "envelope_malformed")),
      ),
      about("whose function never answers refuses every call", () => refuses(() => new Promise(() => undefined), "pdp_timeout")),
      about("that is a copy of a task refuses every call", async () => {
        const { task } = await enforcement(scriptedPdp());
        await refuses({ ...task }, "envelope_malformed");
      }),
      about("that a function gives is asked for at every call, so that each request has its own", async () => {
        const pdp = scriptedPdp();
        const { pep, task } = await callsOnly(pdp);
        const { task: other } = await enforcement(pdp);
        let asked = 0;
        const source = async (): Promise<Task> => (asked++ === 0 ? task : other);
        const { tool } = watch(harness);
        for (const id of ["call-1", "call-2"]) await runOne(harness, { pep, envelope: source, tool, call: { ...CALL, id } });
        expect(asked).toBe(2);
        expect(pdp.asked.map(({ context }) => context.presentation)).toEqual([task, other].map(({ envelopeId }) => ({ kind: "handle", handle: envelopeId })));
      }),
      about("that is gone when the second call of a turn comes refuses that one alone", async () => {
        const pdp = scriptedPdp();
        const { pep, task } = await callsOnly(pdp);
        let asked = 0;
        const { tool, ran } = watch(harness);
        const calls = ["call-1", "call-2"].map((id) => ({ ...CALL, id }));
        const { shown } = await harness.run({ pep, envelope: () => (asked++ === 0 ? task : undefined), tools: [tool], calls });
        expect([ran.length, shown.filter(({ isError }) => isError).length]).toEqual([1, 1]);
      }),
    ],
  };
}
