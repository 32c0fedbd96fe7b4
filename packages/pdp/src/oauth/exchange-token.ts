import { AmbitError, isJsonObject, own, serializeEnvelope, type IssueAnswer, type Issued, type Json, type JsonObject, type Pdp } from "@ambit/core";
import type { ProofVerifier } from "@ambit/core/identity";
import { AMBIT_ENTRY, publicKey, type PublicJwk } from "@ambit/core/token";
import { mayActFor, type Authenticated } from "../server/callers.ts";
import type { RouteAnswer } from "../server/route.ts";
import { codeOf, OauthProblem } from "./errors.ts";
import { hasOnly, readChain, readJsonParameter, type Form } from "./form.ts";

export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

/** What a chain of envelopes is called where RFC 8693 wants a name for a kind of token. */
export const CHAIN_TYPE = "urn:ambit:token-type:chain";

const JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt";

/** RFC 8693 section 3: what an OIDC token and a JWT-SVID can be called. Which of them it is, it says itself, and its signature shows. */
const PROOF_TYPES: ReadonlySet<string> = new Set([JWT_TYPE, "urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:access_token"]);

export interface ExchangeSetting {
  readonly pdp: Pick<Pdp, "begin" | "introduce" | "terms">;
  /** Whose tokens show which workload asks. */
  readonly workloads: ProofVerifier;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * RFC 8693. A proof of the delegator, a proof of the workload, an envelope (RFC 9396) and the key it is for (RFC 9201) become a root envelope; nothing of it is a bearer token.
 * A chain is exchanged for nothing: its holder derives the child, offline, and what is shown here is introduced.
 */
export async function exchangeToken(setting: ExchangeSetting, form: Form, caller: Authenticated): Promise<RouteAnswer> {
  const grant = form.need("grant_type");
  if (grant !== TOKEN_EXCHANGE) throw new OauthProblem("unsupported_grant_type", "the only grant type is token exchange (RFC 8693)");
  const [subject, subjectType, requested] = [form.need("subject_token"), form.need("subject_token_type"), form.get("requested_token_type")];
  if (form.get("scope") !== undefined) throw new OauthProblem("invalid_scope", "there are no scopes; ask with authorization_details");
  if (form.get("resource") !== undefined) throw new OauthProblem("invalid_target", "an envelope is for no resource: it allows to ask");
  const audience = form.get("audience");
  if (audience !== undefined && !(await setting.pdp.terms()).audience.includes(audience))
    throw new OauthProblem("invalid_target", "envelopes are given out for other audiences");
  if (subjectType === CHAIN_TYPE) return introduced(setting, form, subject, requested, caller);
  if (!PROOF_TYPES.has(subjectType)) throw new OauthProblem("invalid_request", "subject_token_type is not one that is taken");
  if (requested !== undefined && requested !== JWT_TYPE) throw new OauthProblem("invalid_request", `requested_token_type can only be ${JWT_TYPE}`);
  return begun(setting, form, subject, caller);
}

async function begun(setting: ExchangeSetting, form: Form, proof: string, caller: Authenticated): Promise<RouteAnswer> {
  const [actor, actorType] = [form.need("actor_token"), form.need("actor_token_type")];
  if (!PROOF_TYPES.has(actorType)) throw new OauthProblem("invalid_request", "actor_token_type is not one that is taken");
  const envelope = readDetails(form.need("authorization_details"));
  const holder = readHolder(form.need("req_cnf"));
  // INVARIANT I12.
  if (!mayActFor(caller, own(envelope, "tenant_id"))) throw new OauthProblem("unauthorized_client", "the client may not ask for envelopes of this tenant");
  const shown = await setting.workloads.verify(actor);
  if (!shown.verified) {
    const { code, reason } = shown.refusal;
    throw new OauthProblem(code === "state_unavailable" ? "temporarily_unavailable" : "invalid_request", `actor_token: ${reason.text}`, { refusal: code });
  }
  const { agentId, tenantId } = shown.identity;
  if (agentId === undefined) throw new OauthProblem("invalid_request", "actor_token: it shows no agent", { refusal: "proof_invalid" });
  if (tenantId !== own(envelope, "tenant_id"))
    throw new OauthProblem("invalid_request", "actor_token: it is for another tenant", { refusal: "tenant_mismatch" });
  return told(setting, await setting.pdp.begin({ envelope, agent: agentId, assertedBy: "proof", proof, holder }));
}

async function introduced(setting: ExchangeSetting, form: Form, text: string, requested: string | undefined, caller: Authenticated): Promise<RouteAnswer> {
  const isMore = ["authorization_details", "req_cnf", "actor_token", "actor_token_type"].some((name) => form.get(name) !== undefined);
  if (isMore || (requested !== undefined && requested !== CHAIN_TYPE))
    throw new OauthProblem("invalid_request", "a child is derived by the holder of its parent, with the parent's key, and shown here alone as subject_token");
  const shown = readChain(text);
  if (shown === undefined) throw new OauthProblem("invalid_request", "subject_token is no chain");
  return told(setting, await setting.pdp.introduce({ chain: shown.chain, agent: caller.name, excerpts: [] }), CHAIN_TYPE);
}

function told({ now }: ExchangeSetting, answer: IssueAnswer, type: string = JWT_TYPE): RouteAnswer {
  if (!answer.decision) {
    const { code, message } = answer.refusal;
    throw new OauthProblem(codeOf(code), message, { decisionId: answer.id, refusal: code });
  }
  const { envelope, envelopeId, lineage } = answer.issued;
  const token = leafToken(answer.issued);
  return {
    json: {
      access_token: token,
      issued_token_type: type,
      // Not a bearer token: it is worth nothing without a proof of its key.
      token_type: "aat",
      expires_in: Math.max(0, Math.floor((envelope.expiresAt - now()) / 1000)),
      authorization_details: [{ type: AMBIT_ENTRY, ...serializeEnvelope(envelope) }],
      envelope_id: envelopeId,
      lineage,
      decision_id: answer.id,
    },
    headers: { pragma: "no-cache" },
  };
}

function leafToken({ holding }: Issued): string {
  const token = holding.kind === "chain" ? holding.chain.at(-1) : undefined;
  if (token === undefined) throw new OauthProblem("server_error", "no envelope was signed");
  return token;
}

/** RFC 9396 section 5: exactly one entry, of our type; the envelope reader says what of it is wrong. */
function readDetails(text: string): JsonObject {
  const details = readJsonParameter(text, "authorization_details", "invalid_authorization_details");
  const [entry, ...more] = Array.isArray(details) ? (details as readonly Json[]) : [];
  if (!isJsonObject(entry) || more.length > 0 || own(entry, "type") !== AMBIT_ENTRY)
    throw new OauthProblem("invalid_authorization_details", `authorization_details must be one entry of type ${AMBIT_ENTRY}`);
  return Object.fromEntries(Object.entries(entry).filter(([name]) => name !== "type"));
}

/** RFC 9201 section 3.1, with a whole key: `{"jwk": …}`. */
function readHolder(text: string): PublicJwk {
  const confirmation = readJsonParameter(text, "req_cnf", "invalid_request");
  const jwk = isJsonObject(confirmation) && hasOnly(confirmation, "jwk") ? own(confirmation, "jwk") : undefined;
  if (jwk === undefined) throw new OauthProblem("invalid_request", "req_cnf must be an object with a jwk and nothing else");
  try {
    return publicKey(jwk).jwk;
  } catch (error) {
    if (AmbitError.isInstance(error)) throw new OauthProblem("invalid_request", `req_cnf: ${error.message}`);
    throw error;
  }
}
