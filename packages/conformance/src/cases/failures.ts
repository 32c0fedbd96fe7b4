import type { Obligation } from "@ambit/core";
import { expect } from "../runner.ts";
import { casesFor, type Group } from "../case.ts";
import type { Harness, KitTool } from "../harness.ts";
import { enforcement, permit, scriptedPdp } from "../scripted-pdp.ts";
import { codeIn, runOne, watch } from "../watch.ts";

const LIMIT: Obligation = { id: "o1", type: "limit_records", properties: { pointer: "/records", max: 1 } };
const REDACT: Obligation = { id: "o2", type: "redact_fields", properties: { pointers: ["/records/*/note"] } };
const fail = (text: string) => (): never => {
  throw new RangeError(text);
};

/** A tool that fails. */
export function failures(harness: Harness): Group {
  const { about, needing } = casesFor(harness);
  const end = async (change: Partial<KitTool>, ...obligations: readonly Obligation[]) => {
    const pdp = scriptedPdp({ decide: async () => permit(...obligations) });
    const { pep, task } = await enforcement(pdp, 5000);
    const { tool, ran } = watch(harness, change);
    const ending = await runOne(harness, { pep, envelope: task, tool });
    expect(ran).toHaveLength(1);
    expect(codeIn(ending.shown)).toBe(undefined);
    return { ...ending, pdp };
  };
  return {
    title: "a tool that fails",
    cases: [
      about("by throwing is settled as failed, and the model is shown the error as the framework shows errors", async () => {
        const { shown, pdp } = await end({ run: fail("no such contract") });
        expect([shown.isError, shown.text.includes("no such contract")]).toEqual([true, true]);
        expect(pdp.settled.map(({ status }) => status)).toEqual(["failed"]);
      }),
      about("later is settled as failed as well", async () => {
        const { shown, pdp } = await end({ run: () => Promise.reject(new Error("no such contract")) });
        expect([shown.isError, shown.text.includes("no such contract")]).toEqual([true, true]);
        expect(pdp.settled.map(({ status }) => status)).toEqual(["failed"]);
      }),
      about("by throwing what is no error is settled as failed, and the run goes on", async () => {
        for (const thrown of ["down", { code: 7 }]) {
          const { shown, pdp } = await end({ run: () => Promise.reject(thrown) });
          expect(shown.isError).toBe(true);
          expect(pdp.settled.map(({ status }) => status)).toEqual(["failed"]);
        }
      }),
      needing("errorValues", "by saying so is settled as failed, without records, and the model is shown it as an error", async () => {
        for (const obligations of [[], [LIMIT]]) {
          const { shown, pdp } = await end({ run: fail("no such contract"), failure: "value" }, ...obligations);
          expect([shown.isError, shown.text.includes("no such contract")]).toEqual([true, true]);
          expect(pdp.settled.map(({ status, records = 0 }) => [status, records])).toEqual([["failed", 0]]);
        }
      }),
      needing("errorValues", "by saying so says nothing in which fields must be redacted", async () => {
        const pdp = scriptedPdp({ decide: async () => permit(REDACT) });
        const { pep, task } = await enforcement(pdp, 5000);
        const { tool } = watch(harness, { run: fail("no contract for canary-6a2e"), failure: "value" });
        const { shown, everything } = await runOne(harness, { pep, envelope: task, tool });
        expect(shown.isError).toBe(true);
        expect(everything).not.toContain("canary-6a2e");
      }),
      about("by throwing says nothing in which fields must be redacted", async () => {
        const { shown, everything, pdp } = await end({ run: fail("no contract for canary-6a2e") }, REDACT);
        expect(shown.isError).toBe(true);
        expect(everything).not.toContain("canary-6a2e");
        expect(pdp.settled.map(({ status }) => status)).toEqual(["failed"]);
      }),
    ],
  };
}
