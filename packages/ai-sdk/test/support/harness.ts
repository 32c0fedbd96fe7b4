import type { Harness, KitTool, Scene, Turn } from "@ambit/conformance";
import { z } from "zod";
import { protect, type HandOff } from "../../src/index.ts";
import { callingModelOf, shownToModel } from "./models.ts";
import { answered } from "./runs.ts";
import { addedMessages, type Message, type Sdk } from "./sdks.ts";
import { recordingTracer } from "./tracer.ts";

const trimmed = z.object({ topic: z.string().trim(), limit: z.number().int().default(10) });
const EVENTS = ["onStart", "onStepStart", "onLanguageModelCallEnd", "onToolExecutionStart", "onToolExecutionEnd", "onStepEnd", "onChunk", "onEnd", "onError"];
const CALLBACKS = ["experimental_onStart", "experimental_onToolCallStart", "experimental_onToolCallFinish", "onStepFinish", "onFinish"];
type Execute = (args: unknown, options: { readonly abortSignal?: AbortSignal }) => unknown;

/** Drives the adapter in one version of the SDK. */
export function harnessOf(sdk: Sdk): Harness {
  const open = sdk.jsonSchema({ type: "object", properties: {}, additionalProperties: true });

  /** A tool of the SDK, with members that the SDK or the application may have given it. */
  const toolOf = ({ description, input, result, run, stream }: KitTool): Record<string, unknown> => {
    const wrap = (data: unknown): unknown => (result === "JSON text" ? JSON.stringify(data) : data);
    const execute: Execute = async (args, { abortSignal }) => wrap(await run(args, abortSignal));
    const report = async function* (...[args, { abortSignal }]: Parameters<Execute>): AsyncGenerator<unknown> {
      const reports = (stream as NonNullable<KitTool["stream"]>)(args, abortSignal);
      for (;;) {
        const { done, value } = await reports.next();
        yield done === true ? wrap(value) : value;
        if (done === true) return;
      }
    };
    const more = { title: "Notes", metadata: { owner: "legal" }, providerOptions: { openai: { strict: true } } };
    return { description, inputSchema: input === "open" ? open : trimmed, ...more, execute: stream === undefined ? execute : report };
  };

  const toolsOf = (scene: Pick<Scene, "pep" | "envelope" | "tools" | "handOffs">): Record<string, Record<string, unknown>> => {
    const tools = Object.fromEntries(scene.tools.map((tool) => [tool.name, toolOf(tool)]));
    const handOffs = Object.fromEntries(
      (scene.handOffs ?? []).map(({ name, description, to, run }): [string, HandOff<unknown>] => [
        name,
        { description, inputSchema: open as HandOff<unknown>["inputSchema"], to, run },
      ]),
    );
    return protect(scene.pep, { tools: tools as never, handOffs, envelope: scene.envelope }).tools as never;
  };

  const run = async (scene: Scene): Promise<Turn> => {
    const seen: unknown[] = [];
    const note = (event: unknown): void => void seen.push(event);
    const model = callingModelOf(
      sdk,
      scene.calls.map(({ id, name, args, text }) => ({ id, name, input: args, ...(text === undefined ? {} : { text }) })),
    );
    const tools = toolsOf(scene);
    /** One run. Answers what a client sends back when it has paused: the history, which says that everything was approved. */
    const once = async (messages: readonly Message[]): Promise<readonly Message[]> => {
      const options = {
        model,
        messages,
        stopWhen: sdk.stopAfter(3),
        tools,
        ...(sdk.major === 7
          ? { telemetry: { integrations: [Object.fromEntries(EVENTS.map((event) => [event, note]))] } }
          : { experimental_telemetry: { isEnabled: true, tracer: recordingTracer(note) }, ...Object.fromEntries(CALLBACKS.map((event) => [event, note])) }),
        ...(scene.signal === undefined ? {} : { abortSignal: scene.signal }),
      };
      const result = scene.isStreamed === true ? sdk.streamText({ ...options, onError: note }) : await sdk.generateText(options);
      if ("toUIMessageStream" in result) for await (const part of result.toUIMessageStream()) note(part);
      note(await result.steps);
      const requests = (await result.content).filter(({ type }) => type === "tool-approval-request");
      return requests.length === 0 ? [] : answered({ messages: [...messages, ...(await addedMessages(result))], requests });
    };
    let failure: unknown;
    try {
      const resumed = await once([{ role: "user", content: "go" }]);
      if (resumed.length > 0) await once(resumed);
    } catch (error) {
      failure = error ?? new Error("rejected with nothing");
    }
    const calls = scene.isStreamed === true ? model.doStreamCalls : model.doGenerateCalls;
    const order = scene.calls.map(({ id }) => id);
    const shown = shownToModel(calls)
      .toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
      .map(({ id, output }) => {
        const { type, value } = output as { readonly type: string; readonly value: unknown };
        return { id, isError: type.startsWith("error"), text: typeof value === "string" ? value : JSON.stringify(value) };
      });
    return { shown, seen: [seen, calls.map(({ prompt }) => prompt)], failure };
  };

  return {
    results: ["data", "JSON text"],
    cannot: {
      errorValues: "a tool of the AI SDK reports an error by throwing it",
      lists: "a model of the AI SDK is shown every tool that the application gives; each call of one is decided",
    },
    run,
    call: async (scene, args) => {
      const [tool] = Object.values(toolsOf(scene));
      const { execute } = tool as { readonly execute: (...given: unknown[]) => unknown };
      return await execute(args, { toolCallId: "call-1", messages: [], context: {} });
    },
    describe: async (pep, envelope, tool) => {
      const { execute: _, ...before } = toolOf(tool);
      // Whether a run pauses is what the adapter adds.
      const { execute: __, needsApproval: ___, ...after } = toolsOf({ pep, envelope, tools: [tool] })[tool.name] ?? {};
      return { before, after };
    },
  };
}
