import { AmbitError, digestOf, isJsonObject, own, randomText, type Json, type JsonObject } from "@ambit/core";
import { readMessage } from "@ambit/core/pdp-client";
import type { Evaluation, PolicyAnswer, PolicyEngine } from "../engine/policy-engine.ts";
import { isAnswer } from "./answer.ts";
import { createExchange, type Answered } from "./exchange.ts";
import { metadataPath, PATHS } from "./metadata.ts";
import { noAnswer } from "./policy-answer.ts";
import { readObligations } from "./profiles/obligations-draft-1.ts";

export interface AuthzenEngineOptions {
  /** The identifier of the decision point: an `https` URL without a slash at its end, exactly as its metadata have it. */
  readonly url: string;
  /** The `Authorization` that it asks for, asked for at every question. @defaultValue none */
  readonly authorization?: (() => string | Promise<string>) | undefined;
  /** Milliseconds for one batch of questions, the metadata included. @defaultValue 250 */
  readonly deadline?: number | undefined;
  /** `well_known`: its metadata say where it is asked. `none`: it has no metadata, and is asked at the paths of the standard. @defaultValue "well_known" */
  readonly discovery?: "well_known" | "none" | undefined;
  /** Milliseconds that metadata are believed. @defaultValue 300,000 */
  readonly metadataLifetime?: number | undefined;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: string | undefined;
  /** Whether a decision point on this host may be asked without TLS. @defaultValue false */
  readonly allowLoopback?: boolean | undefined;
  /** Bytes of an answer. @defaultValue 1,048,576 */
  readonly mostBytes?: number | undefined;
  /** Milliseconds of a clock that only goes forward. @defaultValue `performance.now` */
  readonly now?: (() => number) | undefined;
}

/** A foreign decision point as a policy engine. */
export interface AuthzenEngine extends PolicyEngine {
  /** Closes the connections. */
  readonly close: () => void;
}

interface Endpoints {
  readonly evaluation: string;
  readonly evaluations: string | undefined;
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);
const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset=utf-8[ \t]*)?$/i;

/**
 * Asks another AuthZEN decision point about policy (step 4); all questions of a decision in one message where it takes several. Only a whole, well-formed answer in time
 * whose `decision` is `true` permits: anything else is a deny with an error. A permit with obligations is one, too: an engine's answer has nobody to carry
 * them out. Refuses (`option_invalid`) a URL without TLS.
 */
export function createAuthzenEngine(options: AuthzenEngineOptions): AuthzenEngine {
  const { url, authorization, deadline = 250, discovery = "well_known", metadataLifetime = 300_000, ca, allowLoopback = false } = options;
  const { mostBytes = 1_048_576, now = performance.now.bind(performance) } = options;
  const { origin } = checkedUrl(url, allowLoopback);
  for (const [name, value] of Object.entries({ deadline, metadataLifetime, mostBytes }))
    if (!(Number.isSafeInteger(value) && value > 0)) throw new AmbitError("option_invalid", `\`${name}\` must be a whole number of at least 1`);
  const exchange = createExchange({ ca, mostBytes });
  let known: { readonly endpoints: Endpoints; readonly at: number } | undefined;

  const endpoints = async (signal: AbortSignal): Promise<Endpoints> => {
    if (discovery === "none") return { evaluation: url + PATHS.evaluation, evaluations: url + PATHS.evaluations };
    const age = now() - (known?.at ?? Number.NaN);
    if (known !== undefined && age >= 0 && age < metadataLifetime) return known.endpoints;
    const answer = await exchange.ask({ method: "GET", url: origin + metadataPath(url), headers: {} }, signal);
    known = { endpoints: readMetadata(readJson(answer), url, origin), at: now() };
    return known.endpoints;
  };

  const post = async (to: string, message: JsonObject, signal: AbortSignal): Promise<JsonObject> => {
    const requestId = randomText();
    const credentials = authorization === undefined ? {} : { authorization: await authorization() };
    const answer = await exchange.ask(
      { method: "POST", url: to, headers: { "x-request-id": requestId, ...credentials }, body: JSON.stringify(message) },
      signal,
    );
    if (answer.requestId !== undefined && answer.requestId !== requestId) throw new Error("the answer is to another request");
    return readJson(answer);
  };

  const ask = async (evaluations: readonly Evaluation[], signal: AbortSignal): Promise<readonly PolicyAnswer[]> => {
    const to = await endpoints(signal);
    const { evaluations: several } = to;
    if (several === undefined || evaluations.length === 1)
      return Promise.all(evaluations.map(async (evaluation) => policyAnswer(await post(to.evaluation, messageOf(evaluation), signal))));
    const answers = own(await post(several, batchOf(evaluations), signal), "evaluations");
    if (!Array.isArray(answers) || answers.length !== evaluations.length) throw new Error("the answer leaves a question out");
    return (answers as readonly Json[]).map(policyAnswer);
  };

  return Object.freeze<AuthzenEngine>({
    isEmpty: false,
    // What its policies are nobody here can know; the record says who was asked.
    digest: digestOf({ authzen: url }),
    evaluate: async (evaluations) => {
      const aborting = new AbortController();
      const timer = setTimeout(() => aborting.abort(), deadline);
      try {
        return await Promise.race([ask(evaluations, aborting.signal), late(aborting.signal)]);
      } catch (error) {
        // INVARIANT I8.
        const reason = `the decision point at ${origin}: ${error instanceof Error ? error.message : "no answer"}`;
        return evaluations.map(() => noAnswer(reason));
      } finally {
        clearTimeout(timer);
        aborting.abort();
      }
    },
    close: exchange.close,
  });
}

