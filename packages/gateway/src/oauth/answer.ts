import type { JsonObject } from "@ambit/core";

/** Of RFC 6749 sections 4.1.2.1 and 5.2, RFC 7591 section 3.2.2 and RFC 8707 section 2. */
export type OAuthCode =
  | "access_denied"
  | "invalid_client"
  | "invalid_client_metadata"
  | "invalid_grant"
  | "invalid_request"
  | "invalid_target"
  | "request_not_supported"
  | "temporarily_unavailable"
  | "unsupported_grant_type"
  | "unsupported_response_type";

/** Pages of any origin may ask, as nothing here is told by a cookie. */
const OPEN = { "access-control-allow-origin": "*", "cache-control": "no-store" } as const;

export function json(body: JsonObject, status = 200): Response {
  return Response.json(body, { status, headers: OPEN });
}

export function problem(error: OAuthCode, status = 400): Response {
  return json({ error }, status);
}

export function preflight(): Response {
  const headers = { ...OPEN, "access-control-allow-methods": "GET, POST", "access-control-allow-headers": "content-type, authorization, mcp-protocol-version" };
  return new Response(null, { status: 204, headers });
}

/** Sends a browser on. */
export function redirect(url: string, cookie?: string): Response {
  const headers = { location: url, "cache-control": "no-store", "referrer-policy": "no-referrer", ...(cookie === undefined ? {} : { "set-cookie": cookie }) };
  return new Response(null, { status: 303, headers });
}
