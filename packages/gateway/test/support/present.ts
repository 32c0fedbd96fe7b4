import { chainOf } from "@ambit/core";
import type { JsonObject } from "@ambit/core";
import { holdChain, signPop, writePresentation } from "@ambit/core/token";
import { GATEWAY, type World } from "./world.ts";

/** The metadata that shows the world's envelope for one request, and proves it. */
export async function present(
  { pdp, task, key }: Pick<World, "pdp" | "task" | "key">,
  name: string,
  args: JsonObject,
  audience = GATEWAY,
): Promise<Record<string, unknown>> {
  const chain = chainOf(task) ?? [];
  const tool = (await pdp.terms()).toolId(name, "crm") ?? name;
  const pop = await signPop({ leaf: holdChain(chain).leaf, tool, args, audience, now: Date.now() }, key);
  return { "dev.ambit/presentation": writePresentation({ chain, pop }) };
}
