import type { JsonObject, Pointer } from "@ambit/core";

/** What a call can do to the world. `destructive` cannot be undone. */
export type Effect = "read" | "write" | "destructive";

/** A name by which a framework or a server calls the tool, and the pin of its definition there. */
export interface ToolName {
  readonly name: string;
  /** The operator's name for the server; absent for a tool that the application defines itself. */
  readonly server?: string;
  /** `definitionDigest()` of the tool as this framework sees it, or `none`: its definition is not pinned. */
  readonly pin: string;
}

/** Where a resource constraint shows: in the arguments, in the result, or nowhere because it does not apply. */
export type ConstraintMapping = { readonly argument?: Pointer; readonly result?: Pointer } | "not_applicable";

/** How many records a call returns. */
export interface RecordsRule {
  /** Names the list of records in the result; `""` is the whole result, which counts as one record when it is not a list. */
  readonly result: Pointer;
  /** Names the argument that limits how many are returned. */
  readonly limit?: Pointer;
  /** How many are returned at most when nothing limits them. */
  readonly most: number;
}

/** The argument with the amount in minor units, and the currency: a code, or the argument that names it. */
export interface MoneyRule {
  readonly amount: Pointer;
  readonly currency: string;
  /** Names what was really spent in the result, in the same units; what it says beyond the argument's amount is on the record, and not spent from any budget. */
  readonly result?: Pointer;
}

/** What the decision point must know of a tool and its framework does not. Whatever is left out is taken in the strictest sense. */
export interface ToolEntry {
  readonly id: string;
  readonly names: readonly ToolName[];
  /** JSON Schema (2020-12) of the arguments, closed: arguments it does not name are refused. No `pattern`, no `$ref`. */
  readonly inputSchema: JsonObject;
  readonly effect: Effect;
  /** The thing acted upon; absent: the tool itself. */
  readonly resource?: { readonly type: string; readonly id: Pointer };
  readonly constraints: ReadonlyMap<string, ConstraintMapping>;
  /** Absent: unknown, which no envelope with `max_records` or a budget of records allows. */
  readonly records?: RecordsRule | "none";
  /** Classes of the whole result, or by field; absent: unknown. */
  readonly dataClasses?: readonly string[] | ReadonlyMap<string, readonly Pointer[]>;
  /** How much harm the call can do, by the operator's own measure: from 0, none, to 100, which is also what is left out. */
  readonly risk: number;
  /** Whether the result can be trusted not to carry somebody else's instructions. */
  readonly output: "trusted" | "untrusted";
  /** Whether the call sends data to somewhere outside. */
  readonly sendsOutside: boolean;
  /** What the call spends; absent: unknown, which no envelope with a budget of money allows unless the tool only reads. */
  readonly money?: MoneyRule | "none";
}

export interface Manifest {
  readonly tools: ReadonlyMap<string, ToolEntry>;
  /** The tool that goes by this name at this server (or at no server). INVARIANT I14: exact. */
  resolve(name: string, server: string | undefined): { readonly entry: ToolEntry; readonly pin: string } | undefined;
}
