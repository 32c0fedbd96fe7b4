import type { JsonObject } from "@ambit/core";
import { redirect, type OAuthCode } from "./answer.ts";
import { mayRedirectTo } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { Form } from "./form.ts";
import type { Places } from "./places.ts";

/** What a client asked for (RFC 6749 section 4.1.1), once it was found right. */
export interface AuthorizationRequest extends JsonObject {
  readonly clientId: string;
  readonly clientName: string;
  /** The host that vouches for the client; `null`: it vouches for itself. */
  readonly clientHost: string | null;
  readonly redirectUri: string;
  readonly state: string | null;
  /** S256 (RFC 7636). */
  readonly challenge: string;
}

export type ReadRequest =
  | { readonly request: AuthorizationRequest }
  /** To be told to the client, which is known. */
  | { readonly answer: Response }
  /** To be told to the user: nobody is to be redirected anywhere. */
  | { readonly untrusted: string };

const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
const LONGEST_STATE = 1024;

/** Reads what came to the authorization endpoint. The client and where it is answered come first: until they are known, nothing is sent there. */
export async function readAuthorizationRequest(form: Form, clients: Clients, places: Places): Promise<ReadRequest> {
  const [clientId, redirectUri, state, challenge] = ["client_id", "redirect_uri", "state", "code_challenge"].map((name) => form.one(name));
  const client = clientId === undefined ? undefined : await clients.find(clientId);
  if (client === undefined) return { untrusted: "The program that sent you here is not known. Remove its connection, and add it again." };
  if (redirectUri === undefined || !mayRedirectTo(client, redirectUri))
    return { untrusted: "The program that sent you here wants an answer at an address that is not its own." };
  const wrong = (code: OAuthCode): ReadRequest => ({ answer: answerClient({ redirectUri, state: state ?? null }, places, { error: code }) });
  if (state !== undefined && state.length > LONGEST_STATE) return { untrusted: "The program that sent you here sent too much." };
  if (form.one("request") !== undefined || form.one("request_uri") !== undefined) return wrong("request_not_supported");
  if (form.one("response_type") !== "code") return wrong("unsupported_response_type");
  if (challenge === undefined || !CHALLENGE.test(challenge) || form.one("code_challenge_method") !== "S256") return wrong("invalid_request");
  if (!isForUs(form, places)) return wrong("invalid_target");
  return { request: { clientId: client.id, clientName: client.name, clientHost: client.host ?? null, redirectUri, state: state ?? null, challenge } };
}

/** RFC 8707: exactly the resource; clients that were written before it mean the only one that there is. */
export function isForUs(form: Form, { resource }: Places): boolean {
  return form.all("resource").every((asked) => asked === resource);
}

/** Sends the browser back to the client, which is told who answers (RFC 9207). */
export function answerClient(
  { redirectUri, state }: Pick<AuthorizationRequest, "redirectUri" | "state">,
  { issuer }: Places,
  answer: { readonly code: string } | { readonly error: OAuthCode; readonly error_description?: string },
  cookie?: string,
): Response {
  const url = new URL(redirectUri);
  const parameters = { ...answer, ...(state === null ? {} : { state }), iss: issuer };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return redirect(url.href, cookie);
}
