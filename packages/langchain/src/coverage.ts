import type { Coverage, CoverageItem } from "@ambit/core";
import { coveredBy, type Point } from "./covered.ts";

/**
 * What can act in an application: in an agent of `createAgent`, a graph, a `ToolNode`, what `protect` returned, or a list of any of these and of tools. Names every tool,
 * agent within it and tool of the provider that can be seen from outside; what a node or a tool does in its own function cannot.
 */
export function coverage(app: unknown): Coverage {
  return { adapter: "@ambit/langchain", items: [...new Map(itemsOf(app, undefined, new Set()).map((item) => [JSON.stringify(item), item])).values()] };
}

/** Members of LangChain's objects, read by their shape: several copies of it may be in one process. */
interface Shape {
  readonly name?: unknown;
  readonly tools?: unknown;
  readonly middleware?: unknown;
  /** Of an agent. */
  readonly options?: Shape;
  readonly graph?: unknown;
  /** Of a graph of another deployment. */
  readonly graphId?: unknown;
  /** Of a compiled graph. */
  readonly builder?: { readonly nodes?: Readonly<Record<string, { readonly runnable?: unknown; readonly subgraphs?: unknown }>> };
  readonly nodes?: Readonly<Record<string, { readonly cachePolicy?: unknown }>>;
}

function itemsOf(part: unknown, gate: Point | undefined, seen: Set<unknown>): readonly CoverageItem[] {
  if (typeof part !== "object" || part === null || seen.has(part)) return [];
  seen.add(part);
  if (Array.isArray(part)) return part.flatMap((each: unknown) => itemsOf(each, gate, seen));
  const { options, graph, builder, nodes: compiled, tools, middleware, graphId } = part as Shape;
  if (isTool(part)) return [itemOf(part, gate)];
  if (typeof graphId === "string") return [{ kind: "agent", name: graphId, note: "it runs elsewhere" }];
  const list = listOf(middleware);
  // Only where nothing comes between it and the tools.
  const inner = coveredBy(list.at(-1)) ?? gate;
  const own = [...listOf(tools), ...list.flatMap((each) => listOf((each as Shape | null)?.tools))].flatMap((each) => itemsOf(each, inner, seen));
  // The tools of an agent are in its graph once more, where its middleware cannot be seen.
  if (options !== undefined) return [...itemsOf(options, gate, seen), ...itemsOf(graph, coveredBy(listOf(options.middleware).at(-1)), seen)];
  const nodes = Object.entries(builder?.nodes ?? {}).flatMap(([name, { runnable, subgraphs }]) => {
    const items = [runnable, ...listOf(subgraphs)].flatMap((each) => (isGraph(each) ? agentOf(name, each, seen) : itemsOf(each, inner, seen)));
    return compiled?.[name]?.cachePolicy === undefined ? items : items.map(cachedItem);
  });
  return [...own, ...nodes];
}

/** An agent within another one can act without a decision when a tool of it can. */
function agentOf(name: string, graph: unknown, seen: Set<unknown>): readonly CoverageItem[] {
  if (seen.has(graph)) return [];
  const items = itemsOf(graph, undefined, seen);
  const open = items.filter((item) => item.coveredBy === undefined).map((item) => item.name);
  const agent: CoverageItem = { kind: "agent", name };
  const note = open.length === 0 ? "its start is not decided, its tools are" : `it can act by ${open.join(", ")}`;
  return [{ ...agent, ...(open.length === 0 ? { coveredBy: "langchain tool" } : {}), note }, ...items];
}

/** A node that is cached gives its answer again, to whoever comes with the same state, and nothing in it is called. */
function cachedItem({ kind, name }: CoverageItem): CoverageItem {
  return { kind, name, note: "its node has a `cachePolicy`, so the graph shows what it once answered without a call that anybody decides" };
}

function itemOf(tool: object, gate: Point | undefined): CoverageItem {
  const { name, type, invoke } = tool as { readonly name?: unknown; readonly type?: unknown; readonly invoke?: unknown };
  const kind = typeof invoke === "function" ? (coveredBy(tool) === "langchain hand-off" ? "agent" : "tool") : "provider_tool";
  const item = { kind, name: typeof name === "string" ? name : String(type) } as const;
  const own = coveredBy(tool);
  if (own !== undefined) return { ...item, coveredBy: own };
  if (gate === undefined) return { ...item, note: kind === "tool" ? "it is not one of `protect`" : "the provider of the model runs it" };
  return { ...item, coveredBy: gate, note: kind === "tool" ? "it is not one of `protect`, so it never runs" : "it is not offered to the model" };
}

function isTool(part: object): boolean {
  if ("builder" in part || "options" in part || "tools" in part) return false;
  const { name, schema, type } = part as { readonly name?: unknown; readonly schema?: unknown; readonly type?: unknown };
  return (typeof name === "string" && schema !== undefined) || typeof type === "string";
}

function isGraph(value: unknown): boolean {
  return typeof value === "object" && value !== null && "builder" in value;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
