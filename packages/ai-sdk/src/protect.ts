import { AmbitError, type EnvelopeSource, type Pep } from "@ambit/core";
import type { Tool, ToolSet } from "ai";
import { enforceExecute, type Execute } from "./enforce-execute.ts";
import { handOffExecute, type HandOff, type HandOffs } from "./hand-off.ts";
import { definitionOf } from "./to-call.ts";

export interface ProtectOptions<TOOLS extends ToolSet, INPUTS extends Readonly<Record<string, unknown>>> {
  /** Tools with an `execute` of their own, also those of an MCP client. */
  readonly tools: TOOLS;
  /** Further tools, each of which hands off to another agent. */
  readonly handOffs?: HandOffs<INPUTS> | undefined;
  /** The task to act under, or a function that is asked at every call; `undefined` is a deny. */
  readonly envelope: EnvelopeSource;
}

/** To spread into `generateText`, `streamText` or `ToolLoopAgent`. */
export interface Protected<TOOLS extends ToolSet, INPUTS extends Readonly<Record<string, unknown>>> {
  readonly tools: TOOLS & { readonly [NAME in keyof INPUTS]: Tool<INPUTS[NAME], unknown> };
}

/**
 * Tools that ask before they run. Each is a frozen copy whose `execute` stands behind the enforcement point; everything else of it is kept, except
 * `onInputStart`, `onInputDelta` and `onInputAvailable`: the SDK calls these before anything is decided, so what they do would escape a deny.
 *
 * Refuses (`option_invalid`) a tool that cannot be enforced, instead of passing it through: one without an `execute` of its own, one that the provider
 * executes, one that is marked so that the SDK replaces its `execute` (a tool search, a tool caller); and a hand-off with the name of a tool.
 */
export function protect<TOOLS extends ToolSet, INPUTS extends Readonly<Record<string, unknown>> = Record<never, never>>(
  pep: Pep,
  options: ProtectOptions<TOOLS, INPUTS>,
): Protected<TOOLS, INPUTS> {
  const { tools, handOffs = {}, envelope } = options;
  const covered = Object.entries(tools).map(([name, tool]) => [name, enforceTool(pep, envelope, name, tool)] as const);
  const handingOff = Object.entries<HandOff<never>>(handOffs).map(([name, handOff]) => {
    if (Object.hasOwn(tools, name)) throw new AmbitError("option_invalid", `\`${name}\` is both a tool and a hand-off`);
    const { description, inputSchema } = handOff;
    return [name, Object.freeze({ description, inputSchema, execute: handOffExecute(pep, envelope, handOff) })] as const;
  });
  // INVARIANT I14: own properties only, so that a model that names `constructor` finds no tool.
  const all: unknown = Object.setPrototypeOf(Object.fromEntries([...covered, ...handingOff]), null);
  return Object.freeze({ tools: Object.freeze(all) as Protected<TOOLS, INPUTS>["tools"] });
}

/** INVARIANT I3: callbacks of a tool that the SDK runs before `execute`. */
const EARLY_CALLBACKS: ReadonlySet<string> = new Set(["onInputStart", "onInputDelta", "onInputAvailable"]);

function enforceTool(pep: Pep, envelope: EnvelopeSource, name: string, tool: unknown): unknown {
  const refuse = (reason: string): never => {
    throw new AmbitError("option_invalid", `tool \`${name}\` cannot be enforced: ${reason}`);
  };
  if (!isPlainObject(tool)) return refuse("it is not a plain object");
  // A tool search and a tool caller are marked so, and run a function that the SDK puts in the place of `execute`.
  if (Reflect.ownKeys(tool).length !== Object.keys(tool).length || "experimental_toolCaller" in tool)
    return refuse("it is marked so that the SDK replaces its `execute`");

  const kept = Object.fromEntries(Object.entries(tool).filter(([member]) => !EARLY_CALLBACKS.has(member)));
  const { type, isProviderExecuted, execute } = kept;
  const isOfProvider = type !== undefined && type !== "function" && type !== "dynamic";
  if (isProviderExecuted === true || (isOfProvider && isProviderExecuted !== false)) return refuse("the provider executes it");
  if (typeof execute !== "function") return refuse("it has no `execute`, so it runs elsewhere");
  // Bound, since a tool may refer to itself as `this`; what is bound is still a generator function.
  const covered = enforceExecute(pep, { envelope, name, definition: definitionOf(name, kept) }, execute.bind(tool) as Execute);
  return Object.freeze({ ...kept, execute: covered });
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
