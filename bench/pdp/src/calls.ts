import { chainOf, type AccessRequest, type BeginOptions } from "@ambit/core";
import { holdChain, signPop } from "@ambit/core/token";
import { ARGS, asked, AUDIENCE, BEGIN, TOOL, type World } from "./scenario.ts";

/** Makes that many calls, each of its own: with an id, and a proof where the envelope is signed. */
export type Calls = (count: number) => Promise<readonly AccessRequest[]>;

let calls = 0;

/** Begins a task; what it gives makes calls under it. */
export async function callsOf(world: World, begin: BeginOptions = BEGIN): Promise<Calls> {
  const { task, decide } = await asked(world, begin);
  const { key } = world;
  const chain = chainOf(task);
  const held = chain === undefined ? undefined : holdChain(chain);
  return async (count) => {
    const requests: AccessRequest[] = [];
    for (let index = 0; index < count; index++) {
      let { presentation } = decide.context;
      if (key !== undefined && held !== undefined && presentation.kind === "chain") {
        const pop = await signPop({ leaf: held.leaf, tool: TOOL, args: ARGS, audience: AUDIENCE, now: Date.now() }, key);
        presentation = { ...presentation, pop };
      }
      requests.push({ ...decide, context: { ...decide.context, presentation, call_id: `${++calls}/call` } });
    }
    return requests;
  };
}
