import { AmbitError, isJsonObject, isToolId, own, type JsonObject } from "@ambit/core";
import { createEgress, type EgressOptions } from "../../egress/egress.ts";
import type { RequestOptions, Upstream } from "../upstream.ts";
import { failed, toResult } from "./answer.ts";
import { readDocument, type Document } from "./document.ts";
import { readOperations, type LeftOut, type Operation } from "./operation.ts";
import { toRequest } from "./request.ts";
import { readServer } from "./server.ts";

export interface OpenApiUpstreamOptions
  extends Pick<Upstream, "name" | "prefix" | "connector" | "timeout">, Pick<EgressOptions, "allowPrivate" | "ca" | "maxResponseBytes"> {
  /** A document of OpenAPI 3.0 or 3.1, as `JSON.parse` gives it. It is read once. */
  readonly document: unknown;
  /** The address that all paths are below. @defaultValue the first of the document's `servers`, where that is absolute and has no variables */
  readonly server?: string | undefined;
}

export interface OpenApiUpstream extends Upstream {
  /** Operations of the document that are no tools, with the reason. */
  readonly leftOut: readonly LeftOut[];
}

const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;

/**
 * A plain HTTP API, each operation of its OpenAPI document a tool. Nothing goes anywhere but to paths of the document at its one server. Refuses (`option_invalid`) what is no such document, two
 * operations of one name, and names that are none for tools.
 */
export function openApiUpstream(options: OpenApiUpstreamOptions): OpenApiUpstream {
  const { document: given, server, allowPrivate, ca, maxResponseBytes, ...common } = options;
  const { timeout = 60_000, prefix = "" } = common;
  const document: Document = readDocument(given);
  const { origin, path } = readServer(document, server);
  const { operations, leftOut } = readOperations(document, path);
  if (!operations.every(({ name }) => isToolId(`${prefix}${name}`)))
    throw new AmbitError("option_invalid", "`prefix` makes names that no tool can have: letters, digits, _ . -, at most 128");
  const byName = new Map(operations.map((operation) => [operation.name, operation]));
  const tools = operations.map(({ definition }) => definition);
  const egress = createEgress({ origins: [origin], allowPrivate, ca, maxResponseBytes, deadline: timeout });

  const call = async (operation: Operation, args: JsonObject, { signal, headers: credential = {} }: RequestOptions): Promise<JsonObject> => {
    let request: ReturnType<typeof toRequest>;
    try {
      request = toRequest(operation, args);
    } catch (error) {
      if (AmbitError.isInstance(error) && error.code === "argument_not_allowed") return failed(`Nothing was sent: ${error.message}.`);
      throw error;
    }
    const { target, headers, body } = request;
    const response = await egress.fetch(`${origin}${target}`, {
      method: operation.method,
      // As a list, so that an argument and the credential in one header are refused.
      headers: [...headers, ...Object.entries(credential)] as [string, string][],
      // Where an answer sends on to, nobody decided.
      redirect: "manual",
      signal,
      ...(body === undefined ? {} : { body }),
    });
    return toResult(response, operation.isSafe);
  };

  return {
    ...common,
    leftOut,
    open: async () => ({
      capabilities: { tools: {} },
      instructions: undefined,
      request: async (method, params, requestOptions) => {
        if (method === "tools/list") return { tools };
        if (method !== "tools/call") throw rpcError(METHOD_NOT_FOUND, "an HTTP API has tools alone");
        const [name, args = {}] = [own(params, "name"), own(params, "arguments")];
        const operation = typeof name === "string" ? byName.get(name) : undefined;
        if (operation === undefined || !isJsonObject(args)) throw rpcError(INVALID_PARAMS, "there is no such tool");
        return call(operation, args, requestOptions);
      },
      close: async () => undefined,
    }),
  };
}

/** What `UpstreamError` is as an exception. */
function rpcError(code: number, message: string): Error {
  return Object.assign(new Error(message), { code });
}
