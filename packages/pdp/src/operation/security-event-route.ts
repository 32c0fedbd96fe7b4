import { AmbitError } from "@ambit/core";
import type { EventTokenProblem, EventVerifier } from "@ambit/core/identity";
import type { EmbeddedPdp } from "../create-pdp.ts";
import { requestProblem, type ToldProblem } from "../server/problem.ts";
import type { Route, RouteAnswer } from "../server/route.ts";

export interface SecurityEventOptions {
  /** Whose events are taken. */
  readonly tokens: EventVerifier;
  /** What their `aud` must name: this receiver. */
  readonly audience: string;
  /**
   * Who may push. `caller`: a caller with the role `transmit`. `signature`: anybody who has an event that its issuer signed, for transmitters that cannot show anything else.
   *
   * @defaultValue "caller"
   */
  readonly authentication?: "caller" | "signature" | undefined;
}

/** What of the decision point the route is about. */
type Receiver = Pick<EmbeddedPdp, "takeSecurityEvents" | "users">;

const SECURITY_EVENTS_PATH = "/ambit/v1/security-events";

/** As large as a token can be. */
const MOST_BYTES = 16_384;

/**
 * The receiver of the Shared Signals Framework for pushed security events (RFC 8935), each of them one signed token (RFC 8417). 202 when what the event says is done and recorded, or
 * was before; 400 with `err` for a token that will never be taken; 503 for one that has to be sent again.
 *
 * Throws `option_invalid` where `users` does not say who the users of an issuer are: nothing could come of its events.
 */
export function securityEventRoute(pdp: Receiver, { tokens, audience, authentication = "caller" }: SecurityEventOptions): Route {
  const unknown = tokens.issuers.find((issuer) => pdp.users?.model.issuers.has(issuer) !== true);
  if (unknown !== undefined) throw new AmbitError("option_invalid", `\`users\` does not say who the users of the issuer \`${unknown}\` are`);
  return {
    method: "POST",
    path: SECURITY_EVENTS_PATH,
    role: authentication === "signature" ? "open" : "transmit",
    body: "secevent+jwt",
    mostBytes: MOST_BYTES,
    tell: tellTransmitter,
    handle: async ({ token = "" }) => {
      const answer = await tokens.verify(token);
      if (!answer.verified) {
        if (answer.problem === "unavailable") throw requestProblem("unavailable", answer.reason);
        return refusing(answer.problem, answer.reason);
      }
      try {
        await pdp.takeSecurityEvents(answer.payload, audience);
        return { status: 202 };
      } catch (error) {
        if (AmbitError.isInstance(error) && error.code === "proof_invalid") return refusing("invalid_request", error.summary);
        if (AmbitError.isInstance(error) && error.code === "audience_mismatch") return refusing("invalid_audience", error.summary);
        throw requestProblem("unavailable", "the event cannot be taken now; send it again");
      }
    },
  };
}

/** RFC 8935 section 2.4: the language has to be said. */
const LANGUAGE = { "content-language": "en" } as const;

function refusing(err: EventTokenProblem | "invalid_audience", description: string): RouteAnswer {
  return { status: 400, json: { err, description }, headers: LANGUAGE };
}

/** What the service refuses before the token is looked at. Who may not push is told with 400, as the RFC has it; a transmitter sends again what is answered with 429 or 5xx. */
function tellTransmitter({ code, status, message: description }: ToldProblem): ReturnType<NonNullable<Route["tell"]>> {
  const err = status >= 500 ? undefined : code === "unauthenticated" ? "authentication_failed" : code === "forbidden" ? "access_denied" : "invalid_request";
  return {
    type: "application/json",
    body: JSON.stringify({ ...(err === undefined ? {} : { err }), description }),
    status: status === 401 || status === 403 ? 400 : status,
    headers: LANGUAGE,
  };
}
