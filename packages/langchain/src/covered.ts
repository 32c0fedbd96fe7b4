import type { ClientTool } from "@langchain/core/tools";

// Symbols of the registry, so that two copies of this package in one process understand each other.
const COVERED = Symbol.for("ambit.langchain.covered");

/** Marks a tool of which every call is decided. What LangChain tells its callbacks of a tool is its `toJSON()`, so that carries the mark, too, where nobody prints it. */
export function covered<T extends ClientTool>(tool: T): T {
  const { toJSON } = tool as unknown as { toJSON(): object };
  return mark(Object.defineProperty(tool, "toJSON", { value: () => mark(toJSON.call(tool)) }));
}

function mark<T extends object>(value: T): T {
  return Object.defineProperty(value, COVERED, { value: true });
}

/** Own properties only: an heir of a covered tool can have another body. */
export function isCovered(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, COVERED);
}
