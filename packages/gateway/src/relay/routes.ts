import { own, type JsonObject } from "@ambit/core";
import type { Catalogue } from "../upstream/catalogue.ts";

/** Where a request goes, and with what names there. */
export interface Destination {
  readonly catalogue: Catalogue;
  readonly params: JsonObject;
}

/** An element of a list, with the name that it has here. */
export interface Offered {
  readonly catalogue: Catalogue;
  /** Its name there. */
  readonly name: string;
  readonly element: JsonObject;
}

/** Which upstream has what. A name that two have is nobody's: it is refused rather than guessed (I14). */
export interface Routes {
  readonly catalogues: readonly Catalogue[];
  /** `undefined`: nobody has it. Never throws: an upstream that cannot be asked has nothing. */
  find(method: string, params: JsonObject): Promise<Destination | undefined>;
  /** The elements of a list of all upstreams; those of names that two have are left out. */
  list(method: string): Promise<Iterable<Offered>>;
}

/** What an element of a list is known by. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ["tools/list", "name"],
  ["prompts/list", "name"],
  ["resources/list", "uri"],
  ["resources/templates/list", "uriTemplate"],
]);

const OF_RESOURCES: ReadonlySet<string> = new Set(["resources/read", "resources/subscribe", "resources/unsubscribe"]);

type Merged = ReadonlyMap<string, Offered>;

export function createRoutes(catalogues: readonly Catalogue[]): Routes {
  /** The last merge of each list, and what it was made of: as long as no upstream reads its list anew there is nothing to merge. */
  const last = new Map<string, { readonly from: readonly (readonly JsonObject[])[]; readonly merged: Merged }>();

  const merged = async (method: string): Promise<Merged> => {
    const from = await Promise.all(catalogues.map(async (catalogue) => catalogue.list(method).catch(() => NOTHING)));
    const known = last.get(method);
    if (known !== undefined && known.from.every((list, index) => list === from[index])) return known.merged;
    const merge = mergeLists(catalogues, from, KEYS.get(method) ?? "name");
    last.set(method, { from, merged: merge });
    return merge;
  };

  const having = async (capability: string, params: JsonObject): Promise<Destination | undefined> => {
    const has = await Promise.all(catalogues.map(async (catalogue) => own(await catalogue.capabilities().catch(() => ({})), capability) !== undefined));
    const [first, second] = catalogues.filter((_, index) => has[index]);
    return first === undefined || second !== undefined ? undefined : { catalogue: first, params };
  };

  const byName = async (method: string, params: JsonObject): Promise<Destination | undefined> => {
    const name = own(params, "name");
    const found = typeof name === "string" ? (await merged(method)).get(name) : undefined;
    return found && { catalogue: found.catalogue, params: { ...params, name: found.name } };
  };

  /** A resource is of whoever lists it; one that nobody lists is of the only one that has resources at all. */
  const byUri = async (params: JsonObject): Promise<Destination | undefined> => {
    const uri = own(params, "uri");
    const found = typeof uri === "string" ? (await merged("resources/list")).get(uri) : undefined;
    return found === undefined ? having("resources", params) : { catalogue: found.catalogue, params };
  };

  const byReference = async (params: JsonObject): Promise<Destination | undefined> => {
    const reference = (own(params, "ref") ?? {}) as JsonObject;
    if (own(reference, "type") === "ref/resource") return having("completions", params);
    const prompt = await byName("prompts/list", reference);
    return prompt && { catalogue: prompt.catalogue, params: { ...params, ref: prompt.params } };
  };

  return {
    catalogues,
    list: async (method) => (await merged(method)).values(),
    find: async (method, params) => {
      if (method === "tools/call") return byName("tools/list", params);
      if (method === "prompts/get") return byName("prompts/list", params);
      if (OF_RESOURCES.has(method)) return byUri(params);
      if (method === "logging/setLevel") return having("logging", params);
      return method === "completion/complete" ? byReference(params) : undefined;
    },
  };
}

const NOTHING: readonly JsonObject[] = [];

function mergeLists(catalogues: readonly Catalogue[], lists: readonly (readonly JsonObject[])[], key: string): Merged {
  const found = new Map<string, Offered | undefined>();
  for (const [index, catalogue] of catalogues.entries()) {
    const { prefix = "" } = catalogue.upstream;
    for (const element of lists[index] ?? []) {
      const name = own(element, key);
      if (typeof name !== "string") continue;
      const here = key === "name" ? `${prefix}${name}` : name;
      found.set(here, found.has(here) ? undefined : { catalogue, name, element: { ...element, [key]: here } });
    }
  }
  return new Map([...found].filter((entry): entry is [string, Offered] => entry[1] !== undefined));
}
