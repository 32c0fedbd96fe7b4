import { AmbitError } from "@ambit/core";
import { createEventVerifier, type EventIssuer } from "@ambit/core/identity";
import type { SecurityEventOptions } from "../operation/security-event-route.ts";
import { readKeys } from "./keys.ts";
import type { Reader } from "./reader.ts";

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/**
 * Reads whose security events are taken: `{ "audience", "issuers": [{ "issuer", "keys", "algorithms"? }], "authentication"?: "caller" | "signature" }`. Refuses (`config_invalid`) what
 * `createEventVerifier` refuses, too.
 */
export function parseSecurityEvents(reader: Reader, now: () => number): SecurityEventOptions {
  reader.members(["audience", "issuers"], ["authentication"]);
  const issuers = reader
    .at("issuers")
    .elements()
    .map((entry) => readIssuer(entry, now));
  const authentication = reader.at("authentication");
  const rest = { audience: reader.at("audience").text(), ...(authentication.isAbsent ? {} : { authentication: authentication.oneOf("caller", "signature") }) };
  try {
    return { tokens: createEventVerifier({ issuers }), ...rest };
  } catch (error) {
    return reader.fail(AmbitError.isInstance(error) ? error.message : "cannot be read");
  }
}

function readIssuer(reader: Reader, now: () => number): EventIssuer {
  const algorithms = reader.members(["issuer", "keys"], ["algorithms"]).at("algorithms");
  return {
    issuer: reader.at("issuer").text(),
    keys: readKeys(reader.at("keys"), "jwks", now),
    ...(algorithms.isAbsent ? {} : { algorithms: algorithms.texts(isText, "the name of an algorithm") }),
  };
}
