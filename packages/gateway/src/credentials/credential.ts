import type { Carried, Credential } from "./connector.ts";

export interface Made extends Carried, Pick<Credential, "secrets" | "overPrivileged"> {
  /** Revokes it. What it rejects with is nobody's: the credential ends by itself, or is swept. */
  readonly release?: (() => Promise<unknown>) | undefined;
}

/** A credential that zeros its secrets and is revoked then, once, however often it is disposed of. */
export function createCredential({ headers, query, login, secrets, overPrivileged, release }: Made): Credential {
  let released: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    for (const secret of secrets) secret.fill(0);
    await release?.();
  };
  const credential = { overPrivileged, [Symbol.asyncDispose]: () => (released ??= end().catch(() => undefined)) };
  // INVARIANT I10: not enumerable, or whoever logs or copies a credential would log or copy the secrets.
  const hidden = Object.entries({ headers, query, login, secrets }).map(([name, value]) => [name, { value, enumerable: false }] as const);
  return Object.freeze(Object.defineProperties(credential, Object.fromEntries(hidden)) as unknown as Credential);
}

/** For what no action is about, where nothing is to go along. */
export function noCredential(): Credential {
  return createCredential({ secrets: [] });
}
