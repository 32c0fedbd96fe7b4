import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { readMessage } from "@ambit/core/pdp-client";
import { OauthProblem } from "./errors.ts";

/** The parameters of a request. RFC 6749 section 3.1 and 3.2: one that is empty is not there, one that is unknown is ignored, none occurs twice. */
export interface Form {
  readonly get: (name: string) => string | undefined;
  /** Throws `invalid_request` where it is not there. */
  readonly need: (name: string) => string;
}

export function readForm(form: URLSearchParams | undefined): Form {
  const parameters = new Map<string, string>();
  for (const [name, value] of form ?? []) {
    if (parameters.has(name)) throw new OauthProblem("invalid_request", "a parameter occurs twice");
    parameters.set(name, value);
  }
  const get = (name: string): string | undefined => (parameters.get(name) === "" ? undefined : parameters.get(name));
  return {
    get,
    need: (name) => {
      const value = get(name);
      if (value === undefined) throw new OauthProblem("invalid_request", `${name} is missing`);
      return value;
    },
  };
}

/** A parameter that is JSON, read strictly. */
export function readJsonParameter(text: string, name: string, code: "invalid_request" | "invalid_authorization_details"): Json {
  const read = readMessage(text);
  if ("problem" in read) throw new OauthProblem(code, `${name} ${read.problem}`);
  return read.json;
}

/** A chain as it is given in a parameter: the JSON object of a presentation, or the one token of a root. */
export interface ShownChain {
  readonly chain: readonly string[];
  readonly pop: string | undefined;
}

const MOST_TOKENS = 64;

/** `undefined` for what is no chain. */
export function readChain(text: string): ShownChain | undefined {
  if (/^[A-Za-z0-9_.-]+$/.test(text)) return { chain: [text], pop: undefined };
  const read = readMessage(text);
  if ("problem" in read || !isJsonObject(read.json)) return undefined;
  const [chain, pop] = [own(read.json, "aat_chain"), own(read.json, "aat_pop")];
  const isChain = Array.isArray(chain) && chain.length > 0 && chain.length <= MOST_TOKENS && chain.every((token: Json) => typeof token === "string");
  if (!isChain || (pop !== undefined && typeof pop !== "string")) return undefined;
  return { chain: chain as unknown as readonly string[], pop };
}

/** Whether an object has these members and no others. */
export function hasOnly(object: JsonObject, ...names: readonly string[]): boolean {
  return Object.keys(object).every((name) => names.includes(name));
}
