import { AmbitError } from "../errors.ts";
import type { JsonObject } from "../data/json.ts";
import { isIdentifier } from "../data/names.ts";
import { quoted } from "../token/reason.ts";
import { textOf, type Jwt } from "./jwt.ts";
import { proofRefused, type ProofRefused } from "./proof-refusal.ts";
import { readSpiffeId } from "./spiffe-id.ts";

/** Who asks, as an issuer that was configured has signed it. */
export interface ProvenIdentity {
  readonly kind: "oidc" | "spiffe";
  /** The `iss` of an OIDC token; the trust domain of an SVID. */
  readonly issuer: string;
  /** `sub` as it was signed. */
  readonly subject: string;
  readonly tenantId: string;
  readonly delegatorId: string;
  readonly agentId: string | undefined;
  /** When the delegator last proved to be who they are, else when the token was issued; absent when it does not say. Milliseconds since the epoch. */
  readonly authenticatedAt: number | undefined;
  /** When the token was issued; absent when it does not say, which only an SVID may. Milliseconds since the epoch. */
  readonly issuedAt: number | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly jti: string | undefined;
  /** Names this very token, however its signature is spelled. To take a proof only once: `replayStore.take(digest, expiresAt)`. */
  readonly digest: string;
  /** All that was signed. Of an OIDC token `iss` is `issuer`; in an SVID it is whatever the trust domain wrote there. */
  readonly claims: JsonObject;
}

export type ProofAnswer = ProofRefused | { readonly verified: true; readonly identity: ProvenIdentity };

/** What is asked of the one proof, beside what its issuer's entry asks of every one. */
export interface ProofDemand {
  /** The `nonce` that the delegator was sent to the issuer with: the token must have it. Only ID tokens carry one. */
  readonly nonce?: string | undefined;
}

/** Where an id comes from: a claim of the token, with something in front of it, or the configuration. */
export type IdSource = { readonly claim: string; readonly prefix?: string } | { readonly id: string };

/**
 * Where the tenant comes from. An issuer of a claim speaks for the tenants of `among`, or for any: then it can name every tenant there is.
 */
export type TenantSource = { readonly claim: string; readonly among: readonly string[] | "any" } | { readonly id: string };

export interface IdSources {
  readonly tenant: TenantSource;
  readonly delegator: IdSource;
  readonly agent?: IdSource | undefined;
}

/**
 * The ids that a token stands for. INVARIANT I12: without a tenant that its issuer speaks for it stands for nobody. An id that claims to be
 * a workload is only taken from the trust domain that the token is of, if it is of one.
 */
export function idsOf(
  jwt: Jwt,
  { tenant, delegator, agent }: IdSources,
  trustDomain?: string,
): Pick<ProvenIdentity, "tenantId" | "delegatorId" | "agentId"> | ProofRefused {
  const tenantId = "id" in tenant ? tenant.id : textOf(jwt, tenant.claim);
  if (!isIdentifier(tenantId)) return proofRefused("tenant_mismatch", "the token does not say which tenant it is for");
  if ("among" in tenant && tenant.among !== "any" && !tenant.among.includes(tenantId)) {
    return proofRefused("tenant_mismatch", `the issuer does not speak for tenant ${quoted(tenantId)}`);
  }
  const delegatorId = idOf(jwt, delegator, trustDomain);
  if (delegatorId === undefined) return proofRefused("proof_invalid", "the token has no id of a delegator, or one that it may not give");
  const agentId = agent === undefined ? undefined : idOf(jwt, agent, trustDomain);
  if (agent !== undefined && agentId === undefined) return proofRefused("proof_invalid", "the token has no id of an agent, or one that it may not give");
  return { tenantId, delegatorId, agentId };
}

/** Throws `option_invalid` for sources that no id can come from. */
export function checkSources({ tenant, delegator, agent }: IdSources): void {
  const fail = (reason: string): never => {
    throw new AmbitError("option_invalid", reason);
  };
  if ("id" in tenant ? !isIdentifier(tenant.id) : !isClaim(tenant.claim)) fail("`tenant` must be an id or name a claim");
  if (!("id" in tenant) && tenant.among !== "any" && !(Array.isArray(tenant.among) && tenant.among.length > 0 && tenant.among.every(isIdentifier))) {
    fail("`tenant.among` must list the tenants that the issuer speaks for, or be `any`");
  }
  for (const [name, source] of [
    ["delegator", delegator],
    ["agent", agent],
  ] as const) {
    if (source === undefined) continue;
    const isSource = "id" in source ? isIdentifier(source.id) : isClaim(source.claim) && (source.prefix === undefined || isIdentifier(source.prefix));
    if (!isSource) fail(`\`${name}\` must be an id or name a claim`);
  }
}

/** Ids that are not unique by themselves. */
export interface NamedIds {
  readonly tenant: TenantSource;
  readonly delegator: IdSource | undefined;
  readonly agent: IdSource | undefined;
}

/** Whether two issuers could name one person or agent of one tenant: `sub` is unique for its issuer only (OpenID Connect Core section 2). */
export function canCollide(one: NamedIds, other: NamedIds): boolean {
  return shareTenant(one.tenant, other.tenant) && (shareIds(one.delegator, other.delegator) || shareIds(one.agent, other.agent));
}

function idOf(jwt: Jwt, source: IdSource, trustDomain: string | undefined): string | undefined {
  if ("id" in source) return source.id;
  const value = textOf(jwt, source.claim);
  const id = value === undefined ? undefined : `${source.prefix ?? ""}${value}`;
  if (!isIdentifier(id)) return undefined;
  // oxlint-disable-next-line ambit/no-name-folding -- the scheme of a URI, which knows no case (RFC 3986 section 3.1)
  if (!id.toLowerCase().startsWith("spiffe:")) return id;
  return trustDomain !== undefined && readSpiffeId(id)?.trustDomain === trustDomain ? id : undefined;
}

function shareTenant(one: TenantSource, other: TenantSource): boolean {
  const [left, right] = [one, other].map((tenant) => ("id" in tenant ? [tenant.id] : tenant.among));
  if (left === undefined || right === undefined || left === "any" || right === "any") return true;
  return left.some((tenant) => right.includes(tenant));
}

function shareIds(one: IdSource | undefined, other: IdSource | undefined): boolean {
  // Two ids of the configuration are what the operator wants them to be.
  if (one === undefined || other === undefined || ("id" in one && "id" in other)) return false;
  return canYield(one, "id" in other ? other.id : (other.prefix ?? "")) || canYield(other, "id" in one ? one.id : (one.prefix ?? ""));
}

/** Whether the source leaves room for an id that begins so. */
function canYield(source: IdSource, text: string): boolean {
  // oxlint-disable-next-line ambit/no-name-folding -- compares no names, but what may stand in front of any
  return !("id" in source) && text.startsWith(source.prefix ?? "");
}

function isClaim(name: unknown): boolean {
  return typeof name === "string" && name !== "" && name.length <= 256;
}
