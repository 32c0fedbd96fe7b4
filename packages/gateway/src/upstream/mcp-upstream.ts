import { AsyncLocalStorage } from "node:async_hooks";
import { isJsonObject, type Json, type JsonObject } from "@ambit/core";
import { Client, fromJsonSchema, StreamableHTTPClientTransport, type Transport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { withHeaders, withQuery } from "../credentials/carry.ts";
import type { Carried, Connector } from "../credentials/connector.ts";
import { createEgress, type EgressOptions } from "../egress/egress.ts";
import type { Upstream, UpstreamClient, UpstreamConnection } from "./upstream.ts";

interface Common extends Pick<Upstream, "name" | "prefix" | "connector" | "timeout"> {
  /** The revision of the protocol: `2026-07-28` without sessions, `2025-11-25` and before with them. @defaultValue the newest that the server has */
  readonly era?: "stateless" | "sessions" | undefined;
}

export interface HttpUpstreamOptions extends Common, Pick<EgressOptions, "allowPrivate" | "ca" | "maxResponseBytes"> {
  readonly url: string;
}

export interface StdioUpstreamOptions extends Common {
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** All of its environment; nothing of ours goes along. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
}

/** An MCP server over Streamable HTTP. Nothing goes anywhere but to its origin. */
export function httpUpstream({ url, allowPrivate, ca, maxResponseBytes, ...common }: HttpUpstreamOptions): Upstream {
  const address = new URL(url);
  const { timeout = 60_000 } = common;
  const egress = createEgress({ origins: [address.origin], allowPrivate, ca, maxResponseBytes, deadline: timeout });
  return mcpUpstream(common, (connector) => {
    const send = async (input: string | URL, init?: RequestInit): Promise<Response> => {
      const ofNone = ofAction.getStore() === undefined;
      await using credential = ofNone ? await connector?.obtain(undefined, init?.signal ?? new AbortController().signal) : undefined;
      const { headers, query } = ofAction.getStore() ?? credential ?? {};
      return await egress.fetch(withQuery(input, query), { ...init, headers: withHeaders(init?.headers, headers) });
    };
    return new StreamableHTTPClientTransport(address, { fetch: send });
  });
}

/** An MCP server in a process of its own, started for each connection. Its credentials are in its environment, where no action can have one of its own. */
export function stdioUpstream({ command, args = [], env = {}, cwd, ...common }: StdioUpstreamOptions): Upstream {
  return mcpUpstream(
    common,
    () => new StdioClientTransport({ command, args: [...args], env: { ...env }, stderr: "ignore", ...(cwd === undefined ? {} : { cwd }) }),
  );
}

/** What the credential of the action puts in that is being carried out; what is sent outside of one (setting up, lists) has a credential of its own. */
const ofAction = new AsyncLocalStorage<Carried>();

const ANYTHING = fromJsonSchema<JsonObject>({ type: "object" });

function mcpUpstream({ era, connector, ...common }: Common, transportOf: (connector: Connector | undefined) => Transport): Upstream {
  return {
    ...common,
    connector,
    open: async (of) => {
      const open = async (mode: Mode): Promise<UpstreamConnection> => {
        const client = clientFor(of, mode);
        await client.connect(transportOf(connector));
        // Not before: what is given up on the way here was never there.
        client.onclose = of.onClose;
        return connectionOf(client);
      };
      if (era !== undefined) return open(era === "stateless" ? { pin: "2026-07-28" } : "legacy");
      return of.isSession ? open("legacy").catch(() => open("auto")) : open("auto");
    },
  };
}

type Mode = "auto" | "legacy" | { readonly pin: string };

function clientFor({ capabilities, onRequest, onNotification }: UpstreamClient, mode: Mode): Client {
  const client = new Client({ name: "ambit-gateway", version: "0" }, { capabilities, versionNegotiation: { mode }, inputRequired: { autoFulfill: false } });
  client.fallbackRequestHandler = ({ method, params }) => onRequest(method, (params ?? {}) as JsonObject);
  client.fallbackNotificationHandler = async ({ method, params }) => onNotification(method, (params ?? {}) as JsonObject);
  return client;
}

function connectionOf(client: Client): UpstreamConnection {
  return {
    capabilities: (client.getServerCapabilities() ?? {}) as JsonObject,
    instructions: client.getInstructions(),
    request: (method, params, { signal, timeout, headers, query, definition, onProgress }) => {
      const options = {
        signal,
        timeout,
        allowInputRequired: true,
        ...(onProgress === undefined
          ? {}
          : { onprogress: (progress: object) => onProgress(progress as JsonObject), resetTimeoutOnProgress: true, maxTotalTimeout: 10 * timeout }),
      };
      const send = async (): Promise<JsonObject> => {
        // The SDK mirrors arguments into headers where the definition says so; what results look like is for the client to say.
        const answer: unknown =
          method === "tools/call" && definition !== undefined && client.getProtocolEra() === "modern"
            ? await client.callTool(params as never, { ...options, toolDefinition: withoutOutput(definition) as never })
            : await client.request({ method, params } as never, ANYTHING, options);
        return isJsonObject(answer as Json) ? (answer as JsonObject) : {};
      };
      return ofAction.run({ headers, query }, send);
    },
    close: () => client.close(),
  };
}

function withoutOutput({ outputSchema: _, ...definition }: JsonObject): JsonObject {
  return definition;
}
