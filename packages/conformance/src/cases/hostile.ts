import { expect } from "../runner.ts";
import type { Case, Group } from "../case.ts";
import type { Harness, ModelCall, Turn } from "../harness.ts";
import { enforcement, scriptedPdp } from "../scripted-pdp.ts";
import { watch } from "../watch.ts";
import type { ToolArguments, ToolNames } from "../vectors.ts";
import { createWorld } from "../world.ts";

/** Names that a model, or a server, may come up with. */
const NAMES = [
  "constructor",
  "__proto__",
  "toString",
  "hasOwnProperty",
  "prototype",
  "",
  " ",
  "*",
  "notes_read ",
  "Notes_read",
  "notes_read\0",
  "notes-read",
  "notes_read/../x",
];

/** Names and arguments that are made to be taken for others. `names` and `args` are the public vectors, where they are at hand. */
export function hostileCalls(harness: Harness, names: ToolNames | undefined, args: ToolArguments | undefined): Group {
  const absent = "the vectors are not at hand";
  return {
    title: "a hostile call",
    cases: [
      {
        title: "by a name that no tool has runs nothing, and asks for nothing to run",
        run: async () => {
          for (const name of NAMES) {
            const pdp = scriptedPdp();
            const { pep, task } = await enforcement(pdp, 5000);
            const { tool, ran } = watch(harness);
            await harness.run({ pep, envelope: task, tools: [tool], calls: [{ id: "call-1", name, args: {} }] });
            expect(ran, JSON.stringify(name)).toEqual([]);
            expect(
              pdp.asked.filter(({ action }) => action.name === tool.name),
              JSON.stringify(name),
            ).toEqual([]);
          }
        },
      },
      {
        title: "by whatever name a tool has is decided by exactly that name",
        run: async () => {
          let total = 0;
          for (const name of NAMES) {
            const pdp = scriptedPdp();
            const { pep, task } = await enforcement(pdp, 5000);
            const { tool, ran } = watch(harness, { name });
            await harness.run({ pep, envelope: task, tools: [tool], calls: [{ id: "call-1", name, args: {} }] });
            expect(ran.length, JSON.stringify(name)).toBeLessThanOrEqual(pdp.asked.length);
            expect(pdp.asked.filter(({ action }) => action.name !== name)).toEqual([]);
            total += ran.length;
          }
          // A name that the framework cannot have is no call; most of them it can.
          expect(total).toBeGreaterThanOrEqual(6);
        },
      },
      {
        title: "by the name of one tool never comes to another with the same beginning",
        run: async () => {
          const { pep, task } = await enforcement(scriptedPdp(), 5000);
          const [short, long] = [watch(harness, { name: "notes" }), watch(harness, { name: "notes_read" })];
          await harness.run({ pep, envelope: task, tools: [long.tool, short.tool], calls: [{ id: "call-1", name: "notes", args: {} }] });
          expect([short.ran.length, long.ran.length]).toEqual([1, 0]);
        },
      },
      ...(names?.vectors ?? [undefined]).map((vector): Case => ({
        title:
          vector === undefined
            ? "by the names of the vectors"
            : `by the name ${JSON.stringify(vector.name).slice(0, 60)}, asked for or carried by a tool, runs only what it names (${vector.why})`,
        skipped: vector === undefined ? absent : undefined,
        run: async () => {
          const { name, allow } = vector as ToolNames["vectors"][number];
          const call = { id: "call-1", name: name as string, args: {} };
          const asked = await runIn(harness, "crm.read_contact", call);
          // A name that is no text may be read as one; then what runs is decided by that very name.
          if (typeof name !== "string") return expect(asked.ran.length).toBeLessThanOrEqual(asked.permits.filter((tool) => tool === "crm.read_contact").length);
          const carried = await runIn(harness, name, call);
          expect([asked.ran.length, carried.ran.length]).toEqual(allow ? [1, 1] : [0, 0]);
        },
      })),
      ...(args?.vectors ?? [undefined]).map((vector): Case => {
        const [parsed, isJson] = parse(vector?.raw ?? "{}");
        const skipped = vector === undefined ? absent : isJson ? undefined : harness.cannot?.parsing;
        return {
          title: vector === undefined ? "with the arguments of the vectors" : `with the arguments ${vector.raw.slice(0, 60)} (${vector.why}): ${vector.expect}`,
          skipped,
          run: async () => {
            const { raw, expect: expected } = vector as ToolArguments["vectors"][number];
            const { ran, turn } = await runIn(harness, "search_run", { id: "call-1", name: "search_run", args: parsed, text: raw });
            if (ran.length === 0) {
              // Refused by us or, where it is no object that a tool could take, by the framework.
              expect(turn.failure !== undefined || turn.shown.every(({ isError }) => isError)).toBe(true);
              expect(expected).not.toBe("limit=0");
            } else {
              expect(["policy", "limit=0", "inert"]).toContain(expected);
              expect(JSON.stringify(ran)).toBe(JSON.stringify([parsed]));
            }
          },
        };
      }),
    ],
  };
}

function parse(raw: string): readonly [args: Record<string, unknown>, isJson: boolean] {
  try {
    return [JSON.parse(raw) as Record<string, unknown>, true];
  } catch {
    return [{}, false]; // only the text says it
  }
}

interface Run {
  readonly ran: readonly unknown[];
  readonly turn: Turn;
  /** The tools that calls were permitted to. */
  readonly permits: readonly unknown[];
}

/** A call in a world in which there is one tool; a tool that cannot be protected runs nothing either. */
async function runIn(harness: Harness, name: string, call: ModelCall): Promise<Run> {
  const world = await createWorld({ holding: "handles", server: harness.server });
  const { tool, ran } = watch(harness, { name });
  const turn = await harness.run({ pep: world.pep, envelope: await world.begin(), tools: [tool], calls: [call] });
  const decisions = world.records("decision").map(({ details }) => details);
  return { ran, turn, permits: decisions.filter(({ decision }) => decision === "permit").map((details) => details["tool"]) };
}
