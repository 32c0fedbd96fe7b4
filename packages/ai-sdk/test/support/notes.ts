import type { Outcome, RefusalCode } from "@ambit/core";
import { generateText, isStepCount, tool, type ToolSet } from "ai";
import { expect } from "vitest";
import { z } from "zod";
import { protect } from "../../src/index.ts";
import { enforcement, type FakePdp } from "./fake-pdp.ts";
import { callingModel, shownToModel, type Call } from "./models.ts";

/** Two notes, whatever is asked; `ran` is what it was run with. */
export function notesTool() {
  const ran: unknown[] = [];
  const read = tool({
    description: "reads notes",
    inputSchema: z.object({ topic: z.string().transform((topic) => topic.trim()), limit: z.number().default(10) }),
    execute: async (input) => {
      ran.push(input);
      return { notes: [{ text: "one" }, { text: "two" }] };
    },
  });
  return { ran, tools: { notes_read: read } };
}

export const call: Call = { id: "call-1", name: "notes_read", input: { topic: " renewal " } };
export const stopWhen = isStepCount(3);

/** A run of `generateText` with protected tools. */
export async function run(pdp: FakePdp, tools: ToolSet, calls: readonly Call[] = [call], abortSignal?: AbortSignal) {
  const { pep, task } = await enforcement(pdp);
  const model = callingModel(calls);
  const result = await generateText({ model, prompt: "go", stopWhen, ...(abortSignal && { abortSignal }), ...protect(pep, { tools, envelope: task }) });
  return { result, shown: shownToModel(model.doGenerateCalls) };
}

export function statuses(pdp: FakePdp): readonly Outcome["status"][] {
  return pdp.settled.map(({ status }) => status);
}

/** What a model is shown of a refused call: the constant shape and nothing else. */
export function refusedWith(code: RefusalCode) {
  const value: unknown = expect.stringMatching(`^{"error":{"code":"${code}","message":"[^"]+","decisionId":"[^"]+","retryable":(true|false)}}$`);
  return { type: "error-text", value };
}
