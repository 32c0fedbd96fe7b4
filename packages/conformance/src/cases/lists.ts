import type { EnvelopeSource } from "@ambit/core";
import { expect } from "../runner.ts";
import { casesFor, type Group } from "../case.ts";
import type { Harness } from "../harness.ts";
import { enforcement, naming, scriptedPdp } from "../scripted-pdp.ts";
import { expectRefused, runOne, watch } from "../watch.ts";
import { createWorld, type HoldingKind } from "../world.ts";

const NAMES = ["first", "second", "third"] as const;
const toolsOf = (harness: Harness, names: readonly string[] = NAMES) => names.map((name) => watch(harness, { name }).tool);

/** What a decision point does instead of giving its terms. */
const UNTOLD: readonly (readonly [title: string, terms: () => unknown])[] = [
  ["rejects", () => Promise.reject(new Error("down"))],
  ["hangs", () => new Promise(() => undefined)],
  ["answers nothing", async () => undefined],
  ["names no tools", async () => ({ ...naming(() => true), toolId: undefined })],
  [
    "breaks over a name",
    async () => ({
      ...naming(() => true),
      toolId: () => {
        throw new Error("broken");
      },
    }),
  ],
];

/** Which tools are shown, whatever is decided when one of them is called. */
export function shownTools(harness: Harness): Group {
  const { needing } = casesFor(harness);
  const about = (title: string, run: () => Promise<void>) => needing("lists", title, run);
  const shown = async (pdp: ReturnType<typeof scriptedPdp>, envelope?: (task: EnvelopeSource) => EnvelopeSource, deadline = 5000) => {
    const { pep, task } = await enforcement(pdp, deadline);
    return harness.list?.({ pep, envelope: envelope === undefined ? task : envelope(task), tools: toolsOf(harness) });
  };
  /** Nothing, or an error instead. */
  const showsNothing = async (list: Promise<readonly string[] | undefined>): Promise<void> => expect(await list.catch(() => [])).toEqual([]);
  const without = [undefined, () => undefined, () => Promise.reject(new Error("no session"))] as const;
  return {
    title: "a list of tools",
    cases: [
      about("shows what the envelope could use, in the order of the framework, and asks for no decision", async () => {
        const pdp = scriptedPdp();
        expect(await shown(pdp)).toEqual(NAMES);
        expect([pdp.asked, pdp.redeemed, pdp.settled]).toEqual([[], [], []]);
      }),
      about("leaves out a tool that the envelope could never use", async () => {
        expect(await shown(scriptedPdp({ terms: async () => naming((name) => name !== "second") }))).toEqual(["first", "third"]);
        expect(await shown(scriptedPdp({ terms: async () => naming(() => false) }))).toEqual([]);
      }),
      about("asks for names as they are at the server that the calls go to", async () => {
        const terms = naming((name, server) => name === "third" && server === harness.server);
        expect(await shown(scriptedPdp({ terms: async () => terms }))).toEqual(["third"]);
      }),
      about("shows nothing without an envelope", async () => {
        for (const source of without) await showsNothing(shown(scriptedPdp(), () => source));
      }),
      about("is that of the envelope that there is when it is asked for", async () => {
        const sources: EnvelopeSource[] = [];
        const { pep, task } = await enforcement(scriptedPdp(), 5000);
        const scene = { pep, envelope: () => sources.at(-1) as undefined, tools: toolsOf(harness) };
        await showsNothing(harness.list?.(scene) ?? Promise.resolve(undefined));
        sources.push(task);
        expect(await harness.list?.(scene)).toEqual(NAMES);
      }),
      ...UNTOLD.map(([title, terms]) =>
        about(`shows nothing when the decision point, asked for its terms, ${title}`, () => showsNothing(shown(scriptedPdp({ terms }), undefined, 60))),
      ),
    ],
  };
}

/** The same before a real decision point, where a list and a decision must agree. */
export function offeredTools(harness: Harness, holding: HoldingKind): Group {
  const { needing } = casesFor(harness);
  const names = ["crm_read", "contracts_read", "notes_read", "nobody_knows", "crm.read"];
  return {
    title: `a list of tools and the decision (${holding})`,
    cases: [
      needing("lists", "agree: what is not shown is refused when it is called all the same", async () => {
        const world = await createWorld({ holding, server: harness.server });
        const envelope = await world.begin({ allowedTools: ["crm.read", "contracts.read"], deniedTools: ["contracts.read"] });
        const scene = { pep: world.pep, envelope };
        expect(await harness.list?.({ ...scene, tools: toolsOf(harness, names) })).toEqual(["crm_read"]);
        expect(world.records("decision")).toEqual([]);
        for (const [name, args, code] of [
          ["contracts_read", { contract_id: "k1" }, "tool_not_allowed"],
          ["notes_read", {}, "tool_not_allowed"],
          ["nobody_knows", {}, "tool_unmapped"],
        ] as const) {
          const { tool, ran } = watch(harness, { name });
          expectRefused((await runOne(harness, { ...scene, tool, call: { id: "call-1", name, args } })).shown, code);
          expect(ran).toEqual([]);
        }
      }),
    ],
  };
}
