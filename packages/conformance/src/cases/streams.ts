import type { Obligation } from "@ambit/core";
import { expect } from "../runner.ts";
import { casesFor, type Group } from "../case.ts";
import type { Harness, KitTool } from "../harness.ts";
import { deny, enforcement, permit, scriptedPdp, type ScriptedPdp } from "../scripted-pdp.ts";
import { eventually, expectRefused, runOne, watch, type Ending } from "../watch.ts";

const LIMIT: Obligation = { id: "o1", type: "limit_records", properties: { pointer: "/records", max: 1 } };
const RESULT = { records: [{ id: "record-1" }, { id: "canary-9c3b" }] };

async function* reports(): AsyncGenerator<unknown, unknown, undefined> {
  yield "half of record-1";
  yield "half of canary-9c3b";
  return RESULT;
}

/** A tool that reports something on the way to its result. */
export function streamingTools(harness: Harness): Group {
  const { needing } = casesFor(harness);
  const end = async (
    pdp: ScriptedPdp,
    isStreamed = false,
    stream: NonNullable<KitTool["stream"]> = reports,
  ): Promise<Ending & { readonly ran: readonly unknown[] }> => {
    const { pep, task } = await enforcement(pdp, 5000);
    const { tool, ran } = watch(harness, { stream });
    return { ...(await runOne(harness, { pep, envelope: task, tool, isStreamed })), ran };
  };
  const about = (title: string, run: () => Promise<void>) => needing("streamingTools", title, run);
  const both = harness.cannot?.streamedRuns === undefined ? [false, true] : [false];
  return {
    title: "a tool that reports on its way",
    cases: both.flatMap((isStreamed) => {
      const where = isStreamed ? " (a run that is read as a stream)" : "";
      return [
        about(`still does where somebody can hear it, and is settled when it ends${where}`, async () => {
          const pdp = scriptedPdp();
          const { shown, everything, ran } = await end(pdp, isStreamed);
          if (isStreamed || both.length === 1) expect(everything).toContain("half of record-1");
          expect([shown.isError, shown.text.includes("canary-9c3b"), ran.length]).toEqual([false, true, 1]);
          expect(pdp.settled.map(({ status }) => status)).toEqual(["done"]);
        }),
        about(`does not start when it is refused${where}`, async () => {
          const { shown, everything, ran } = await end(scriptedPdp({ decide: async () => deny() }), isStreamed);
          expect(ran).toEqual([]);
          expectRefused(shown, "policy_denied");
          expect(everything).not.toContain("half of");
        }),
        about(`reports nothing while its result has to be checked${where}`, async () => {
          const pdp = scriptedPdp({ decide: async () => permit(LIMIT) });
          const { shown, everything } = await end(pdp, isStreamed);
          expect([shown.isError, shown.text.includes("record-1")]).toEqual([false, true]);
          expect(everything).not.toContain("canary-9c3b");
          expect(pdp.settled).toMatchObject([{ status: "done", records: 1 }]);
        }),
        about(`and breaks half-way is settled as failed${where}`, async () => {
          const pdp = scriptedPdp();
          const { shown } = await end(pdp, isStreamed, async function* () {
            yield "half";
            throw new Error("broken");
          });
          expect([shown.isError, shown.text.includes("broken")]).toEqual([true, true]);
          await eventually(() => expect(pdp.settled.map(({ status }) => status)).toEqual(["failed"]));
        }),
      ];
    }),
  };
}
