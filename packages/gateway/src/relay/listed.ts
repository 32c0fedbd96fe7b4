import { AmbitError, own, type JsonObject, type RefusalCode } from "@ambit/core";
import { denial, LISTS } from "@ambit/mcp/messages";
import type { Asker } from "./asker.ts";
import { INVALID_PARAMS, refusing, RequestFailure } from "./failure.ts";
import type { Offered, Routes } from "./routes.ts";

/**
 * Of what all upstreams list, what the envelope could use, on one page. It is one envelope's list from here on, so that no cache may take it for another's, nor for a later one's.
 * Rejects (`RequestFailure`) where what may be shown cannot be told.
 */
export async function listFor(
  routes: Routes,
  { method, params, asker }: { readonly method: string; readonly params: JsonObject; readonly asker: Asker },
): Promise<JsonObject> {
  const rule = LISTS.get(method);
  if (rule === undefined || own(params, "cursor") !== undefined) throw new RequestFailure(INVALID_PARAMS, "there is no such page");
  const elements = [...(await routes.list(method))];
  try {
    const shown = await usable(elements, asker, rule.method);
    return { [rule.member]: shown.map(({ element }) => element), ttlMs: 0, cacheScope: "private" };
  } catch (error) {
    const code = AmbitError.isInstance(error) ? (error.code as RefusalCode) : "pdp_unavailable";
    throw refusing(denial(code, "what there is to use cannot be told now"));
  }
}

/** `method`: what must be allowed for an element to be shown; without it, the tool of its own name. */
async function usable(elements: readonly Offered[], asker: Asker, method: string | undefined): Promise<readonly Offered[]> {
  const servers = [...new Set(elements.map(({ catalogue }) => catalogue.upstream.name))];
  const allowed = new Map(
    await Promise.all(
      servers.map(async (server) => {
        const names = elements.flatMap(({ catalogue, name }) => (catalogue.upstream.name === server ? [method ?? name] : []));
        return [server, await asker.offers([...new Set(names)], server)] as const;
      }),
    ),
  );
  return elements.filter(({ catalogue, name }) => allowed.get(catalogue.upstream.name)?.has(method ?? name) === true);
}
