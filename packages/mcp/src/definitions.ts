import { definitionDigest, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { paramsOf, type Request } from "./json-rpc.ts";

/** What is known of the server's tools. */
export interface Definitions {
  /** The digest of the tool in the list that was read last. `undefined`, which no pin matches: it is not in it, or more than once. */
  of(tool: string): string | undefined;
  /** Whether the list was never read, has changed, is older than it may be, or was not read to its end and does not have the tool so far. */
  isUnknown(tool: string): boolean;
  /** The names in the list that was read last. */
  names(): readonly string[];
  /** Until they are listed again nobody knows what the tools are. */
  forget(): void;
  /** To be called when a `tools/list` is sent; what it returns takes the result. */
  list(request: Request): (result: unknown) => void;
}

interface Listed {
  readonly digests: Map<string, string | undefined>;
  /** Milliseconds since the epoch. */
  readonly since: number;
  isWhole: boolean;
}

/** `lifetime`: milliseconds for which what was read counts as what is. */
export function createDefinitions(lifetime: number, now: () => number): Definitions {
  let last: Listed | undefined;
  let generation = 0;
  return {
    of: (tool) => last?.digests.get(tool),
    isUnknown: (tool) => {
      if (last === undefined) return true;
      const age = now() - last.since;
      // A clock that went backwards says nothing about the age.
      return !(age >= 0 && age < lifetime) || (!last.isWhole && !last.digests.has(tool));
    },
    names: () => [...(last?.digests.keys() ?? [])],
    forget: () => {
      last = undefined;
      generation += 1;
    },
    list: (request) => {
      const isPage = own(paramsOf(request), "cursor") !== undefined;
      // A page belongs to the list that it was asked in: what the server says in between must not make it the beginning of another.
      const list: Listed | undefined = isPage ? last : { digests: new Map(), since: now(), isWhole: false };
      const asked = generation;
      return (result) => {
        // What was asked before the server said that its list has changed may be the list before the change.
        if (list === undefined || asked !== generation) return;
        if (!isPage) last = list;
        addTo(list, result);
      };
    },
  };
}

function addTo(list: Listed, result: unknown): void {
  const members = isJsonObject(result as Json) ? (result as JsonObject) : {};
  const tools = own(members, "tools");
  list.isWhole = own(members, "nextCursor") === undefined;
  for (const tool of Array.isArray(tools) ? (tools as readonly Json[]) : []) {
    const name = isJsonObject(tool) ? own(tool, "name") : undefined;
    if (typeof name !== "string") continue;
    const digest = definitionDigest(tool as JsonObject & { readonly name: string });
    // Of two tools with one name, on one page or on two, one would match the pin and the other be shown to the model.
    list.digests.set(name, list.digests.has(name) && list.digests.get(name) !== digest ? undefined : digest);
  }
}
