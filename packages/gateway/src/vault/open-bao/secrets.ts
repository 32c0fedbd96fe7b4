import { canonicalJson, own, type AmbitError, type JsonObject } from "@ambit/core";
import { createLease } from "../lease.ts";
import { unavailable } from "../unavailable.ts";
import type { Lease } from "../vault.ts";
import { checkedPath, textOf, type BaoSecret } from "./options.ts";
import type { Revocations } from "./revocations.ts";
import { millisecondsIn, objectIn, type BaoServer } from "./server.ts";
import type { Session } from "./session.ts";
import { unwrap } from "./wrapping.ts";

export interface SecretsOptions {
  readonly server: BaoServer;
  readonly session: Session;
  readonly revocations: Revocations;
  /** Milliseconds for one question after the lease was given. */
  readonly deadline: number;
  readonly onProblem: (error: AmbitError) => void;
  readonly now: () => number;
}

/** How long an answer that nobody waits for any more is still waited for: what was made by then has to be revoked. */
const PATIENCE = 30_000;

/** A secret of the server's as a lease. `signal` aborts what can be given up without a loss. */
export type TakeOut = (secret: BaoSecret, version: number | undefined, signal: AbortSignal) => Promise<Lease>;

export function createTakeOut(options: SecretsOptions): TakeOut {
  return (secret, version, signal) => (secret.kind === "kv" ? fromKv(options, secret, version, signal) : made(options, secret, version));
}

/** https://openbao.org/api-docs/secret/kv/kv-v2/#read-secret-version */
async function fromKv(
  options: SecretsOptions,
  secret: Extract<BaoSecret, { readonly kind: "kv" }>,
  version: number | undefined,
  signal: AbortSignal,
): Promise<Lease> {
  const path = pathOf(`${secret.mount}/data/${secret.path}`);
  const { body } = await read(options, secret, path, version === undefined ? "" : `?version=${version}`, signal);
  const found = objectIn(body, "data");
  const metadata = objectIn(found, "metadata");
  const is = own(metadata, "version");
  if (!Number.isSafeInteger(is) || (version !== undefined && is !== version)) throw unavailable("the vault has no such version of the secret");
  const deletedAt = Date.parse(String(own(metadata, "deletion_time") ?? ""));
  const value = bytesOf(objectIn(found, "data"), secret.field);
  return createLease({ value, version: is as number, expiresAt: () => (Number.isNaN(deletedAt) ? undefined : deletedAt) });
}

/** https://openbao.org/api-docs/secret/databases/#generate-credentials, and every other engine that answers with a lease */
async function made(options: SecretsOptions, secret: Extract<BaoSecret, { readonly kind: "dynamic" }>, version: number | undefined): Promise<Lease> {
  if (version !== undefined) throw unavailable("a secret that is made for each lease has no versions");
  const { session, revocations, deadline, now } = options;
  let askedAt = now();
  const { body, until } = await read(options, secret, pathOf(secret.path), "", AbortSignal.timeout(PATIENCE));
  const leaseId = own(body, "lease_id");
  if (typeof leaseId !== "string" || leaseId === "") throw unavailable("the vault's server made a secret that cannot be revoked");
  // What the server revokes with the token that asked for it ends then.
  const endOf = (answer: JsonObject): number => Math.min(askedAt + millisecondsIn(answer, "lease_duration"), until);
  try {
    let expiresAt = endOf(body);
    return createLease({
      value: bytesOf(objectIn(body, "data"), secret.field),
      version: 0,
      expiresAt: () => expiresAt,
      renew: async () => {
        askedAt = now();
        const question = { method: "POST", path: "sys/leases/renew", body: { lease_id: leaseId } } as const;
        expiresAt = endOf((await session.ask(question, AbortSignal.timeout(deadline))).body);
      },
      release: () => revocations.revoke(leaseId, expiresAt),
    });
  } catch (error) {
    await revocations.revoke(leaseId, askedAt + PATIENCE);
    throw error;
  }
}

async function read(
  { server, session, onProblem }: SecretsOptions,
  { wrapped }: BaoSecret,
  path: string,
  query: string,
  signal: AbortSignal,
): Promise<{ readonly body: JsonObject; readonly until: number }> {
  if (wrapped === undefined) return session.ask({ method: "GET", path: `${path}${query}` }, signal);
  return { body: await unwrap({ server, onProblem }, await textOf(wrapped), path, signal), until: Infinity };
}

function pathOf(path: string): string {
  return checkedPath(path.split("/"), "credential_unavailable");
}

/** The server's answer was text, which nobody can zero; from here on it is bytes. */
function bytesOf(data: JsonObject, field: string | undefined): Uint8Array {
  const value = field === undefined ? canonicalJson(data) : own(data, field);
  if (typeof value !== "string" || value === "") throw unavailable("the vault's secret has no such field");
  return new TextEncoder().encode(value);
}
