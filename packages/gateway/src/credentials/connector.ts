import type { JsonObject, ResourceConstraints } from "@ambit/core";

/** An action that was allowed, is on the record, and is about to run. */
export interface Action {
  readonly tenantId: string;
  readonly delegatorId: string;
  readonly agentId: string;
  readonly taskId: string;
  readonly purpose: string;
  readonly server: string;
  /** The name of the tool at its server, or the method. */
  readonly tool: string;
  readonly arguments: JsonObject;
  /** What the envelope allows at most. */
  readonly constraints: ResourceConstraints;
  readonly decisionId: string;
  /** Milliseconds since the epoch after which the action must not begin. */
  readonly until: number;
}

/** What a credential puts into one request. INVARIANT I10: into no envelope, record, span or result. */
export interface Carried {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Parameters of the address. */
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** For an upstream that logs in to something else than HTTP, such as a database. */
  readonly login?: { readonly user: string; readonly password: string } | undefined;
}

/** A credential for one action, until it is disposed of, which never rejects: then it is revoked where that can be, and its secrets are zeros. */
export interface Credential extends Carried, AsyncDisposable {
  /** Every value of it that must not come back. */
  readonly secrets: readonly Uint8Array[];
  /** What it allows beyond the action, for the record; absent where it allows nothing else. */
  readonly overPrivileged?: string | undefined;
}

/** Where credentials for actions come from. */
export interface Connector {
  /** The operator's name for it, in the record of each action and in the vault. */
  readonly name: string;
  /** Rejects (`credential_unavailable`) when there is none to be had: then the action does not run. `undefined`: for what no action is about, the setting up of connections and lists. */
  obtain(action: Action | undefined, signal: AbortSignal): Promise<Credential>;
}
