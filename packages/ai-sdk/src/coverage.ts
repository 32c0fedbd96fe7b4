import type { Coverage, CoverageItem } from "@ambit/core";
import { kindOf } from "./tool-kind.ts";

// A symbol of the registry, so that two copies of this package in one process know each other's tools.
const POINT = Symbol.for("ambit.ai-sdk.point");
type Point = "ai-sdk tool" | "ai-sdk hand-off";

/** Marks an `execute` as one that asks. It stays with the function wherever the tool is copied to. */
export function markCovered<EXECUTE extends object>(execute: EXECUTE, point: Point): EXECUTE {
  return Object.defineProperty(execute, POINT, { value: point });
}

/** The point at which an `execute` asks, if it does. */
export function pointOf(tool: unknown): string | undefined {
  const execute: unknown = isObject(tool) ? Reflect.get(tool, "execute") : undefined;
  return typeof execute === "function" && Object.hasOwn(execute, POINT) ? String(Reflect.get(execute, POINT)) : undefined;
}

/**
 * What can act in an application: tools, agents (their tools, too), MCP clients, or any of these by name or in lists. Says of each whether every call of it is decided.
 * It sees what it is shown: not what a function such as `prepareCall` will bring in later.
 */
export function coverage(app: unknown): Coverage {
  return { adapter: "@ambit/ai-sdk", items: Object.freeze(itemsOf("", app, new Set())) };
}

function itemsOf(name: string, found: unknown, path: ReadonlySet<unknown>): CoverageItem[] {
  if (!isObject(found) || path.has(found)) return [];
  const inside = new Set([...path, found]);
  const under = (key: string): string => (name === "" ? key : `${name}/${key}`);
  const all = (members: unknown): CoverageItem[] =>
    isObject(members) ? Object.entries(members).flatMap(([key, member]) => itemsOf(under(key), member, inside)) : [];
  if (typeof Reflect.get(found, "generate") === "function" && typeof Reflect.get(found, "stream") === "function") return agentItems(name, found, all);
  if (typeof Reflect.get(found, "tools") === "function" && typeof Reflect.get(found, "close") === "function")
    return [
      { kind: "server", name: name || "server", note: "calls of the MCP client itself are not decided here; give it a transport that @ambit/mcp protects" },
    ];
  if (isTool(found)) return [toolItem(name || "tool", found)];
  return all(found);
}

function agentItems(name: string, agent: object, all: (tools: unknown) => CoverageItem[]): CoverageItem[] {
  const id: unknown = Reflect.get(agent, "id");
  const settings: unknown = Reflect.get(agent, "settings");
  const tools = all(Reflect.get(agent, "tools"));
  const isOpen = tools.some(({ coveredBy }) => coveredBy === undefined);
  const prepares = isObject(settings) && Reflect.get(settings, "prepareCall") !== undefined;
  const item: CoverageItem = { kind: "agent", name: name || (typeof id === "string" ? id : "agent") };
  if (isOpen) return [{ ...item, note: "it has tools that are not decided" }, ...tools];
  if (prepares) return [{ ...item, note: "its `prepareCall` can put other tools in the place of these" }, ...tools];
  return [{ ...item, coveredBy: "ai-sdk tool", note: "each of its calls is decided, not that it starts" }, ...tools];
}

function toolItem(name: string, tool: object): CoverageItem {
  const point = pointOf(tool);
  switch (kindOf(tool)) {
    case "provider":
      return { kind: "provider_tool", name, note: "the provider runs it before anybody is asked; remove it, or name it in `undecided`" };
    case "client":
      return { kind: "tool", name, note: "it has no `execute`, so whoever answers the call runs it" };
    case "replaced":
      return { kind: "tool", name, note: "the SDK runs a function of its own in the place of its `execute`" };
    default:
      if (point === undefined) return { kind: "tool", name, note: "not protected: `protect` makes a tool that is" };
      return { kind: point === "ai-sdk hand-off" ? "agent" : "tool", name, coveredBy: point, ...earlyNote(tool) };
  }
}

/** Somebody has put on again what `protect` had left out. */
function earlyNote(tool: object): Pick<CoverageItem, "note"> {
  const early = ["onInputStart", "onInputDelta", "onInputAvailable"].filter((callback) => Reflect.get(tool, callback) !== undefined);
  return early.length === 0 ? {} : { note: `\`${early.join("`, `")}\` of it run before the decision` };
}

function isTool(found: object): boolean {
  return ["inputSchema", "parameters", "execute", "needsApproval"].some((member) => Reflect.get(found, member) !== undefined);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
