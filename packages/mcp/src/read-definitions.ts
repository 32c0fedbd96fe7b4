import { isJsonObject, own, randomText, type Json, type JsonObject } from "@ambit/core";
import type { Definitions } from "./definitions.ts";
import type { Request, RequestId } from "./json-rpc.ts";

/** Lists of the adapter's own: what a client shows of them, and when it asks for them again, is its own affair. */
export interface ListReader {
  /** Reads the definitions from the server; `meta` says in which protocol. Never rejects; what cannot be read is not known. */
  read(meta: JsonObject, signal: AbortSignal): Promise<void>;
  /** Takes an answer that is its own; false when it is not. */
  take(id: RequestId, result: unknown): boolean;
}

const MOST_PAGES = 100;
/** Milliseconds for one page. */
const PATIENCE = 5000;

export function createListReader(definitions: Definitions, send: (request: Request) => Promise<void>): ListReader {
  const asked = new Map<RequestId, (result: unknown) => void>();
  let reading: Promise<void> | undefined;

  const ask = (request: Request): Promise<unknown> =>
    new Promise((resolve) => {
      const end = (result: unknown): void => {
        clearTimeout(timer);
        asked.delete(request.id);
        resolve(result);
      };
      const timer = setTimeout(() => end(undefined), PATIENCE);
      asked.set(request.id, end);
      send(request).catch(() => end(undefined));
    });

  const readAll = async (meta: JsonObject): Promise<void> => {
    let cursor: Json | undefined;
    for (let page = 0; page < MOST_PAGES; page++) {
      const request = listRequest(cursor, meta);
      const remember = definitions.list(request);
      const result = await ask(request);
      // A server that does not answer has no tools that match a pin, until it is asked again.
      remember(result);
      cursor = isJsonObject(result as Json) ? own(result as JsonObject, "nextCursor") : undefined;
      if (cursor === undefined) return;
    }
  };

  return {
    read: async (meta, signal) => {
      reading ??= readAll(meta).finally(() => (reading = undefined));
      const end = new AbortController();
      const aborted = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true, signal: end.signal });
      });
      await Promise.race([reading, aborted]);
      end.abort();
    },
    take: (id, result) => {
      const end = asked.get(id);
      end?.(result);
      return end !== undefined;
    },
  };
}

function listRequest(cursor: Json | undefined, meta: JsonObject): Request {
  const hasMeta = Object.keys(meta).length > 0;
  const params = { ...(cursor === undefined ? {} : { cursor }), ...(hasMeta ? { _meta: meta } : {}) };
  const [id, method] = [`ambit-${randomText()}`, "tools/list"];
  return { kind: "request", id, method, params, wire: { jsonrpc: "2.0", id, method, params } };
}
