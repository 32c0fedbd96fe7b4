import { AmbitError } from "../errors.ts";
import { own } from "../data/json.ts";
import { quoted } from "../token/reason.ts";
import { readJwt, textOf, type Jwt } from "./jwt.ts";
import { OIDC_ALGORITHMS, tokenKindOf, verifyOidc, type OidcIssuer } from "./oidc.ts";
import { proofRefused } from "./proof-refusal.ts";
import { canCollide, checkSources, type IdSource, type IdSources, type NamedIds, type ProofAnswer, type ProofDemand } from "./proven-identity.ts";
import { isTrustDomain, readSpiffeId } from "./spiffe-id.ts";
import { SPIFFE_ALGORITHMS, verifySvid, type SpiffeIssuer } from "./spiffe.ts";

export type ProofIssuer = OidcIssuer | SpiffeIssuer;

export interface ProofVerifierOptions {
  /** Whose tokens are taken; at least one. */
  readonly issuers: readonly ProofIssuer[];
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly now?: () => number;
}

export interface ProofVerifier {
  /**
   * Who asks, by a token of an issuer that was configured; a refusal is a value, and it never rejects.
   *
   * @remarks
   * These tokens are bearer tokens: whoever has seen one has it. Take each once (`identity.digest`), or ask for a `nonce`.
   */
  readonly verify: (token: string, demand?: ProofDemand) => Promise<ProofAnswer>;
}

const SUBJECT = { claim: "sub" } as const;

/**
 * What checks the proofs with which root envelopes are asked for.
 *
 * Throws `option_invalid` for two entries of one issuer and kind of token, algorithms that anybody could sign with, sources that no id can come from, and
 * two issuers that could name the same person of the same tenant: give their ids different prefixes.
 */
export function createProofVerifier({ issuers, now = Date.now }: ProofVerifierOptions): ProofVerifier {
  const entries = new Map<string, Entry>();
  if (issuers.length === 0) throw new AmbitError("option_invalid", "`issuers` must list those whose tokens are taken");
  for (const issuer of issuers) {
    const entry = checked(issuer);
    const name = nameOf(issuer);
    if (entries.has(name)) throw new AmbitError("option_invalid", `two entries for ${quoted(authorityOf(issuer))}`);
    for (const other of entries.values()) {
      if (authorityOf(other.issuer) === authorityOf(issuer) || !canCollide(other.named, entry.named)) continue;
      const both = `${quoted(authorityOf(other.issuer))} and ${quoted(authorityOf(issuer))}`;
      throw new AmbitError("option_invalid", `${both} could give one id to two people of a tenant; give their ids a \`prefix\``);
    }
    entries.set(name, entry);
  }

  return Object.freeze({
    verify: async (token: string, demand: ProofDemand = {}): Promise<ProofAnswer> => {
      const jwt = readJwt(token);
      if (typeof jwt === "string") return proofRefused("proof_invalid", jwt);
      // The proof of the key that such a token is bound to was not asked for: taken alone it would be a bearer token, which its issuer did not want.
      if (Object.hasOwn(jwt.payload.members, "cnf")) return proofRefused("proof_invalid", "the token is bound to a key, and does not count alone");
      const entry = entries.get(addressOf(jwt, entries) ?? "");
      if (entry === undefined) return proofRefused("proof_invalid", "no issuer that is configured has issued such a token");
      const { issuer, sources } = entry;
      const seconds = now() / 1000;
      return issuer.kind === "spiffe" ? verifySvid(jwt, issuer, sources, demand, seconds) : verifyOidc(jwt, issuer, sources, demand, seconds);
    },
  });
}

interface Entry {
  readonly issuer: ProofIssuer;
  readonly sources: IdSources;
  /** Those of the sources that others could give the same ids as; SPIFFE IDs are taken from their trust domain only. */
  readonly named: NamedIds;
}

/** Which entry a token asks to be verified by. Nothing is believed of it: only keys of that entry can show it. */
function addressOf(jwt: Jwt, entries: ReadonlyMap<string, Entry>): string | undefined {
  const { members } = jwt.payload;
  const workload = readSpiffeId(own(members, "sub"));
  const address = workload === undefined ? undefined : `spiffe ${workload.trustDomain}`;
  if (address !== undefined && entries.has(address)) return address;
  const kind = tokenKindOf(jwt);
  return kind === undefined ? undefined : `${kind} ${textOf(jwt, "iss") ?? ""}`;
}

function nameOf(issuer: ProofIssuer): string {
  return `${issuer.kind === "spiffe" ? "spiffe" : (issuer.token ?? "id_token")} ${authorityOf(issuer)}`;
}

function authorityOf(issuer: ProofIssuer): string {
  return issuer.kind === "spiffe" ? issuer.trustDomain : issuer.issuer;
}

function checked(issuer: ProofIssuer): Entry {
  const fail = (reason: string): never => {
    throw new AmbitError("option_invalid", reason);
  };
  const { kind, audience, algorithms, maxAge, tenant } = issuer;
  if (kind !== "oidc" && kind !== "spiffe") fail("`kind` of an issuer must be `oidc` or `spiffe`");
  const isNamed = issuer.kind === "spiffe" ? isTrustDomain(issuer.trustDomain) : typeof issuer.issuer === "string" && issuer.issuer !== "";
  if (!isNamed) fail(kind === "spiffe" ? "`trustDomain` must be the name of a trust domain" : "`issuer` must be the `iss` of its tokens");
  if (issuer.kind === "oidc" && ![undefined, "id_token", "access_token"].includes(issuer.token)) fail("`token` must be `id_token` or `access_token`");
  if (typeof audience !== "string" || audience === "") fail("`audience` must be what `aud` names");
  // A list as text would be searched for parts of names.
  const clients: unknown = issuer.kind === "oidc" ? issuer.clients : undefined;
  if (clients !== undefined && !(Array.isArray(clients) && clients.every((client) => typeof client === "string" && client !== "")))
    fail("`clients` must be a list");
  const possible = kind === "spiffe" ? SPIFFE_ALGORITHMS : [...SPIFFE_ALGORITHMS, ...OIDC_ALGORITHMS];
  if (algorithms !== undefined && (algorithms.length === 0 || !algorithms.every((algorithm) => possible.includes(algorithm)))) {
    fail(`\`algorithms\` must be some of ${[...new Set(possible)].join(", ")}`);
  }
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && maxAge > 0)) fail("`maxAge` must be a whole number of seconds");
  const sources: IdSources = { tenant, delegator: issuer.delegator ?? SUBJECT, agent: issuer.agent ?? (kind === "spiffe" ? SUBJECT : undefined) };
  checkSources(sources);
  const others = (source: IdSource | undefined): IdSource | undefined =>
    kind === "spiffe" && source !== undefined && "claim" in source && source.claim === "sub" && source.prefix === undefined ? undefined : source;
  return { issuer, sources, named: { tenant, delegator: others(sources.delegator), agent: others(sources.agent) } };
}
