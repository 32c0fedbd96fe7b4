import type { RefusalCode } from "@ambit/core";
import type { ToldProblem } from "../server/problem.ts";
import type { RouteAnswer } from "../server/route.ts";

/** RFC 6749 section 5.2, RFC 8693 section 2.2.2, RFC 9396 section 5. */
export type OauthCode =
  | "invalid_request"
  | "invalid_client"
  | "invalid_scope"
  | "invalid_target"
  | "invalid_authorization_details"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "server_error"
  | "temporarily_unavailable";

const STATUS: { readonly [code in OauthCode]?: number } = { invalid_client: 401, server_error: 500, temporarily_unavailable: 503 };

/** Why an endpoint does not do what it is asked for. */
export class OauthProblem extends Error {
  readonly code: OauthCode;
  readonly decisionId: string | undefined;
  readonly refusal: RefusalCode | undefined;

  constructor(code: OauthCode, description: string, from: { readonly decisionId?: string; readonly refusal?: RefusalCode } = {}) {
    super(description);
    this.code = code;
    this.decisionId = from.decisionId;
    this.refusal = from.refusal;
  }
}

/** Runs a handler; an `OauthProblem` is its answer. */
export async function orOauthError(run: () => Promise<RouteAnswer>): Promise<RouteAnswer> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof OauthProblem) return oauthError(error);
    throw error;
  }
}

function oauthError({ code, message, decisionId, refusal }: OauthProblem): RouteAnswer {
  const more = { ...(refusal === undefined ? {} : { refusal }), ...(decisionId === undefined ? {} : { decision_id: decisionId }) };
  return { status: STATUS[code] ?? 400, json: { error: code, error_description: described(message), ...more }, headers: { pragma: "no-cache" } };
}

/** What the service refuses before a handler is asked, in the words of OAuth. */
export function tellOauth({ code, status, message }: ToldProblem): { readonly type: string; readonly body: string; readonly status: number } {
  const isRequest = status < 500 && code !== "unauthenticated" && code !== "forbidden";
  const error: OauthCode = isRequest
    ? "invalid_request"
    : code === "unauthenticated"
      ? "invalid_client"
      : code === "forbidden"
        ? "unauthorized_client"
        : "server_error";
  const told = code === "media_type_unsupported" ? 400 : status;
  return { type: "application/json", body: JSON.stringify({ error, error_description: described(message) }), status: told };
}

/** RFC 6749: no quotation mark, no backslash, nothing but ASCII. */
function described(text: string): string {
  return text
    .replaceAll('"', "'")
    .replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "?")
    .slice(0, 500);
}

/** What a refusal of the decision point is called here. */
export function codeOf(refusal: RefusalCode): OauthCode {
  switch (refusal) {
    case "proof_invalid":
    case "proof_expired":
    case "audience_mismatch":
    case "tenant_mismatch":
    case "envelope_signature_invalid":
    case "envelope_revoked":
    case "envelope_expired":
    case "envelope_not_yet_valid":
    case "chain_broken":
    case "not_narrower":
    case "depth_exceeded":
      return "invalid_request";
    case "agent_unknown":
    case "holder_mismatch":
      return "unauthorized_client";
    case "state_unavailable":
    case "log_unavailable":
    case "pdp_unavailable":
    case "pdp_timeout":
      return "temporarily_unavailable";
    default:
      return "invalid_authorization_details";
  }
}
