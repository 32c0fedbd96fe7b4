import type { JsonObject } from "@ambit/core";
import type { Carried, Connector } from "../credentials/connector.ts";

/** What stands behind the gateway: a server of tools, resources and prompts. */
export interface Upstream {
  /** The operator's name for it, as in the manifest; never what it says of itself. */
  readonly name: string;
  /** What the names of its tools and prompts begin with at the gateway, so that those of several upstreams differ. @defaultValue "" */
  readonly prefix?: string | undefined;
  /** Where the credential of each action comes from. Without it nothing goes along. */
  readonly connector?: Connector | undefined;
  /** Milliseconds for one request. @defaultValue 60,000 */
  readonly timeout?: number | undefined;
  open(client: UpstreamClient): Promise<UpstreamConnection>;
}

/** Whom a connection is for, and where goes what the upstream says unasked. */
export interface UpstreamClient {
  /** What the client can be asked for, in MCP's form. */
  readonly capabilities: JsonObject;
  /** Whether it keeps a session, in which it can be asked: then the upstream is asked for one as well, where it has both. */
  readonly isSession: boolean;
  /** Answers a request of the upstream, or rejects; nothing of it reaches the client otherwise. */
  onRequest(method: string, params: JsonObject): Promise<JsonObject>;
  onNotification(method: string, params: JsonObject): void;
  onClose(): void;
}

export interface UpstreamConnection {
  /** In MCP's form. */
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
  /** Sends a request and waits for its result. Rejects with the error of the upstream. */
  request(method: string, params: JsonObject, options: RequestOptions): Promise<JsonObject>;
  close(): Promise<void>;
}

/** What a credential puts into it goes to this upstream, with this request alone. */
export interface RequestOptions extends Carried {
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly timeout: number;
  /** With `tools/call`: the definition of the tool as it was listed and pinned. */
  readonly definition?: JsonObject | undefined;
  readonly onProgress?: ((progress: JsonObject) => void) | undefined;
}