/** Whatever does not heed the signal, the credentials among it. */
function late(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("there was no answer in time")), { once: true }));
}

function messageOf({ subject, action, resource, context }: Evaluation): JsonObject {
  return { subject, action, resource, context } as unknown as JsonObject;
}

/** What all of them have in common is said once. */
function batchOf(evaluations: readonly Evaluation[]): JsonObject {
  const [first, ...others] = evaluations as readonly [Evaluation, ...Evaluation[]];
  const isShared = others.every(
    ({ action, resource, context }) => action.name === first.action.name && resource === first.resource && context === first.context,
  );
  if (!isShared) return { evaluations: evaluations.map(messageOf) };
  const { subject: _, ...shared } = messageOf(first);
  return { ...shared, evaluations: evaluations.map(({ subject }) => ({ subject: subject as unknown as JsonObject })) };
}

/** INVARIANT I1. */
function policyAnswer(answer: Json): PolicyAnswer {
  if (!isAnswer(answer)) throw new Error("the answer has no decision");
  const context = own(answer as unknown as JsonObject, "context");
  const obligations = readObligations(isJsonObject(context) ? context : undefined);
  if (answer.decision && obligations?.length !== 0) return noAnswer("the permit has obligations that nobody carries out");
  if (isJsonObject(context) && isJsonObject(own(context, "error"))) return noAnswer("the question could not be evaluated");
  return { effect: answer.decision ? "permit" : "deny", policies: [], errors: [] };
}

function readJson({ status, mediaType, text }: Answered): JsonObject {
  if (status !== 200) throw new Error(`the answer has the status ${status}`);
  if (!JSON_TYPE.test(mediaType)) throw new Error("the answer is not JSON by its media type");
  const read = readMessage(text);
  if ("problem" in read) throw new Error(`the answer ${read.problem}`);
  if (!isJsonObject(read.json)) throw new Error("the answer is not an object");
  return read.json;
}

/**
 * Section 9.2.3: metadata that are not of the decision point that was asked for are not used (mix-up). Its credentials go to its own host only. `signed_metadata` are
 * not looked at (section 9.1.3 leaves that open): TLS says whose these are.
 */
function readMetadata(metadata: JsonObject, url: string, origin: string): Endpoints {
  if (own(metadata, "policy_decision_point") !== url) throw new Error("the metadata are of another decision point");
  const endpoint = (member: string): string | undefined => {
    const value = own(metadata, member);
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string" || URL.parse(value)?.origin !== origin) throw new Error(`\`${member}\` of the metadata is not at the same host`);
    return value;
  };
  const evaluation = endpoint("access_evaluation_endpoint");
  if (evaluation === undefined) throw new Error("the metadata name no `access_evaluation_endpoint`");
  return { evaluation, evaluations: endpoint("access_evaluations_endpoint") };
}

function checkedUrl(url: string, allowLoopback: boolean): URL {
  const parsed = URL.parse(url);
  const isAllowed = parsed?.protocol === "https:" || (allowLoopback && parsed?.protocol === "http:" && LOOPBACK.has(parsed.hostname));
  const isPlain = parsed !== null && url.at(-1) !== "/" && parsed.search === "" && parsed.hash === "" && parsed.username === "" && parsed.password === "";
  if (isPlain && isAllowed) return parsed;
  throw new AmbitError("option_invalid", "`url` must be an `https` URL without a slash at its end, a query or a fragment");
}
