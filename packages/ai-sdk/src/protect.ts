import { AmbitError, type EnvelopeSource, type Pep } from "@ambit/core";
import type { Tool, ToolSet } from "ai";
import { markCovered } from "./coverage.ts";
import { enforceExecute, type Execute } from "./enforce-execute.ts";
import { handOffExecute, type HandOff, type HandOffs } from "./hand-off.ts";
import { needsApproval, type NeedsApproval } from "./needs-approval.ts";
import { createPendingCalls } from "./pending-calls.ts";
import { definitionOf } from "./to-call.ts";
import { kindOf } from "./tool-kind.ts";

export interface ProtectOptions<TOOLS extends ToolSet, INPUTS extends Readonly<Record<string, unknown>>> {
  /** Tools with an `execute` of their own, also those of an MCP client. */
  readonly tools: TOOLS;
  /** Further tools, each of which hands off to another agent. */
  readonly handOffs?: HandOffs<INPUTS> | undefined;
  /** The task to act under, or a function that is asked at every call; `undefined` is a deny. */
  readonly envelope: EnvelopeSource;
  /**
   * Names of those `tools` that run where nobody asks, at the provider of the model or at the client, and that are to be offered all the same. No call of them is decided
   * or recorded.
   *
   * @defaultValue none: such a tool is refused
   */
  readonly undecided?: readonly (keyof TOOLS & string)[] | undefined;
}

/** To spread into `generateText`, `streamText` or `ToolLoopAgent`. */
export interface Protected<TOOLS extends ToolSet, INPUTS extends Readonly<Record<string, unknown>>> {
  readonly tools: TOOLS & { readonly [NAME in keyof INPUTS]: Tool<INPUTS[NAME], unknown> };
}

/**
 * Tools that ask before they run. Each is a frozen copy whose `execute` stands behind the enforcement point, and whose `needsApproval` pauses a run of ai 6 or 7 for a
 * call that has to be approved; everything else of it is kept, except `onInputStart`, `onInputDelta` and `onInputAvailable`: the SDK calls these before anything is
 * decided, so what they do would escape a deny.
 *
 * Refuses (`option_invalid`) a tool that cannot be enforced, instead of passing it through: one without an `execute` of its own, one that the provider executes (each
 * unless it is named in `undecided`), one that is marked so that the SDK replaces its `execute` (a tool search, a tool caller); a hand-off with the name of a tool; and a
 * name in `undecided` that is of no such tool.
 */
export function protect<TOOLS extends ToolSet, INPUTS extends Readonly<Record<string, unknown>> = Record<never, never>>(
  pep: Pep,
  options: ProtectOptions<TOOLS, INPUTS>,
): Protected<TOOLS, INPUTS> {
  const { tools, handOffs = {}, envelope, undecided = [] } = options;
  for (const name of undecided) if (!Object.hasOwn(tools, name)) throw new AmbitError("option_invalid", `there is no tool \`${name}\` to leave undecided`);
  const covered = Object.entries(tools).map(([name, tool]) => [name, enforceTool(pep, envelope, name, tool, undecided.includes(name))] as const);
  const handingOff = Object.entries<HandOff<never>>(handOffs).map(([name, handOff]) => {
    if (Object.hasOwn(tools, name)) throw new AmbitError("option_invalid", `\`${name}\` is both a tool and a hand-off`);
    const { description, inputSchema } = handOff;
    return [name, Object.freeze({ description, inputSchema, execute: markCovered(handOffExecute(pep, envelope, handOff), "ai-sdk hand-off") })] as const;
  });
  // INVARIANT I14: own properties only, so that a model that names `constructor` finds no tool.
  const all: unknown = Object.setPrototypeOf(Object.fromEntries([...covered, ...handingOff]), null);
  return Object.freeze({ tools: Object.freeze(all) as Protected<TOOLS, INPUTS>["tools"] });
}

/** INVARIANT I3: callbacks of a tool that the SDK runs before `execute`. */
const EARLY_CALLBACKS: ReadonlySet<string> = new Set(["onInputStart", "onInputDelta", "onInputAvailable"]);

function enforceTool(pep: Pep, envelope: EnvelopeSource, name: string, tool: unknown, isUndecided: boolean): unknown {
  const refuse = (reason: string): never => {
    throw new AmbitError("option_invalid", `tool \`${name}\` cannot be enforced: ${reason}`);
  };
  if (!isPlainObject(tool)) return refuse("it is not a plain object");
  const kind = kindOf(tool);
  if (kind === "replaced") return refuse("it is marked so that the SDK replaces its `execute`");
  const kept = Object.fromEntries(Object.entries(tool).filter(([member]) => !EARLY_CALLBACKS.has(member)));
  if (kind !== "own") {
    if (isUndecided) return Object.freeze(kept);
    return refuse(kind === "provider" ? "the provider executes it" : "it has no `execute`, so it runs elsewhere");
  }
  if (isUndecided) throw new AmbitError("option_invalid", `tool \`${name}\` runs here, so its calls are decided; leave it out of \`undecided\``);
  const calls = createPendingCalls(pep, { envelope, name, definition: definitionOf(name, kept) });
  // Bound, since a tool may refer to itself as `this`; what is bound is still a generator function.
  const bound = (member: unknown): unknown => (typeof member === "function" ? (member.bind(tool) as unknown) : member);
  const execute = markCovered(enforceExecute(calls, bound(kept["execute"]) as Execute), "ai-sdk tool");
  return Object.freeze({ ...kept, execute, needsApproval: needsApproval(calls, bound(kept["needsApproval"]) as NeedsApproval | undefined) });
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
