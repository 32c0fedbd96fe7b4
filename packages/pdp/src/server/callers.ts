import { hash, timingSafeEqual } from "node:crypto";
import { AmbitError, isIdentifier } from "@ambit/core";
import type { ProofVerifier, ProvenIdentity } from "@ambit/core/identity";
import { keyProven, type Asked, type UseOnce } from "./dpop.ts";
import { requestProblem } from "./problem.ts";

/**
 * What a caller may ask. `enforce`: everything that an enforcement point asks. `assert`: to begin a task on the caller's own word for its delegator, without a proof.
 * `approve`: to read what waits for people, and answer it. `operate`: revocations, and calls that have to be reconciled. `administer`: who the users are, and who is what to which thing; whoever may do that can give
 * themselves what policies and approvals ask for. `evaluate`: questions of policy only. `observe`: metrics. `transmit`: to push security events.
 */
export type Role = "enforce" | "assert" | "approve" | "operate" | "administer" | "evaluate" | "observe" | "transmit";

interface CallerRules {
  /** For records. */
  readonly name: string;
  readonly roles: readonly Role[];
  /** INVARIANT I12: the tenants that the caller may begin tasks of and revoke for. */
  readonly tenants: readonly string[] | "any";
}

/** Whoever shows one of these is let in, and nobody else. */
export type Caller =
  | (CallerRules & {
      readonly kind: "jwt";
      readonly proofs: ProofVerifier;
      /** Whose tokens; `any` is everybody to whom the issuers give one for this audience. */
      readonly subjects: readonly { readonly issuer: string; readonly subject: string }[] | "any";
    })
  | (CallerRules & {
      readonly kind: "mtls";
      /** SHA-256 of certificates, as hexadecimal pairs with colons. */
      readonly fingerprints?: readonly string[];
      /** Names in certificates that our authority has signed: `URI:spiffe://example.org/gateway`, `DNS:gateway.internal`. */
      readonly subjects?: readonly string[];
    })
  | (CallerRules & {
      readonly kind: "dpop";
      /** Of the keys (RFC 7638) that sign a proof for each request (RFC 9449). */
      readonly thumbprints: readonly string[];
    })
  | (CallerRules & { readonly kind: "secret"; /** `secretDigest()` of what the caller sends. */ readonly digest: string });

/** What is known of the connection, by whoever terminates TLS in this process. */
export interface Connection {
  /** The IP address of the other side, as far as it can be believed; absent behind a proxy that does not tell it. */
  readonly address?: string | undefined;
  /** Of the other side; only one that was verified against our authority. */
  readonly certificate?: { readonly fingerprint256: string; /** The names of its `subjectAltName`. */ readonly names: readonly string[] } | undefined;
}

/** Somebody who was let in. */
export interface Authenticated {
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
  readonly tenants: ReadonlySet<string> | "any";
  /** Of a `jwt`. */
  readonly identity?: ProvenIdentity | undefined;
}

const LEAST_SECRET = 32;

/** What to configure for a bearer secret: `sha-256:` and its SHA-256 as base64url. Throws `option_invalid` for one of less than 32 bytes. */
export function secretDigest(secret: string): string {
  if (Buffer.byteLength(secret) < LEAST_SECRET) throw new AmbitError("option_invalid", `a secret has at least ${LEAST_SECRET} bytes`);
  return `sha-256:${hash("sha256", secret, "base64url")}`;
}

const ROLES: readonly Role[] = ["enforce", "assert", "approve", "operate", "administer", "evaluate", "observe", "transmit"];
const DIGEST = /^sha-256:([A-Za-z0-9_-]{43})$/;
const FINGERPRINT = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/;
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;
const NAME = /^(?:URI|DNS):[\x21-\x7e]+$/;

/** Who asks. Throws `unauthenticated` for nobody who is known, and `unavailable` where the keys of those who sign tokens cannot be known. */
export type Authenticate = (headers: Headers, connection: Connection, asked: Asked) => Promise<Authenticated>;

