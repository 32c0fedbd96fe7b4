import { createHash, timingSafeEqual } from "node:crypto";
import { own } from "@ambit/core";
import { json, problem } from "./answer.ts";
import { isForUs } from "./authorization-request.ts";
import type { Form } from "./form.ts";
import type { Grant, Grants } from "./grants.ts";
import { SCOPE, type Places } from "./places.ts";
import type { TokenContent, Tokens } from "./tokens.ts";

export interface TokenSetting {
  readonly places: Places;
  readonly grants: Grants;
  readonly tokens: Tokens;
  readonly accessLifetime: number;
  readonly now: () => number;
}

/**
 * Redeems codes and refresh tokens (RFC 6749 sections 4.1.3 and 6), each for one attempt. One that is shown a second time, or with anything that is not of the client it was given to, is in
 * somebody else's hands too: the grant ends, for both of them (RFC 9700 sections 2.1.1 and 4.14.2).
 */
export async function answerToken(setting: TokenSetting, form: Form): Promise<Response> {
  const { places, tokens, grants } = setting;
  const [type, clientId] = [form.one("grant_type"), form.one("client_id")];
  if (type !== "authorization_code" && type !== "refresh_token") return problem(type === undefined ? "invalid_request" : "unsupported_grant_type");
  const kind = type === "refresh_token" ? "refresh" : "code";
  const token = form.one(kind === "code" ? "code" : "refresh_token");
  if (token === undefined || clientId === undefined || (kind === "code" && form.one("code_verifier") === undefined)) return problem("invalid_request");
  if (!isForUs(form, places)) return problem("invalid_target");

  const spent = await tokens.spend(kind, token);
  if (spent === undefined) return problem("invalid_grant");
  const { tenant, grant: id } = spent.content;
  const grant = await grants.find(tenant, id);
  if (grant === undefined) return problem("invalid_grant");
  const isRight = kind === "refresh" || isOfCode(form, spent.content);
  if (!spent.isFirst || grant.clientId !== clientId || !isRight) {
    await grants.end(tenant, id);
    return problem("invalid_grant");
  }
  return give(setting, grant);
}

/** RFC 7009. Whichever token of a grant it is, all of it ends. */
export async function answerRevocation({ tokens, grants }: TokenSetting, form: Form): Promise<Response> {
  const [token, clientId] = [form.one("token"), form.one("client_id")];
  if (token === undefined || clientId === undefined) return problem("invalid_request");
  const content = (await tokens.read("refresh", token)) ?? (await tokens.read("access", token));
  const grant = content === undefined ? undefined : await grants.find(content.tenant, content.grant);
  if (grant !== undefined && grant.clientId !== clientId) return problem("invalid_client", 401);
  if (grant !== undefined) await grants.end(grant.tenantId, grant.id);
  return json({});
}

function isOfCode(form: Form, content: TokenContent): boolean {
  const challenge = createHash("sha256")
    .update(form.one("code_verifier") ?? "")
    .digest("base64url");
  const expected = String(own(content, "challenge"));
  const isProven = challenge.length === expected.length && timingSafeEqual(Buffer.from(challenge), Buffer.from(expected));
  return isProven && own(content, "client") === form.one("client_id") && own(content, "redirect") === form.one("redirect_uri");
}

async function give({ tokens, accessLifetime, now }: TokenSetting, { id, tenantId, until }: Grant): Promise<Response> {
  const end = Math.min(now() + accessLifetime, until);
  return json({
    access_token: await tokens.issue("access", { tenant: tenantId, grant: id, until: end }),
    token_type: "Bearer",
    expires_in: Math.max(1, Math.floor((end - now()) / 1000)),
    refresh_token: await tokens.issue("refresh", { tenant: tenantId, grant: id, until }),
    scope: SCOPE,
  });
}
