import { isDeepStrictEqual } from "node:util";
import type { Harness, KitTool, Scene, Turn } from "@ambit/conformance";
import { AIMessage, ToolMessage } from "@langchain/core/messages";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { ClientTool, ToolRunnableConfig } from "@langchain/core/tools";
import { MemorySaver, MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { createAgent, fakeModel, HumanMessage, tool as createTool } from "langchain";
import { z } from "zod";
import { protect, type HandOff } from "../../src/index.ts";
import { toolMessages } from "./agents.ts";

const OPEN = { type: "object", properties: {}, additionalProperties: true } as const;
const SCHEMAS = { open: OPEN, trimmed: z.object({ topic: z.string().trim(), limit: z.number().int().default(10) }) };

/** The forms that a result may have in LangChain. */
function wrap(form: string, data: unknown): unknown {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  if (form === "content and artifact") return [text, data];
  if (form === "content and parts") return [text, [{ type: "mcp_structured_content", data }]];
  if (form === "message") return new ToolMessage({ content: text, artifact: data, tool_call_id: "call-1" });
  if (form === "blocks") return [{ type: "text", text }];
  return form === "data" ? data : text;
}

function toolOf({ name, description, input, result, failure, run, stream }: KitTool): ClientTool {
  const body = async (args: unknown, { signal, toolCall }: ToolRunnableConfig): Promise<unknown> => {
    try {
      // What the model asked for must not come to the body by another way.
      if (toolCall !== undefined && !isDeepStrictEqual(toolCall.args, args)) throw new Error("the config of the call has other arguments");
      const message = wrap(result, await run(args, signal));
      return ToolMessage.isInstance(message) ? Object.assign(message, { tool_call_id: toolCall?.id ?? "" }) : message;
    } catch (error) {
      if (failure === "thrown") throw error;
      return new ToolMessage({ status: "error", content: String(error), tool_call_id: toolCall?.id ?? "" });
    }
  };
  const report = async function* (args: unknown, { signal }: ToolRunnableConfig): AsyncGenerator<unknown, unknown, undefined> {
    return wrap(result, yield* (stream as NonNullable<KitTool["stream"]>)(args, signal));
  };
  const responseFormat = result === "content and artifact" || result === "content and parts" ? "content_and_artifact" : "content";
  const fields = { name, description, schema: SCHEMAS[input] as typeof OPEN, responseFormat, metadata: { owner: "legal" }, tags: ["notes"] };
  return createTool((stream === undefined ? body : report) as typeof body, fields) as unknown as ClientTool;
}

function protectAll(scene: Pick<Scene, "pep" | "envelope" | "tools" | "handOffs">) {
  const handOffs = Object.fromEntries(
    (scene.handOffs ?? []).map(({ name, description, to, run }): [string, HandOff<unknown>] => [name, { description, inputSchema: OPEN, to, run }]),
  );
  return protect(scene.pep, { tools: scene.tools.map(toolOf), handOffs, envelope: scene.envelope });
}

const EVENTS = ["Chain", "Tool", "LLM"].flatMap((what) => [`handle${what}Start`, `handle${what}End`, `handle${what}Error`]);

/** Hears everything that LangChain tells its callbacks. */
function observer(note: (...event: readonly unknown[]) => void): BaseCallbackHandler {
  const hears = [...EVENTS, "handleToolEvent", "handleCustomEvent", "handleChatModelStart", "handleAgentAction"].map((event) => [event, note]);
  return BaseCallbackHandler.fromMethods(Object.fromEntries(hears) as Parameters<typeof BaseCallbackHandler.fromMethods>[0]);
}

/** LangChain prints when it cannot print arguments, which it does for its callbacks. Nothing else may print. */
async function silently<T>(run: () => Promise<T>): Promise<T> {
  const { warn } = console;
  console.warn = (...values: unknown[]) => {
    if (!String(values[0]).endsWith("RangeError: Maximum call stack size exceeded")) warn(...values);
  };
  try {
    return await run();
  } finally {
    console.warn = warn;
  }
}

type Loop = "createAgent" | "ToolNode";

/** The two loops that there are: an agent with our middleware, and a graph that takes the tools alone. */
function agentOf(loop: Loop, model: ReturnType<typeof fakeModel>, checkpointer: MemorySaver, scene: Scene) {
  const covered = protectAll(scene);
  if (loop === "createAgent") return createAgent({ model, checkpointer, ...covered }) as unknown as ReturnType<typeof graphOf>;
  return graphOf(model, checkpointer, new ToolNode(covered.tools));
}

function graphOf(model: ReturnType<typeof fakeModel>, checkpointer: MemorySaver, tools: ToolNode) {
  return new StateGraph(MessagesAnnotation)
    .addNode("model", async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
    .addNode("tools", tools)
    .addEdge("__start__", "model")
    .addEdge("tools", "model")
    .addConditionalEdges("model", ({ messages }) => ((messages.at(-1) as AIMessage).tool_calls?.length === 0 ? "__end__" : "tools"))
    .compile({ checkpointer });
}

async function runTurn(loop: Loop, scene: Scene): Promise<Turn> {
  const seen: unknown[] = [];
  const note = (...event: readonly unknown[]): void => void seen.push(event);
  const checkpointer = new MemorySaver();
  const model = fakeModel()
    .respond(() => new AIMessage({ content: "", tool_calls: scene.calls.map(({ id, name, args }) => ({ type: "tool_call", id, name, args })) }))
    .respond(new AIMessage("done"));
  const config = {
    callbacks: [observer(note)],
    configurable: { thread_id: "thread-1" },
    ...(scene.signal === undefined ? {} : { signal: scene.signal }),
  };
  let failure: unknown;
  try {
    const agent = agentOf(loop, model, checkpointer, scene);
    const input = { messages: [new HumanMessage("go")] };
    if (scene.isStreamed === true) {
      const streamMode: ("values" | "updates" | "messages" | "custom" | "debug")[] = ["values", "updates", "messages", "custom", "debug"];
      for await (const chunk of await agent.stream(input, { ...config, streamMode })) note(chunk);
    } else {
      note(await agent.invoke(input, config));
    }
  } catch (error) {
    failure = error ?? new Error("rejected with nothing");
  }
  const [, answered] = model.calls;
  const messages = answered === undefined ? [] : toolMessages(answered.messages);
  const shown = messages.map(({ tool_call_id: id, status, content }) => ({
    id,
    isError: status === "error",
    text: typeof content === "string" ? content : JSON.stringify(content),
  }));
  return { shown, seen: [seen, model.calls, checkpointer.storage, checkpointer.writes], failure };
}

const MEMBERS = ["name", "description", "schema", "responseFormat", "returnDirect", "metadata", "tags", "extras", "verboseParsingErrors"];
const partsOf = (tool: unknown): unknown => MEMBERS.map((member) => [member, (tool as Readonly<Record<string, unknown>>)[member]]);

export const harnessOf = (loop: Loop): Harness => ({
  cannot: {
    parsing: "a model class of LangChain gives arguments that it has parsed",
    ...(loop === "ToolNode" ? { lists: "a graph with a ToolNode alone shows its model what the application binds; each call of one is decided" } : {}),
  },
  results: ["text", "data", "blocks", "content and artifact", "content and parts", "message"],
  run: (scene) => silently(() => runTurn(loop, scene)),
  call: async (scene, args) => {
    const [tool] = protectAll(scene).tools;
    return (await tool?.invoke({ type: "tool_call", id: "call-1", name: tool.name, args })) as unknown;
  },
  list: async (scene) => {
    const model = fakeModel().respond(new AIMessage("done"));
    const offered: string[] = [];
    const { bindTools } = model;
    model.bindTools = (tools) => (offered.push(...tools.map((tool) => (tool as ClientTool).name)), bindTools.call(model, tools));
    await createAgent({ model, ...protectAll(scene) }).invoke({ messages: [new HumanMessage("go")] });
    return offered;
  },
  describe: async (pep, envelope, tool) => {
    const [after] = protectAll({ pep, envelope, tools: [tool] }).tools;
    return { before: partsOf(toolOf(tool)), after: partsOf(after) };
  },
});
