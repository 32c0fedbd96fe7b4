import { expect } from "../runner.ts";
import { casesFor, type Group } from "../case.ts";
import type { Harness, KitTool } from "../harness.ts";
import { enforcement, permit, scriptedPdp, type ScriptedPdp } from "../scripted-pdp.ts";
import { CALL, eventually, watch } from "../watch.ts";

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

/** A run that the application gives up. */
export function aborts(harness: Harness): Group {
  const { about, needing } = casesFor(harness);
  const giveUp = async (pdp: ScriptedPdp, abort: AbortController, change: Partial<KitTool> = {}, isStreamed = false): Promise<readonly unknown[]> => {
    const { pep, task } = await enforcement(pdp, 5000);
    const { tool, ran } = watch(harness, change);
    await harness.run({ pep, envelope: task, tools: [tool], calls: [CALL], signal: abort.signal, isStreamed });
    return ran;
  };
  const untilAborted = (abort: AbortController): NonNullable<KitTool["run"]> => {
    return (_, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
        setTimeout(() => abort.abort(), 10);
      });
  };
  return {
    title: "a run that is aborted",
    cases: [
      about("before it begins runs nothing and asks for nothing", async () => {
        const pdp = scriptedPdp();
        expect(await giveUp(pdp, Object.assign(new AbortController(), {}), {})).toHaveLength(1); // without an abort it does
        const abort = new AbortController();
        abort.abort();
        const other = scriptedPdp();
        expect(await giveUp(other, abort)).toEqual([]);
        await later();
        expect([other.asked.length, other.settled]).toEqual([0, []]);
      }),
      about("while the call is being decided never runs it, and waits for nobody", async () => {
        const abort = new AbortController();
        const pdp = scriptedPdp({
          decide: () => {
            abort.abort();
            return new Promise(() => undefined);
          },
        });
        expect(await giveUp(pdp, abort)).toEqual([]);
        await later();
        expect(pdp.settled).toEqual([]);
      }),
      about("while the call is being decided gives back what a late permit reserved", async () => {
        const abort = new AbortController();
        const pdp = scriptedPdp({
          decide: async () => {
            abort.abort();
            await later();
            return permit();
          },
        });
        expect(await giveUp(pdp, abort)).toEqual([]);
        await eventually(() => expect(pdp.settled.map(({ status }) => status)).toEqual(["not_run"]));
      }),
      about("between the decision and the tool never runs it, and what was reserved is given back", async () => {
        const abort = new AbortController();
        const pdp = scriptedPdp({
          redeem: async () => {
            abort.abort();
            await later();
            return { redeemed: true, receipt: "receipt_1" };
          },
        });
        expect(await giveUp(pdp, abort)).toEqual([]);
        await eventually(() => expect(pdp.settled.map(({ status }) => status)).toEqual(["not_run"]));
      }),
      about("while the tool runs leaves its outcome unknown", async () => {
        const abort = new AbortController();
        const pdp = scriptedPdp();
        expect(await giveUp(pdp, abort, { run: untilAborted(abort) })).toHaveLength(1);
        await eventually(() => expect(pdp.settled.map(({ status }) => status)).toEqual(["unknown"]));
      }),
      needing("streamingTools", "while a tool reports leaves its outcome unknown", async () => {
        const abort = new AbortController();
        const pdp = scriptedPdp();
        const stream: KitTool["stream"] = async function* (args, signal) {
          yield "half";
          return await untilAborted(abort)(args, signal);
        };
        expect(await giveUp(pdp, abort, { stream }, harness.cannot?.streamedRuns === undefined)).toHaveLength(1);
        await eventually(() => expect(pdp.settled.map(({ status }) => status)).toEqual(["unknown"]));
      }),
    ],
  };
}
