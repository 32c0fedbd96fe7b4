// A symbol of the registry, so that two copies of this package in one process understand each other.
const COVERED = Symbol.for("ambit.langchain.covered");

/** The point of enforcement that every call comes by. */
export type Point = "langchain tool" | "langchain hand-off" | "langchain middleware";

/** Marks a tool of which every call is decided. What LangChain tells its callbacks of a tool is its `toJSON()`, so that carries the mark, too, where nobody prints it. */
export function covered<T extends object>(tool: T, by: Point): T {
  const { toJSON } = tool as { toJSON?(): object };
  const markedJson = function (this: unknown): object {
    const json = (toJSON as () => object).call(this);
    return this === tool ? mark(json, by) : json; // not that of an heir
  };
  if (toJSON !== undefined) Object.defineProperty(tool, "toJSON", { value: markedJson });
  return mark(tool, by);
}

function mark<T extends object>(value: T, by: Point): T {
  return Object.defineProperty(value, COVERED, { value: by });
}

/** What marked it. Own properties only: an heir of a covered tool can have another body. */
export function coveredBy(value: unknown): Point | undefined {
  return typeof value === "object" && value !== null && Object.hasOwn(value, COVERED) ? (value as { readonly [COVERED]: Point })[COVERED] : undefined;
}
