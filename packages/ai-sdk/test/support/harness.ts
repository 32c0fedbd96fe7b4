import type { Harness, KitTool, Scene, Turn } from "@ambit/conformance";
import { generateText, isStepCount, jsonSchema, streamText, type Telemetry, type ToolExecutionOptions, type ToolSet } from "ai";
import { z } from "zod";
import { protect, type HandOff } from "../../src/index.ts";
import { callingModel, shownToModel } from "./models.ts";

const SCHEMAS = {
  open: jsonSchema<unknown>({ type: "object", properties: {}, additionalProperties: true }),
  trimmed: z.object({ topic: z.string().trim(), limit: z.number().int().default(10) }),
};

/** A tool of the SDK, with members that the SDK or the application may have given it. */
function toolOf({ description, input, result, run, stream }: KitTool) {
  const wrap = (data: unknown): unknown => (result === "JSON text" ? JSON.stringify(data) : data);
  const execute = async (args: unknown, { abortSignal }: ToolExecutionOptions<unknown>): Promise<unknown> => wrap(await run(args, abortSignal));
  const report = async function* (args: unknown, { abortSignal }: ToolExecutionOptions<unknown>): AsyncGenerator<unknown> {
    const reports = (stream as NonNullable<KitTool["stream"]>)(args, abortSignal);
    for (;;) {
      const { done, value } = await reports.next();
      yield done === true ? wrap(value) : value;
      if (done === true) return;
    }
  };
  const more = { title: "Notes", metadata: { owner: "legal" }, providerOptions: { openai: { strict: true } } };
  return { description, inputSchema: SCHEMAS[input], ...more, execute: stream === undefined ? execute : report };
}

function toolsOf(scene: Pick<Scene, "pep" | "envelope" | "tools" | "handOffs">): ToolSet {
  const tools = Object.fromEntries(scene.tools.map((tool) => [tool.name, toolOf(tool)])) as unknown as ToolSet;
  const handOffs = Object.fromEntries(
    (scene.handOffs ?? []).map(({ name, description, to, run }): [string, HandOff<unknown>] => [name, { description, inputSchema: SCHEMAS.open, to, run }]),
  );
  return protect(scene.pep, { tools, handOffs, envelope: scene.envelope }).tools;
}

const EVENTS = ["onStart", "onStepStart", "onLanguageModelCallEnd", "onToolExecutionStart", "onToolExecutionEnd", "onStepEnd", "onChunk", "onEnd", "onError"];

async function run(scene: Scene): Promise<Turn> {
  const seen: unknown[] = [];
  const note = (event: unknown): void => void seen.push(event);
  const model = callingModel(scene.calls.map(({ id, name, args, text }) => ({ id, name, input: args, ...(text === undefined ? {} : { text }) })));
  const options = {
    model,
    prompt: "go",
    stopWhen: isStepCount(3),
    tools: toolsOf(scene),
    telemetry: { integrations: [Object.fromEntries(EVENTS.map((event) => [event, note])) as Telemetry] },
    ...(scene.signal === undefined ? {} : { abortSignal: scene.signal }),
  };
  let failure: unknown;
  try {
    if (scene.isStreamed === true) {
      const result = streamText({ ...options, onError: note });
      for await (const part of result.toUIMessageStream()) note(part);
      note(await result.steps);
    } else {
      note((await generateText(options)).steps);
    }
  } catch (error) {
    failure = error ?? new Error("rejected with nothing");
  }
  const calls = scene.isStreamed === true ? model.doStreamCalls : model.doGenerateCalls;
  const shown = shownToModel(calls).map(({ id, output }) => {
    const { type, value } = output as { readonly type: string; readonly value: unknown };
    return { id, isError: type.startsWith("error"), text: typeof value === "string" ? value : JSON.stringify(value) };
  });
  return { shown, seen: [seen, calls.map(({ prompt }) => prompt)], failure };
}

export const harness: Harness = {
  results: ["data", "JSON text"],
  cannot: { errorValues: "a tool of the AI SDK reports an error by throwing it" },
  run,
  call: async (scene, args) => {
    const [tool] = Object.values(toolsOf(scene));
    return (await tool?.execute?.(args, { toolCallId: "call-1", messages: [], context: {} })) as unknown;
  },
  describe: async (pep, envelope, tool) => {
    const { execute: _, ...before } = toolOf(tool);
    const { execute: __, ...after } = toolsOf({ pep, envelope, tools: [tool] })[tool.name] ?? {};
    return { before, after };
  },
};
