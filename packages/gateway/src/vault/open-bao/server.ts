import { isJsonObject, own, type JsonObject } from "@ambit/core";
import { readMessage, type Transport } from "@ambit/core/pdp-client";
import { unavailable } from "../unavailable.ts";

export interface BaoQuestion {
  readonly method: "GET" | "POST";
  /** Below `/v1/`. */
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: JsonObject | undefined;
}

export interface BaoAnswer {
  readonly status: number;
  /** Empty for 204, and for what is none. */
  readonly body: JsonObject;
}

/** The HTTP API, one question at a time. */
export interface BaoServer {
  /** Rejects with `credential_unavailable` where there is no answer; an answer of any status is one. */
  ask(question: BaoQuestion, signal: AbortSignal): Promise<BaoAnswer>;
}

/** https://openbao.org/api-docs */
export function createServer(transport: Transport, namespace: string | undefined): BaoServer {
  return Object.freeze<BaoServer>({
    ask: async ({ method, path, token, body }, signal) => {
      const headers = {
        "x-vault-request": "true",
        ...(token === undefined ? {} : { "x-vault-token": token }),
        ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
      };
      const question = { method, path: `/v1/${path}`, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const answer = await transport.exchange(question, signal);
      if (answer.kind === "failure") throw unavailable("the vault's server cannot be asked", { hint: answer.message });
      const read = answer.text === "" ? { json: {} } : readMessage(answer.text);
      const isObject = "json" in read && isJsonObject(read.json);
      if (!isObject && isDone(answer.status)) throw unavailable("the vault's server answers what nobody can read");
      return { status: answer.status, body: isObject ? (read.json as JsonObject) : {} };
    },
  });
}

/** The body of an answer that is one. What the server says of an error is not told: it may quote what it was asked. */
export function bodyOf({ status, body }: BaoAnswer): JsonObject {
  if (isDone(status)) return body;
  if (status === 503) throw unavailable("the vault is sealed, or its server is down for maintenance");
  if (status === 403) throw unavailable("the vault's server does not allow it (status 403)");
  if (status === 404) throw unavailable("the vault has no such secret");
  if (status >= 300 && status < 400)
    throw unavailable("the vault's server sends elsewhere, which is not followed", { hint: `status ${status}; is it a standby?` });
  throw unavailable(`the vault's server answers with the status ${status}`);
}

/** Where 204 is documented, 200 comes when there are warnings. */
function isDone(status: number): boolean {
  return status === 200 || status === 204;
}

/** An object in an answer. Throws `credential_unavailable` when there is none. */
export function objectIn(body: JsonObject, member: string): JsonObject {
  const value = own(body, member);
  if (isJsonObject(value)) return value;
  throw unavailable("the vault's server answers without what it was asked for", { hint: `there is no \`${member}\`` });
}

/** Seconds in an answer, as milliseconds. Throws `credential_unavailable` for what is no time. */
export function millisecondsIn(body: JsonObject, member: string): number {
  const seconds = own(body, member);
  if (Number.isSafeInteger(seconds) && (seconds as number) >= 0 && (seconds as number) <= 1e9) return (seconds as number) * 1000;
  throw unavailable("the vault's server answers without what it was asked for", { hint: `\`${member}\` is no number of seconds` });
}
