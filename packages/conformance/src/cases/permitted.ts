import type { Pep } from "@ambit/core";
import { expect } from "../runner.ts";
import { casesFor, type Group } from "../case.ts";
import type { Harness, ModelCall } from "../harness.ts";
import { deny, enforcement, permit, scriptedPdp } from "../scripted-pdp.ts";
import { CALL, codeIn, everythingOf, expectRefused, runOne, watch } from "../watch.ts";

/** A call that may run. */
export function permittedCalls(harness: Harness): Group {
  const { about, needing } = casesFor(harness);
  return {
    title: "a permitted call",
    cases: [
      about("runs once with the arguments that were decided, is decided, redeemed and settled once, and the model is shown its result", async () => {
        const pdp = scriptedPdp();
        const { tool, ran } = watch(harness);
        const { pep, task } = await enforcement(pdp);
        const { shown, everything } = await runOne(harness, { pep, envelope: task, tool });
        expect(ran).toEqual([CALL.args]);
        expect(pdp.asked.map(({ context }) => context.arguments)).toEqual([CALL.args]);
        expect(pdp.redeemed.map(({ callId, callDigest }) => [callId, callDigest])).toEqual(
          pdp.asked.map(({ context }) => [context.call_id, context.call_digest]),
        );
        expect(pdp.settled.map(({ status }) => status)).toEqual(["done"]);
        expect(shown.isError).toBe(false);
        expect(shown.text).toContain("the second note");
        // The harness sees what there is to see, or nothing that is found to be absent elsewhere would mean anything.
        expect(everything.split("the second note").length).toBeGreaterThan(2);
      }),
      about("is asked about by the tool's own name, the operator's name for the server, and the agent that holds the envelope", async () => {
        const pdp = scriptedPdp();
        const { pep, task } = await enforcement(pdp);
        await runOne(harness, { pep, envelope: task, tool: watch(harness).tool });
        const { action, context, subject } = pdp.asked[0] ?? {};
        expect([action?.name, action?.properties?.server, context?.agent, subject?.id]).toEqual(["notes_read", harness.server, "reviewer", "user_1"]);
        expect(context?.presentation).toEqual({ kind: "handle", handle: task.envelopeId });
      }),
      about("goes to the tool that was named, with its own arguments and under its own id", async () => {
        const pdp = scriptedPdp();
        const { pep, task } = await enforcement(pdp);
        const [first, second] = [
          watch(harness, { name: "first", run: () => "first answers" }),
          watch(harness, { name: "second", run: () => "second answers" }),
        ];
        const calls = [
          { id: "call-1", name: "second", args: { of: "second" } },
          { id: "call-2", name: "first", args: { of: "first" } },
        ];
        const turn = await harness.run({ pep, envelope: task, tools: [first.tool, second.tool], calls });
        expect([first.ran, second.ran]).toEqual([[{ of: "first" }], [{ of: "second" }]]);
        expect(turn.shown.map(({ id, isError }) => [id, isError])).toEqual([
          ["call-1", false],
          ["call-2", false],
        ]);
        for (const [at, answer] of ["second answers", "first answers"].entries()) expect(turn.shown[at]?.text).toContain(answer);
      }),
      about("is one of twenty in parallel, each decided, run and answered on its own", async () => {
        const pdp = scriptedPdp({ decide: async ({ context }) => (Number(context.arguments["n"]) % 2 === 0 ? permit() : deny()) });
        const { pep, task } = await enforcement(pdp, 10_000);
        const { tool, ran } = watch(harness, { run: (args) => `answer ${String((args as { n: number }).n)}.` });
        const calls = Array.from({ length: 20 }, (_, n): ModelCall => ({ id: `call-${n}`, name: tool.name, args: { n } }));
        const { shown } = await harness.run({ pep, envelope: task, tools: [tool], calls });
        expect(ran).toHaveLength(10);
        expect(new Set(pdp.asked.map(({ context }) => context.call_id)).size).toBe(20);
        expect(pdp.asked).toHaveLength(20);
        expect(pdp.redeemed).toHaveLength(10);
        expect(pdp.settled.map(({ status }) => status)).toEqual(Array(10).fill("done"));
        expect(shown.map(({ id }) => id)).toEqual(calls.map(({ id }) => id));
        for (const [n, each] of shown.entries()) {
          if (n % 2 === 1) expectRefused(each, "policy_denied");
          else expect([codeIn(each), each.text.includes(`answer ${n}.`)]).toEqual([undefined, true]);
        }
      }),
      needing("validation", "is decided after the framework's validation, defaults and transforms, and runs with exactly that", async () => {
        const pdp = scriptedPdp();
        const { pep, task } = await enforcement(pdp);
        const { tool, ran } = watch(harness, { input: "trimmed" });
        await runOne(harness, { pep, envelope: task, tool, call: { ...CALL, args: { topic: "  renewal " } } });
        expect(pdp.asked.map(({ context }) => context.arguments)).toEqual([{ topic: "renewal", limit: 10 }]);
        expect(ran).toEqual([{ topic: "renewal", limit: 10 }]);
      }),
      needing("validation", "whose arguments do not pass the framework's validation runs nothing, and the model is told", async () => {
        const pdp = scriptedPdp();
        const { pep, task } = await enforcement(pdp);
        const { tool, ran } = watch(harness, { input: "trimmed" });
        const { shown } = await runOne(harness, { pep, envelope: task, tool, call: { ...CALL, args: { topic: 7 } } });
        expect([ran, pdp.settled, shown.isError]).toEqual([[], [], true]);
      }),
      needing("directCalls", "runs with what was decided, whatever becomes of the arguments afterwards", async () => {
        const given = { topic: "renewal", nested: { list: [1, 2] } };
        const change = (): void => void Object.assign(given, { topic: "everything", nested: { list: [] }, more: true });
        const pdp = scriptedPdp({
          decide: async () => {
            change();
            return permit();
          },
          redeem: async () => {
            given.nested.list.push(3);
            return { redeemed: true, receipt: "receipt_1" };
          },
        });
        const { pep, task } = await enforcement(pdp);
        const { tool, ran } = watch(harness);
        await harness.call?.({ pep, envelope: task, tools: [tool] }, given);
        expect(given.topic).toBe("everything");
        expect(ran).toEqual([{ topic: "renewal", nested: { list: [1, 2] } }]);
        expect(pdp.asked[0]?.context.arguments).toEqual(ran[0]);
      }),
      about("runs with the arguments that the enforcement point hands out, and with no others", async () => {
        const { pep, task } = await enforcement(scriptedPdp());
        const handedOut = { topic: "as it was handed out" };
        const change = async (asking: ReturnType<Pep["admit"]>): ReturnType<Pep["admit"]> => {
          const admission = await asking;
          return admission.admitted ? { ...admission, arguments: handedOut } : admission;
        };
        const admit: Pep["admit"] = (call) => change(pep.admit(call));
        const ask: Pep["ask"] = async (call) => {
          const asked = await pep.ask(call);
          return { ...asked, admit: (signal) => change(asked.admit(signal)) };
        };
        const enforce: Pep["enforce"] = (call, run) => pep.enforce(call, () => run(handedOut));
        const { tool, ran } = watch(harness);
        await runOne(harness, { pep: { ...pep, ask, admit, enforce }, envelope: task, tool });
        expect(ran).toEqual([handedOut]);
      }),
      about("has arguments of its own: what a body does to them changes nothing of what was decided or is decided next", async () => {
        const pdp = scriptedPdp();
        const { pep, task } = await enforcement(pdp);
        const { tool, ran } = watch(harness, {
          run: (args) => {
            (args as { list: unknown[] }).list.push("spoiled");
            return "done";
          },
        });
        const args = { list: ["fresh"] };
        const calls = ["call-1", "call-2"].map((id) => ({ ...CALL, id, args }));
        await harness.run({ pep, envelope: task, tools: [tool], calls });
        expect(pdp.asked.map(({ context }) => context.arguments)).toEqual([{ list: ["fresh"] }, { list: ["fresh"] }]);
        expect(ran).toEqual([{ list: ["fresh"] }, { list: ["fresh"] }]);
      }),
      needing("streamedRuns", "runs once in a run that is read as a stream, too", async () => {
        const pdp = scriptedPdp();
        const { tool, ran } = watch(harness);
        const { pep, task } = await enforcement(pdp);
        const { turn, shown } = await runOne(harness, { pep, envelope: task, tool, isStreamed: true });
        expect(ran).toEqual([CALL.args]);
        expect([pdp.asked.length, pdp.redeemed.length, pdp.settled.map(({ status }) => status)]).toEqual([1, 1, ["done"]]);
        expect(shown.text).toContain("the second note");
        expect(everythingOf(turn)).toContain("the first note");
      }),
      about("keeps everything that there is to know of its tool", async () => {
        const { pep, task } = await enforcement(scriptedPdp());
        const { before, after } = await harness.describe(pep, task, watch(harness).tool);
        expect(JSON.stringify(before)).toContain("Reads notes.");
        expect(after).toEqual(before);
      }),
    ],
  };
}
