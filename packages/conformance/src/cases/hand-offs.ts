import type { HandOffOptions, Task } from "@ambit/core";
import { expect } from "../runner.ts";
import { casesFor, type Group } from "../case.ts";
import type { Harness, KitHandOff, Turn } from "../harness.ts";
import { codeIn, everythingOf, verdictOf, watch } from "../watch.ts";
import { createWorld, type HoldingKind, type World } from "../world.ts";

const TO: HandOffOptions = { agentId: "classifier", purpose: "classify", allowedTools: ["crm.read"] };
const CRM = { id: "child-1", name: "crm_read", args: { customer_id: "c1", limit: 1 } };
const RECORDS = { records: [{ customer_id: "c1" }] };

/** What one agent gives to another. */
export function handOffs(harness: Harness, holding: HoldingKind): Group {
  const { about, needing } = casesFor(harness);
  const create = (): Promise<World> => createWorld({ holding, server: harness.server });
  const crm = () => watch(harness, { name: CRM.name, run: () => RECORDS });

  /** A model that hands off with `to`; `run` is the other agent. */
  const handOff = async (world: World, to: HandOffOptions, run: KitHandOff["run"], task?: Task): Promise<Turn> => {
    const delegate: KitHandOff = { name: "classify", description: "Classifies a clause.", to, run };
    const scene = { pep: world.pep, envelope: task ?? (await world.begin()), tools: [], handOffs: [delegate] };
    return harness.run({ ...scene, calls: [{ id: "call-1", name: "classify", args: { clause: "7" } }] });
  };

  const wider: readonly (readonly [title: string, to: HandOffOptions])[] = [
    ["a further tool", { ...TO, allowedTools: ["crm.read", "notes.read"] }],
    ["more records", { ...TO, resourceConstraints: { max_records: 26 } }],
    ["another customer", { ...TO, resourceConstraints: { customer_id: "c2" } }],
    ["a wider data class", { ...TO, resourceConstraints: { data_classes: ["salary"] } }],
    ["a later end", { ...TO, expiresIn: "11m" }],
    ["another budget", { ...TO, budgets: { tools: { "quota.read": { calls: 1 } } } }],
  ];
  return {
    title: `a hand-off (${holding})`,
    cases: [
      needing("handOffs", "runs the other agent with what the model said, under an envelope of its own that ends with it", async () => {
        const world = await create();
        const { tool, ran } = crm();
        const seen: unknown[] = [];
        let child: Task | undefined;
        const turn = await handOff(world, TO, async ({ pep, task, input }) => {
          child = task;
          seen.push(pep.agent, task.depth, input);
          return verdictOf(harness, pep, task, tool, CRM);
        });
        expect(turn.shown.map(({ isError, text }) => [isError, text.includes("permit")])).toEqual([[false, true]]);
        expect(seen).toEqual(["classifier", 1, { clause: "7" }]);
        expect(ran).toEqual([CRM.args]);
        expect(world.records("hand_off").map(({ details }) => details["decision"])).toEqual(["permit"]);
        expect(await verdictOf(harness, world.pep.as("classifier"), child, tool, { ...CRM, id: "child-2" })).toBe("envelope_revoked");
        expect(ran).toHaveLength(1);
        expect(world.secrets.length).toBeGreaterThan(0);
        for (const secret of world.secrets)
          expect(everythingOf(turn).includes(secret), "a handle, a token, a proof, a grant or a receipt was seen").toBe(false);
      }),
      ...wider.map(([title, to]) =>
        needing("handOffs", `that asks for ${title} never runs the other agent, and looks to the model like a refused call`, async () => {
          const world = await create();
          const received: unknown[] = [];
          const { shown, failure } = await handOff(world, to, async ({ input }) => received.push(input));
          expect([received, failure]).toEqual([[], undefined]);
          expect(shown.map(codeIn)).toEqual(["not_narrower"]);
        }),
      ),
      needing("handOffs", "without an envelope never runs the other agent", async () => {
        const world = await create();
        const received: unknown[] = [];
        const delegate: KitHandOff = { name: "classify", description: "d", to: TO, run: async () => received.push("ran") };
        const calls = [{ id: "call-1", name: "classify", args: {} }];
        const { shown } = await harness.run({ pep: world.pep, envelope: undefined, tools: [], handOffs: [delegate], calls });
        expect(shown.map(codeIn)).toEqual(["envelope_malformed"]);
        expect(received).toEqual([]);
      }),
      needing("handOffs", "whose agent fails ends its envelope all the same", async () => {
        const world = await create();
        let child: Task | undefined;
        const { shown, failure } = await handOff(world, TO, async ({ task }) => {
          child = task;
          throw new Error("lost");
        });
        expect([failure, shown[0]?.isError]).toEqual([undefined, true]);
        expect(await verdictOf(harness, world.pep.as("classifier"), child, crm().tool, CRM)).toBe("envelope_revoked");
      }),
      about("that the application makes cannot be wider than what it is made of", async () => {
        const world = await create();
        const task = await world.begin();
        for (const [, to] of wider) await expect(world.pep.handOff(task, to)).rejects.toMatchObject({ code: "not_narrower" });
      }),
      about("shares its parent's budget with it, under the ceiling of its own agent", async () => {
        const world = await create();
        const task = await world.begin({ budgets: { calls: 2 } });
        const { tool, ran } = crm();
        const child = await world.pep.handOff(task, TO);
        const theirs = world.pep.as("classifier");
        expect(await verdictOf(harness, theirs, child, tool, { ...CRM, id: "a", args: { customer_id: "c1", limit: 11 } })).toBe("argument_not_allowed");
        expect(await verdictOf(harness, theirs, child, tool, { ...CRM, id: "b" })).toBe("permit");
        expect(await verdictOf(harness, world.pep, task, tool, { ...CRM, id: "c" })).toBe("permit");
        expect(await verdictOf(harness, theirs, child, tool, { ...CRM, id: "d" })).toBe("budget_exhausted");
        expect(ran).toHaveLength(2);
      }),
      about("is revoked with its parent", async () => {
        const world = await create();
        const task = await world.begin();
        const { tool, ran } = crm();
        const child = await world.pep.handOff(task, TO);
        expect(await verdictOf(harness, world.pep.as("classifier"), child, tool, { ...CRM, id: "a" })).toBe("permit");
        await task.end();
        expect(await verdictOf(harness, world.pep.as("classifier"), child, tool, { ...CRM, id: "b" })).toBe("envelope_revoked");
        expect(ran).toHaveLength(1);
      }),
      about("gives nothing to an agent that it was not made for", async () => {
        const world = await create();
        const child = await world.pep.handOff(await world.begin(), TO);
        const { tool, ran } = crm();
        expect(await verdictOf(harness, world.pep, child, tool, CRM)).toMatch(/^(holder_mismatch|pop_invalid)$/);
        expect(ran).toEqual([]);
      }),
    ],
  };
}
