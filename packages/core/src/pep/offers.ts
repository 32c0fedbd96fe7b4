import { AmbitError } from "../errors.ts";
import { askWithin } from "./ask.ts";
import type { PepSetting } from "./present.ts";
import { findTask, holdingOf, type EnvelopeSource } from "./task.ts";

/** Which names are those of tools that the envelope allows, by the names that the decision point has for them (I14). Where nothing is refused, all. */
export async function offers(setting: PepSetting, source: EnvelopeSource, names: readonly string[], server: string | undefined): Promise<ReadonlySet<string>> {
  if (setting.mode === "observe") return new Set(names);
  const found = await findTask(setting.deadline, undefined, source);
  if ("refusal" in found) throw new AmbitError(found.refusal.code, found.refusal.message);
  const task = found.answer;
  if (task === undefined || holdingOf(task) === undefined) return new Set();
  const asked = await askWithin(setting.deadline, undefined, async () => {
    const terms = await setting.pdp.terms();
    const { allowedTools, deniedTools } = task.envelope;
    const isOffered = (name: string): boolean => {
      const id = terms.toolId(name, server);
      return id !== undefined && allowedTools.includes(id) && !deniedTools.includes(id);
    };
    return new Set(names.filter(isOffered));
  });
  if ("refusal" in asked) throw new AmbitError(asked.refusal.code, asked.refusal.message);
  return asked.answer;
}
