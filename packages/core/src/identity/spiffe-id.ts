/** A SPIFFE ID of a workload: `spiffe://trust-domain/path`. */
export interface SpiffeId {
  readonly trustDomain: string;
  /** With the slash in front. */
  readonly path: string;
}

/** SPIFFE-ID sections 2.1 to 2.3, exactly: lower-case names, no port, no user, no query, no fragment, nothing percent-encoded, no empty segment. */
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
const WORKLOAD = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/;
const MOST_CHARACTERS = 2048;

export function isTrustDomain(value: unknown): value is string {
  return typeof value === "string" && TRUST_DOMAIN.test(value);
}

/** `undefined` for whatever is no SPIFFE ID of a workload, the ID of a trust domain itself among them. */
export function readSpiffeId(value: unknown): SpiffeId | undefined {
  if (typeof value !== "string" || value.length > MOST_CHARACTERS) return undefined;
  const [, trustDomain, path] = WORKLOAD.exec(value) ?? [];
  if (trustDomain === undefined || path === undefined) return undefined;
  return path.split("/").some((segment) => segment === "." || segment === "..") ? undefined : { trustDomain, path };
}
