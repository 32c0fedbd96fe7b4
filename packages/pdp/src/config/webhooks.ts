import { AmbitError } from "@ambit/core";
import type { Webhook } from "../approvals/webhook/webhook.ts";
import { webhookKey } from "../approvals/webhook/signature.ts";
import type { Reader } from "./reader.ts";
import { fromEnvironment, type Environment } from "./state.ts";

const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];

/**
 * Reads who is told of requests for approval: `{ "url" | "url_env", "secret_env" }`, where the latter are names of environment variables. No complaint quotes an address or a secret: either may let
 * somebody in.
 */
export function parseWebhook(reader: Reader, env: Environment): Webhook {
  reader.members(["secret_env"], ["url", "url_env"]);
  const [place, address] = fromEnvironment(reader, "url", env);
  const url = URL.parse(address);
  const isAllowed = url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.includes(url.hostname));
  if (url === null || !isAllowed || url.username !== "" || url.password !== "" || url.hash !== "")
    return place.fail("must be an `https:` URL, or an `http:` one of this very machine, without user, password or fragment");
  const variable = reader.at("secret_env");
  const secret = Object.hasOwn(env, variable.text()) ? env[variable.text()] : undefined;
  try {
    return { url, key: webhookKey(secret ?? variable.fail("names an environment variable that is not set")) };
  } catch (error) {
    if (AmbitError.isInstance(error) && error.code !== "option_invalid") throw error;
    return variable.fail(`names an environment variable that is no secret${AmbitError.isInstance(error) ? `: ${error.summary}` : ""}`);
  }
}
