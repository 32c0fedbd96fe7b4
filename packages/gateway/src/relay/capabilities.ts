import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import type { Catalogue } from "../upstream/catalogue.ts";

/** What the gateway relays; of anything else that an upstream has it says nothing. */
const RELAYED = ["tools", "resources", "prompts", "completions", "logging"] as const;

/** What all upstreams have together, and what they say about themselves. One that cannot be reached has nothing. */
export async function together(catalogues: readonly Catalogue[]): Promise<{ readonly capabilities: JsonObject; readonly instructions: string | undefined }> {
  const all = await Promise.all(catalogues.map(async (catalogue) => catalogue.capabilities().catch((): JsonObject => ({}))));
  const said = await Promise.all(catalogues.map(async (catalogue) => catalogue.instructions().catch(() => undefined)));
  const capabilities: Record<string, Json> = {};
  for (const name of RELAYED) {
    const having = all.map((of) => own(of, name)).filter((value) => value !== undefined);
    if (having.length > 0) capabilities[name] = Object.assign({}, ...having.filter((value) => isJsonObject(value)));
  }
  const texts = said.filter((text) => text !== undefined && text !== "");
  return { capabilities, instructions: texts.length === 0 ? undefined : texts.join("\n\n") };
}