export interface AuthenticationOptions {
  readonly useOnce: UseOnce;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Authenticates requests. Throws `option_invalid` for callers that could not be told apart from anybody. */
export function createAuthentication(callers: readonly Caller[], { useOnce, clock }: AuthenticationOptions): Authenticate {
  const known = callers.map((caller) => ({ caller: checked(caller), as: admittedAs(caller) }));
  const secrets = known.flatMap(({ caller, as }) => (caller.kind === "secret" ? [{ digest: digestBytes(caller.digest), as }] : []));
  const tokens = known.flatMap(({ caller, as }) => (caller.kind === "jwt" ? [{ caller, as }] : []));
  const keys = new Map(known.flatMap(({ caller, as }) => (caller.kind === "dpop" ? caller.thumbprints.map((thumbprint) => [thumbprint, as] as const) : [])));
  const certificates = known.flatMap(({ caller, as }) => (caller.kind === "mtls" ? [{ caller, as }] : []));

  const bySecret = (secret: string): Authenticated | undefined => {
    if (Buffer.byteLength(secret) < LEAST_SECRET) return undefined;
    const digest = hash("sha256", secret, "buffer");
    // All of them are compared, and each in constant time.
    return secrets.filter((one) => timingSafeEqual(one.digest, digest)).at(0)?.as;
  };
  const byToken = async (token: string): Promise<Authenticated | undefined> => {
    let isUntold = false;
    for (const { caller, as } of tokens) {
      const answer = await caller.proofs.verify(token);
      if (!answer.verified) {
        isUntold ||= answer.refusal.code === "state_unavailable";
        continue;
      }
      const { identity } = answer;
      const { issuer, subject } = identity;
      if (caller.subjects !== "any" && !caller.subjects.some((one) => one.issuer === issuer && one.subject === subject)) continue;
      return { ...as, name: isIdentifier(`${as.name}/${subject}`) ? `${as.name}/${subject}` : as.name, identity };
    }
    // INVARIANT I8: nobody is let in, and nobody is told that their token is bad.
    if (isUntold) throw requestProblem("unavailable", "who asks cannot be told now");
    return undefined;
  };
  const byCertificate = ({ certificate }: Connection): Authenticated | undefined => {
    if (certificate === undefined) return undefined;
    const { fingerprint256, names } = certificate;
    return certificates.find(
      ({ caller }) => caller.fingerprints?.includes(fingerprint256) === true || caller.subjects?.some((subject) => names.includes(subject)) === true,
    )?.as;
  };

  const byProof = async (proof: string, asked: Asked): Promise<Authenticated | undefined> => {
    const thumbprint = await keyProven(proof, asked, clock(), (one) => keys.has(one), useOnce);
    return thumbprint === undefined ? undefined : keys.get(thumbprint);
  };

  return async (headers, connection, asked) => {
    const [bearer, proof] = [bearerOf(headers), headers.get("dpop")];
    // Who shows a token or a proof is judged by it: a bad one is not made good by the connection.
    if (bearer === undefined && proof === null) return byCertificate(connection) ?? unauthenticated();
    const found = bearer === undefined ? await byProof(proof as string, asked) : (bySecret(bearer) ?? (await byToken(bearer)));
    return found ?? unauthenticated(bearer === undefined ? "invalid_dpop_proof" : "invalid_token");
  };
}

/** RFC 6750 section 3, RFC 9449 section 7.1: 401 says no more than that the token or the proof, if there was one, is not taken. */
function unauthenticated(error?: "invalid_token" | "invalid_dpop_proof"): never {
  const challenge = `${error === "invalid_dpop_proof" ? "DPoP" : "Bearer"} realm="ambit"${error === undefined ? "" : `, error="${error}"`}`;
  throw requestProblem("unauthenticated", "the caller is not known here", { "www-authenticate": challenge });
}

/** Throws `forbidden` (RFC 6750 `insufficient_scope`) for a caller without the role. */
export function mustHaveRole(caller: Authenticated, role: Role): void {
  if (caller.roles.has(role)) return;
  const challenge = `Bearer realm="ambit", error="insufficient_scope", scope="${role}"`;
  throw requestProblem("forbidden", `the caller may not \`${role}\``, { "www-authenticate": challenge });
}

/** INVARIANT I12. */
export function mayActFor(caller: Authenticated, tenantId: unknown): boolean {
  return caller.tenants === "any" || (typeof tenantId === "string" && caller.tenants.has(tenantId));
}

/** The scheme knows no case (RFC 9110 section 11.1). */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

function bearerOf(headers: Headers): string | undefined {
  const header = headers.get("authorization");
  if (header === null) return undefined;
  const token = BEARER.exec(header)?.[1];
  if (token !== undefined) return token;
  return unauthenticated("invalid_token");
}

function digestBytes(digest: string): Buffer {
  return Buffer.from(DIGEST.exec(digest)?.[1] as string, "base64url");
}

function admittedAs({ name, roles, tenants }: CallerRules): Authenticated {
  return Object.freeze({ name, roles: new Set(roles), tenants: tenants === "any" ? tenants : new Set(tenants) });
}

function checked(caller: Caller): Caller {
  const fail = (reason: string): never => {
    throw new AmbitError("option_invalid", `${reason} (caller ${isIdentifier(caller?.name) ? `\`${caller.name}\`` : "without a name"})`);
  };
  if (!isIdentifier(caller?.name)) fail("`name` of a caller must be visible ASCII, at most 256");
  if (!Array.isArray(caller.roles) || caller.roles.length === 0 || !caller.roles.every((role) => ROLES.includes(role)))
    fail(`\`roles\` must be some of ${ROLES.join(", ")}`);
  if (caller.tenants !== "any" && !(Array.isArray(caller.tenants) && caller.tenants.every(isIdentifier))) fail("`tenants` must list tenants, or be `any`");
  if (caller.kind === "secret") {
    if (typeof caller.digest !== "string" || !DIGEST.test(caller.digest)) fail("`digest` must be what `secretDigest` makes of a secret");
  } else if (caller.kind === "jwt") {
    if (typeof caller.proofs?.verify !== "function") fail("`proofs` must be a verifier of tokens");
    if (caller.subjects !== "any" && !(Array.isArray(caller.subjects) && caller.subjects.length > 0))
      fail("`subjects` must list whose tokens are taken, or be `any`");
  } else if (caller.kind === "mtls") {
    const { fingerprints = [], subjects = [] } = caller;
    if (fingerprints.length + subjects.length === 0) fail("`fingerprints` or `subjects` must name certificates");
    if (!fingerprints.every((one) => FINGERPRINT.test(one))) fail("`fingerprints` must be 32 pairs of hexadecimal digits in upper case, with colons");
    if (!subjects.every((one) => NAME.test(one))) fail("`subjects` must be names such as `URI:spiffe://example.org/gateway`");
  } else if (caller.kind === "dpop") {
    if (!(Array.isArray(caller.thumbprints) && caller.thumbprints.length > 0 && caller.thumbprints.every((one) => THUMBPRINT.test(one))))
      fail("`thumbprints` must list SHA-256 thumbprints of keys (RFC 7638)");
  } else fail("`kind` of a caller must be `jwt`, `mtls`, `dpop` or `secret`");
  return caller;
}
