import type { Task } from "@ambit/core";
import { expect } from "../runner.ts";
import { casesFor, type Group } from "../case.ts";
import type { Harness } from "../harness.ts";
import { verdictOf, watch, type Watched } from "../watch.ts";
import { createWorld, type HoldingKind, type World } from "../world.ts";

const ARGS = { to: "c1", amount: 5 };

interface Stage extends World, Watched {
  readonly task: Task;
  /** Asks for the payment, in a run of its own. */
  pay(id: string, args?: Record<string, unknown>, task?: Task): Promise<string>;
}

/** Calls that wait for a person. */
export function approvals(harness: Harness, holding: HoldingKind): Group {
  const { about } = casesFor(harness);
  const stage = async (): Promise<Stage> => {
    const world = await createWorld({ holding, server: harness.server });
    const task = await world.begin();
    const { tool, ran } = watch(harness, { name: "payments_pay" });
    const pay: Stage["pay"] = (id, args = ARGS, under = task) => verdictOf(harness, world.pep, under, tool, { id, name: tool.name, args });
    return { ...world, task, tool, ran, pay };
  };
  return {
    title: `an approval (${holding})`,
    cases: [
      about("is waited for: before it the call never runs, after it the same call runs once", async () => {
        const { pay, ran, waiting, answer } = await stage();
        expect([await pay("call-1"), await pay("call-2")]).toEqual(["approval_required", "approval_required"]);
        expect(ran).toEqual([]);
        expect((await waiting()).map(({ request }) => [request.tool, request.arguments])).toEqual([["payments.pay", ARGS]]);
        await answer("approve");
        expect(await pay("call-3")).toBe("permit");
        expect(ran).toEqual([ARGS]);
      }),
      about("is good for one call: the next one waits again", async () => {
        const { pay, ran, answer, waiting } = await stage();
        await pay("call-1");
        await answer("approve");
        expect([await pay("call-2"), await pay("call-3")]).toEqual(["permit", "approval_required"]);
        expect([ran.length, (await waiting()).length]).toEqual([1, 1]);
      }),
      about("is not used again by a run that is played once more, ids and all", async () => {
        const { pay, ran, answer } = await stage();
        await pay("call-1");
        await answer("approve");
        expect(await pay("call-1")).toBe("permit");
        // Where the framework says that it is the same call, its grant is spent; elsewhere it is a new call, which waits.
        expect(["grant_replayed", "approval_required"]).toContain(await pay("call-1"));
        expect(ran).toHaveLength(1);
      }),
      about("is for these arguments: other ones wait, and the approved ones still run", async () => {
        const { pay, ran, answer } = await stage();
        await pay("call-1");
        await answer("approve");
        const others = [
          { to: "c1", amount: 6 },
          { to: "c2", amount: 5 },
          { to: "c1", amount: "5" },
        ].map((args, at) => pay(`other-${at}`, args));
        expect(await Promise.all(others)).toEqual(["approval_required", "approval_required", "argument_not_allowed"]);
        expect([await pay("call-2"), ran]).toEqual(["permit", [ARGS]]);
      }),
      about("is for this task", async () => {
        const { pay, ran, answer, begin } = await stage();
        await pay("call-1");
        await answer("approve");
        expect(await pay("call-2", ARGS, await begin())).toBe("approval_required");
        expect(ran).toEqual([]);
      }),
      about("that is refused lets nothing run", async () => {
        const { pay, ran, answer } = await stage();
        await pay("call-1");
        await answer("deny");
        expect([await pay("call-2"), ran]).toEqual(["approval_denied", []]);
      }),
      about("that is older than it may be lets nothing run, and is asked for anew", async () => {
        const { pay, ran, answer, begin, advance, waiting } = await stage();
        const task = await begin({ expiresIn: "1h" });
        await pay("call-1", ARGS, task);
        await answer("approve");
        advance(901_000);
        expect([await pay("call-2", ARGS, task), ran, (await waiting()).length]).toEqual(["approval_required", [], 1]);
      }),
      about("goes with the task: what is revoked meanwhile stays refused", async () => {
        const { pay, ran, answer, task } = await stage();
        await pay("call-1");
        await answer("approve");
        await task.end();
        expect([await pay("call-2"), ran]).toEqual(["envelope_revoked", []]);
      }),
      about("is used by one of twenty in parallel", async () => {
        const { tool, ran, pay, answer, pep, task } = await stage();
        await pay("call-0");
        await answer("approve");
        const calls = Array.from({ length: 20 }, (_, n) => ({ id: `call-${n + 1}`, name: tool.name, args: ARGS }));
        const { shown } = await harness.run({ pep, envelope: task, tools: [tool], calls });
        expect([ran.length, shown.filter(({ isError }) => !isError).length]).toEqual([1, 1]);
      }),
    ],
  };
}
