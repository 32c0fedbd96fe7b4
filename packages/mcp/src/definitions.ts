import { definitionDigest, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { paramsOf, type Request } from "./json-rpc.ts";

/** What the client has read of the server's tools. */
export interface Definitions {
  /** The digest of the tool in the list that was read last. `undefined`, which no pin matches: it is not in it, or more than once. */
  of(tool: string): string | undefined;
  /** Until they are listed again nobody knows what the tools are. */
  forget(): void;
  /** To be called when a `tools/list` is sent; what it returns takes the result. */
  list(request: Request): (result: unknown) => void;
}

type Digests = Map<string, string | undefined>;

export function createDefinitions(): Definitions {
  let last: Digests | undefined;
  return {
    of: (tool) => last?.get(tool),
    forget: () => void (last = undefined),
    list: (request) => {
      const isPage = own(paramsOf(request), "cursor") !== undefined;
      // A page belongs to the list that it was asked in: what the server says in between must not make it the beginning of another.
      const list: Digests | undefined = isPage ? last : new Map();
      return (result) => {
        if (!isPage) last = list;
        if (list !== undefined) addTo(list, result);
      };
    },
  };
}

function addTo(list: Digests, result: unknown): void {
  const tools = isJsonObject(result as Json) ? own(result as JsonObject, "tools") : undefined;
  for (const tool of Array.isArray(tools) ? (tools as readonly Json[]) : []) {
    const name = isJsonObject(tool) ? own(tool, "name") : undefined;
    if (typeof name !== "string") continue;
    const digest = definitionDigest(tool as JsonObject & { readonly name: string });
    // Of two tools with one name, on one page or on two, one would match the pin and the other be shown to the model.
    list.set(name, list.has(name) && list.get(name) !== digest ? undefined : digest);
  }
}
