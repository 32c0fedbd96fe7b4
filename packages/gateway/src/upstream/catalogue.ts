import { AmbitError, definitionDigest, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { isNameOfMethod, LISTS } from "@ambit/mcp/messages";
import { carriedOf } from "../credentials/carry.ts";
import { createScrubber } from "../scrub/scrubber.ts";
import { mirrorsSecret } from "./mirrored-headers.ts";
import type { Upstream, UpstreamConnection } from "./upstream.ts";

/** What an upstream has, as it says without being asked for anybody in particular. */
export interface Catalogue {
  readonly upstream: Upstream;
  capabilities(): Promise<JsonObject>;
  instructions(): Promise<string | undefined>;
  /** All elements of a list (`tools/list`, …), in their order; none where the upstream has no such list. */
  list(method: string): Promise<readonly JsonObject[]>;
  /** A tool as it is listed now; `undefined` where it is not, or more than once. */
  tool(name: string): Promise<ListedTool | undefined>;
  close(): Promise<void>;
}

export interface ListedTool {
  readonly definition: JsonObject;
  /** `definitionDigest` of it. */
  readonly digest: string;
}

export interface CatalogueOptions {
  /** Milliseconds for which what was read counts as what is. */
  readonly lifetime: number;
  readonly now: () => number;
  /** Told that a list (`tools/list`, …) is not what it was. */
  readonly onChanged: (method: string) => void;
}

interface Read {
  readonly since: number;
  readonly elements: Promise<readonly JsonObject[]>;
}

const CHANGES: ReadonlyMap<string, readonly string[]> = new Map([
  ["notifications/tools/list_changed", ["tools/list"]],
  ["notifications/prompts/list_changed", ["prompts/list"]],
  ["notifications/resources/list_changed", ["resources/list", "resources/templates/list"]],
]);
const MOST_PAGES = 64;
const MOST_ELEMENTS = 10_000;

/** One connection to the upstream, for everybody: opened when it is first needed, and again when it is gone. */
export function createCatalogue(upstream: Upstream, { lifetime, now, onChanged }: CatalogueOptions): Catalogue {
  const { timeout = 60_000 } = upstream;
  const lists = new Map<string, Read>();
  let tools: { readonly from: readonly JsonObject[]; readonly byName: ReadonlyMap<string, ListedTool | undefined> } | undefined;
  let opening: Promise<UpstreamConnection> | undefined;

  const forget = (): void => {
    opening = undefined;
    lists.clear();
  };
  const connect = (): Promise<UpstreamConnection> => {
    opening ??= upstream
      .open({
        capabilities: {},
        isSession: false,
        onRequest: async () => Promise.reject(new AmbitError("tool_unmapped", "nobody is there to be asked")),
        onNotification: (method) => {
          for (const list of CHANGES.get(method) ?? []) {
            lists.delete(list);
            onChanged(list);
          }
        },
        onClose: forget,
      })
      .catch((error: unknown) => {
        forget();
        throw error;
      });
    return opening;
  };

  const readAll = async (method: string, member: string): Promise<readonly JsonObject[]> => {
    const connection = await connect();
    if (own(connection.capabilities, member === "resourceTemplates" ? "resources" : member) === undefined) return [];
    await using credential = await upstream.connector?.obtain(undefined, AbortSignal.timeout(timeout));
    using scrubber = credential && createScrubber(credential.secrets);
    const elements: JsonObject[] = [];
    let cursor: Json | undefined;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const params: JsonObject = cursor === undefined ? {} : { cursor };
      const options = { signal: AbortSignal.timeout(timeout), timeout, ...carriedOf(credential) };
      const listed = await connection.request(method, params, options);
      const result = scrubber === undefined ? listed : (scrubber.value(listed) as JsonObject);
      const given = own(result, member);
      for (const element of Array.isArray(given) ? (given as readonly Json[]) : []) if (isJsonObject(element)) elements.push(element);
      cursor = own(result, "nextCursor");
      if (cursor === undefined) return elements;
      if (elements.length > MOST_ELEMENTS) break;
    }
    throw new AmbitError("pdp_response_invalid", `the list of \`${upstream.name}\` has no end`);
  };

  const list = (method: string): Promise<readonly JsonObject[]> => {
    const known = lists.get(method);
    const age = known === undefined ? NaN : now() - known.since;
    // A clock that went backwards says nothing about the age.
    if (known !== undefined && age >= 0 && age < lifetime) return known.elements;
    const read: Read = { since: now(), elements: readAll(method, LISTS.get(method)?.member ?? "") };
    lists.set(method, read);
    read.elements.catch(() => void (lists.get(method) === read && lists.delete(method)));
    return read.elements;
  };

  return {
    upstream,
    capabilities: async () => (await connect()).capabilities,
    instructions: async () => (await connect()).instructions,
    list: async (method) => (method === "tools/list" ? (await list(method)).filter(isUsable) : list(method)),
    tool: async (name) => {
      const from = await list("tools/list");
      if (tools?.from !== from) tools = { from, byName: byName(from) };
      return tools.byName.get(name);
    },
    close: async () => {
      const connection = await opening?.catch(() => undefined);
      forget();
      await connection?.close();
    },
  };
}

/** INVARIANT I14: a tool with the name of a method is none, and neither is one that would have a secret sent along in a header. */
function isUsable(tool: JsonObject): boolean {
  const name = own(tool, "name");
  return typeof name === "string" && !isNameOfMethod(name) && !mirrorsSecret(tool);
}

function byName(tools: readonly JsonObject[]): ReadonlyMap<string, ListedTool | undefined> {
  const found = new Map<string, ListedTool | undefined>();
  for (const definition of tools) {
    if (!isUsable(definition)) continue;
    const { name } = definition as JsonObject & { readonly name: string };
    const digest = definitionDigest(definition as JsonObject & { readonly name: string });
    if (digest === undefined) continue;
    // Of two tools with one name, one would match the pin and the other be shown to the model.
    found.set(name, found.has(name) && found.get(name)?.digest !== digest ? undefined : { definition, digest });
  }
  return found;
}
