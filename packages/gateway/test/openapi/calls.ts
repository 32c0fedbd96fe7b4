import type { JsonObject } from "@ambit/core";
import { openApiUpstream, type OpenApiUpstreamOptions, type RequestOptions } from "../../src/index.ts";

export interface Result {
  readonly isError?: boolean;
  readonly structuredContent?: unknown;
  readonly content: readonly { readonly text: string }[];
}

type Options = Omit<OpenApiUpstreamOptions, "name">;
const NOBODY = { capabilities: {}, isSession: false, onRequest: async () => ({}), onNotification: () => undefined, onClose: () => undefined };

/** An upstream of a document, asked without a gateway before it. */
export async function connectApi(options: Options) {
  const upstream = openApiUpstream({ name: "api", allowPrivate: ["127.0.0.1"], ...options });
  const connection = await upstream.open(NOBODY);
  const sending = (more: Partial<RequestOptions> = {}): RequestOptions => ({ signal: AbortSignal.timeout(20_000), timeout: 20_000, ...more });
  return {
    leftOut: upstream.leftOut,
    tools: async () => (await connection.request("tools/list", {}, sending()))["tools"] as unknown as readonly (JsonObject & { readonly name: string })[],
    call: async (name: string, args: JsonObject, more: Partial<RequestOptions> = {}) =>
      (await connection.request("tools/call", { name, arguments: args }, sending(more))) as unknown as Result,
    request: (method: string, params: JsonObject) => connection.request(method, params, sending()),
  };
}

/** A document of one operation, `GET` (or the given method) of `path`. */
export function documentOf(path: string, parameters: readonly object[], more: object = {}, method = "get"): object {
  const operation = { operationId: "it", parameters, responses: {}, ...more };
  return { openapi: "3.1.0", info: { title: "t", version: "1" }, servers: [{ url: "https://api.example.com" }], paths: { [path]: { [method]: operation } } };
}
