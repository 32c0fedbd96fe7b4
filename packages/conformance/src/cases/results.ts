import type { Obligation } from "@ambit/core";
import { expect } from "../runner.ts";
import { casesFor, type Case, type Group } from "../case.ts";
import type { Harness } from "../harness.ts";
import { enforcement, permit, scriptedPdp, type ScriptedPdp } from "../scripted-pdp.ts";
import { expectRefused, runOne, watch, type Ending } from "../watch.ts";

const CANARY = "canary-5f1d";
const records = (hidden: string): object => ({
  records: [
    { id: "record-1", owner: "mine", note: "shown" },
    { id: "record-2", owner: hidden, note: hidden },
  ],
});
const LIMIT: Obligation = { id: "o1", type: "limit_records", properties: { pointer: "/records", max: 1 } };
const FILTER: Obligation = { id: "o2", type: "filter_records", properties: { pointer: "/records/*/owner", kind: "equal", constraint: "mine" } };
const REDACT: Obligation = { id: "o3", type: "redact_fields", properties: { pointers: ["/records/*/owner", "/records/*/note"] } };
const ELSEWHERE: Obligation = { id: "o4", type: "limit_records", properties: { pointer: "/rows", max: 1 } };
const LABEL: Obligation = { id: "o5", type: "label_output", properties: { integrity: "untrusted", data_classes: [] } };

/** What is shown of a result, to the model, to the application, in streams and callbacks. */
export function results(harness: Harness): Group {
  const { about, needing } = casesFor(harness);
  const end = async (pdp: ScriptedPdp, result: string, isStreamed: boolean, returned: unknown = records(CANARY)): Promise<Ending> => {
    const { pep, task } = await enforcement(pdp, 5000);
    const { tool, ran } = watch(harness, { result, run: () => returned });
    const ending = await runOne(harness, { pep, envelope: task, tool, isStreamed });
    expect(ran).toHaveLength(1);
    return ending;
  };
  const under = (...obligations: readonly Obligation[]): ScriptedPdp => scriptedPdp({ decide: async () => permit(...obligations) });
  const cuts: readonly (readonly [string, readonly Obligation[]])[] = [
    ["limited", [LIMIT]],
    ["filtered", [FILTER]],
    ["redacted", [REDACT]],
    ["filtered, redacted and limited", [FILTER, REDACT, LIMIT, LABEL]],
  ];
  const forms = harness.results.flatMap((form): readonly Case[] => [
    about(`(${form}) with nothing to check in it is shown whole`, async () => {
      const pdp = under(LABEL);
      const { shown, everything } = await end(pdp, form, false);
      expect([shown.isError, shown.text.includes(CANARY), everything.includes("record-1")]).toEqual([false, true, true]);
      expect(pdp.settled.map(({ status }) => status)).toEqual(["done"]);
    }),
    ...cuts.map(([how, obligations]) =>
      about(`(${form}) that must be ${how} is shown so, and whole nowhere`, async () => {
        const pdp = under(...obligations);
        const { shown, everything } = await end(pdp, form, false);
        expect([shown.isError, shown.text.includes("record-1")]).toEqual([false, true]);
        expect(everything).not.toContain(CANARY);
        expect(pdp.settled.map(({ status }) => status)).toEqual(["done"]);
      }),
    ),
    about(`(${form}) in which nothing can be checked is withheld`, async () => {
      const pdp = under(ELSEWHERE);
      const { shown, everything } = await end(pdp, form, false);
      expectRefused(shown, "obligation_unsupported");
      expect(everything).not.toContain(CANARY);
      expect(pdp.settled.map(({ status }) => status)).toEqual(["withheld"]);
    }),
  ]);
  return {
    title: "a result",
    cases: [
      ...forms,
      needing("streamedRuns", "that must be cut is cut in a run that is read as a stream, too", async () => {
        const { shown, everything } = await end(under(LIMIT), harness.results[0], true);
        expect([shown.isError, shown.text.includes("record-1")]).toEqual([false, true]);
        expect(everything).not.toContain(CANARY);
      }),
      about("that is plain text cannot be checked, so it is withheld where it must be", async () => {
        const { shown, everything } = await end(under(LIMIT), harness.results[0], false, `there are two: ${CANARY}`);
        expectRefused(shown, "obligation_unsupported");
        expect(everything).not.toContain(CANARY);
      }),
      about("that says something else each time it is read is cut or withheld", async () => {
        for (const form of harness.results) {
          for (let honest = 0; honest < 6; honest++) {
            let reads = 0;
            const all = [{ id: "record-1" }, { id: CANARY }];
            const liar = Object.defineProperty({}, "records", { enumerable: true, get: () => (reads++ < honest ? all.slice(0, 1) : all) });
            const { everything } = await end(under(LIMIT), form, false, liar);
            expect(everything, `${form}, after ${honest} honest answers`).not.toContain(CANARY);
          }
        }
      }),
      about("that is changed after it was checked is shown as it was checked", async () => {
        const returned = { records: [{ id: "record-1", owner: "mine", note: "shown" }] };
        const change = async (): Promise<object> => {
          returned.records.push({ id: CANARY, owner: CANARY, note: CANARY });
          return { recorded: true };
        };
        const { everything } = await end(scriptedPdp({ decide: async () => permit(LIMIT), settle: change }), harness.results[0], false, returned);
        expect(everything).toContain("record-1");
        expect(everything).not.toContain(CANARY);
      }),
      ...[
        ["cannot be recorded", () => Promise.reject(new Error("disk full"))],
        ["is answered with nonsense when it is recorded", async () => ({ recorded: "true" })],
      ].map(([how, settle]) =>
        about(`whose outcome ${String(how)} is withheld`, async () => {
          const { shown, everything } = await end(scriptedPdp({ settle: settle as () => Promise<unknown> }), harness.results[0], false);
          expect(shown.isError).toBe(true);
          expect(everything).not.toContain(CANARY);
        }),
      ),
    ],
  };
}
