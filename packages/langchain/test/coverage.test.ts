import type { CoverageItem } from "@ambit/core";
import { RunnableLambda } from "@langchain/core/runnables";
import { MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { createReactAgent, ToolNode } from "@langchain/langgraph/prebuilt";
import { RemoteGraph } from "@langchain/langgraph/remote";
import { createSupervisor } from "@langchain/langgraph-supervisor";
import { createHandoffTool, createSwarm } from "@langchain/langgraph-swarm";
import { createDeepAgent } from "deepagents";
import { createAgent, createMiddleware, fakeModel, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { coverage, protect } from "../src/index.ts";
import { enforcement, fakePdp } from "./support/fake-pdp.ts";

const schema = z.object({});
const raw = (name: string) => tool(() => "ran", { name, description: "d", schema });
const provider = { type: "web_search_20250305", name: "web_search" } as never;
const handOffs = { classify: { description: "d", inputSchema: schema, to: { agentId: "classifier" }, run: async () => "classified" } };

async function protectedParts() {
  const { pep, task } = await enforcement(fakePdp());
  return protect(pep, { tools: [raw("read")], handOffs, envelope: task });
}

const lines = (app: unknown) => coverage(app).items.map(({ kind, name, coveredBy = "open" }: CoverageItem) => `${kind} ${name}: ${coveredBy}`);

describe("the coverage of", () => {
  test("tools says which are decided on", async () => {
    const { tools } = await protectedParts();
    const runnable = RunnableLambda.from(() => "ran").asTool({ name: "runnable", schema });
    expect(lines([...tools, raw("raw"), runnable, provider])).toEqual([
      "tool read: langchain tool",
      "agent classify: langchain hand-off",
      "tool raw: open",
      "tool runnable: open",
      "provider_tool web_search: open",
    ]);
    expect(coverage([raw("raw")])).toEqual({ adapter: "@ambit/langchain", items: [{ kind: "tool", name: "raw", note: expect.any(String) }] });
    expect(lines(Object.create(tools[0] as object))).toEqual(["tool read: open"]);
  });

  test("an agent is that of its tools, unless our middleware is the innermost and lets no other run", async () => {
    const { tools, middleware } = await protectedParts();
    const model = fakeModel();
    const bringing = createMiddleware({ name: "bringing", tools: [raw("brought")] });
    const all = [tools[0], raw("raw"), provider];
    expect(lines(createAgent({ model, tools: all }))).toEqual(["tool read: langchain tool", "tool raw: open", "provider_tool web_search: open"]);
    expect(lines(createAgent({ model, tools: all, middleware: [bringing, ...middleware] }))).toEqual([
      "tool read: langchain tool",
      "tool raw: langchain middleware",
      "provider_tool web_search: langchain middleware",
      "tool brought: langchain middleware",
    ]);
    expect(lines(createAgent({ model, tools: all, middleware: [...middleware, bringing] }))).toContain("tool brought: open");
    expect(lines(await protectedParts())).toEqual(["tool read: langchain tool", "agent classify: langchain hand-off"]);
  });

  test("a graph is that of its nodes and of the graphs in it", async () => {
    const { tools } = await protectedParts();
    const inner = createReactAgent({ llm: fakeModel(), tools: [tools[0], raw("raw")], name: "inner" });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("tools", new ToolNode([tools[0]]))
      .addNode("inner", inner)
      .addEdge("__start__", "tools")
      .addEdge("tools", "inner")
      .compile();
    expect(lines(graph)).toEqual(["tool read: langchain tool", "agent inner: open", "tool raw: open"]);
    expect(coverage(graph).items[1]).toEqual({ kind: "agent", name: "inner", note: "it can act by raw" });
    expect(lines(new ToolNode([raw("raw")]))).toEqual(["tool raw: open"]);
  });

  test("a node that is cached is open, whatever is in it", async () => {
    const { tools } = await protectedParts();
    const cached = new StateGraph(MessagesAnnotation)
      .addNode("tools", new ToolNode([tools[0]]), { cachePolicy: true })
      .addNode("agent", createReactAgent({ llm: fakeModel(), tools: [tools[0]] }), { cachePolicy: { ttl: 60 } })
      .addNode("others", new ToolNode([tools[1] as never]))
      .addEdge("__start__", "tools")
      .addEdge("tools", "agent")
      .addEdge("agent", "others");
    expect(lines(cached.compile())).toEqual(["tool read: open", "agent agent: open", "agent classify: langchain hand-off"]);
    expect(coverage(cached.compile()).items[0]?.note).toContain("cachePolicy");
  });

  test("a supervisor and a swarm has their agents and the tools by which they change over", async () => {
    const { tools } = await protectedParts();
    const worker = createReactAgent({ llm: fakeModel(), tools: [tools[0]], name: "worker" });
    expect(lines(createSupervisor({ agents: [worker], llm: fakeModel() as never }).compile())).toEqual([
      "agent supervisor: open",
      "tool transfer_to_worker: open",
      "agent worker: langchain tool",
      "tool read: langchain tool",
    ]);
    const first = createReactAgent({ llm: fakeModel(), tools: [createHandoffTool({ agentName: "worker" })], name: "first" });
    expect(lines(createSwarm({ agents: [first, worker], defaultActiveAgent: "first" }).compile())).toEqual([
      "agent first: open",
      "tool transfer_to_worker: open",
      "agent worker: langchain tool",
      "tool read: langchain tool",
    ]);
  });

  test("a graph of another deployment is that it runs elsewhere", () => {
    const remote = new RemoteGraph({ graphId: "remote", url: "http://127.0.0.1:9" });
    const graph = new StateGraph(MessagesAnnotation).addNode("remote", remote).addEdge("__start__", "remote").compile();
    expect(coverage(graph).items).toEqual([{ kind: "agent", name: "remote", note: "it runs elsewhere" }]);
  });

  test("deepagents has the tools that it brings along, its sub-agents behind `task`", () => {
    const found = lines(createDeepAgent({ model: fakeModel(), tools: [raw("raw")] }));
    expect(found).toEqual(expect.arrayContaining(["tool raw: open", "tool task: open", "tool write_file: open"]));
  });

  test("nothing is none", () => {
    for (const app of [undefined, null, 1, "tool", {}, [], [undefined]]) expect(coverage(app).items).toEqual([]);
  });
});
