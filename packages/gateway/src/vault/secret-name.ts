import { AmbitError, isIdentifier, type ErrorCode } from "@ambit/core";

/** Whose secret it is, for which end service, and which of that service's. INVARIANT I12: the tenant is part of every key. */
export interface SecretName {
  readonly tenant: string;
  readonly connector: string;
  readonly id: string;
}

/** The three parts and no more, each visible ASCII of 1 to 256 characters; throws `code` for anything else, and quotes nothing of it. */
export function checkedName({ tenant, connector, id }: SecretName, code: ErrorCode): SecretName {
  for (const [part, value] of Object.entries({ tenant, connector, id }))
    if (!isIdentifier(value)) throw new AmbitError(code, `the \`${part}\` of a secret must be visible ASCII, 1 to 256 characters`);
  return { tenant, connector, id };
}

/** INVARIANT I14: part by part and exactly. */
export function isSameName(one: SecretName, other: SecretName): boolean {
  return one.tenant === other.tenant && one.connector === other.connector && one.id === other.id;
}
