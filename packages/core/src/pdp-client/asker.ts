import type { Json } from "../data/json.ts";
import { AmbitError } from "../errors.ts";
import type { Breaker } from "./breaker.ts";
import type { Authorize } from "./options.ts";
import type { Exchanged, Question, Transport } from "./exchange.ts";
import { readMessage } from "./wire/json.ts";
import { problem, type ProblemCode } from "./wire/problem.ts";
import { readShape } from "./wire/shape.ts";

/** What the service said to a question that it took. */
export interface Answered {
  readonly kind: "answered";
  readonly json: Json;
  readonly etag: string | undefined;
  /** Whether an earlier attempt may have had its effect already, and only its answer was lost. */
  readonly isRepeated: boolean;
}

/** What is no failure of the service, but for whoever asks to deal with. */
export type AskAnswer = Answered | { readonly kind: "not_modified" } | { readonly kind: "problem"; readonly code: ProblemCode };

/** Which failed questions are asked again: those that never left, or any, because asking twice changes nothing. */
export type Repeatable = "never_sent" | "always";

export type Ask = (question: Question, repeatable: Repeatable) => Promise<AskAnswer>;

export interface AskerOptions {
  readonly transport: Transport;
  readonly breaker: Breaker;
  /** Milliseconds for everything that `run` asks. */
  readonly deadline: number;
  /** Attempts after the first. */
  readonly retries: number;
  /** New for each attempt. */
  readonly authorize: Authorize;
}

/**
 * Runs what asks, within one deadline.
 * INVARIANT I8: whatever the service does, this rejects with `pdp_unavailable`, `pdp_timeout` or `pdp_response_invalid`; the next question finds a service that
 * has recovered.
 */
export type Asker = <T>(run: (ask: Ask) => Promise<T>) => Promise<T>;

export function createAsker(options: AskerOptions): Asker {
  const { deadline } = options;
  return async (run) => {
    const aborting = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(tooLate(deadline)), deadline);
    });
    try {
      return await Promise.race([late, run((question, repeatable) => attempts(options, question, repeatable, aborting.signal))]);
    } catch (error) {
      aborting.abort();
      throw AmbitError.isInstance(error) ? error : new AmbitError("pdp_unavailable", "the decision point could not be asked", { cause: error });
    } finally {
      clearTimeout(timer);
    }
  };
}

async function attempts(options: AskerOptions, question: Question, repeatable: Repeatable, signal: AbortSignal): Promise<AskAnswer> {
  const { transport, breaker, retries, deadline } = options;
  let isRepeated = false;
  for (let attempt = 0; ; attempt++) {
    if (!breaker.mayAsk()) throw new AmbitError("pdp_unavailable", "the decision point failed again and again, and is left alone for a moment");
    const headers = { ...question.headers, ...(await options.authorize(question)) };
    const exchanged = await transport.exchange({ ...question, headers }, signal);
    if (isAlive(exchanged)) breaker.succeeded();
    else breaker.failed();
    const again = attempt < retries && !signal.aborted && mayRepeat(exchanged, repeatable);
    if (!again) return concluded(exchanged, isRepeated, deadline);
    isRepeated ||= exchanged.kind === "answer" || exchanged.isSent;
    await pause(10 * 4 ** attempt, signal);
  }
}

/** Whether somebody is there who can answer. That a question is not taken, as one that a model made up, is no failure of the service. */
function isAlive(exchanged: Exchanged): boolean {
  return exchanged.kind === "answer" && exchanged.status < 500 && (exchanged.status === 304 || JSON_TYPE.test(exchanged.mediaType));
}

/** A proxy says 502 and 503 of a service that it cannot reach, and may have reached it before. */
function mayRepeat(exchanged: Exchanged, repeatable: Repeatable): boolean {
  if (exchanged.kind === "answer") return repeatable === "always" && (exchanged.status === 502 || exchanged.status === 503);
  return exchanged.reason === "unreachable" && (repeatable === "always" || !exchanged.isSent);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

const FAILURES = { unreachable: "pdp_unavailable", broken: "pdp_response_invalid", timeout: "pdp_timeout" } as const;

/** Media types know no case (RFC 9110 section 8.3.1). */
const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset=utf-8[ \t]*)?$/i;

/** Problems of the question, and not of the service. */
const TOLD: ReadonlySet<ProblemCode> = new Set<ProblemCode>(["chain_unknown", "request_too_large"]);

function concluded(exchanged: Exchanged, isRepeated: boolean, deadline: number): AskAnswer {
  if (exchanged.kind === "failure") throw new AmbitError(FAILURES[exchanged.reason], `the decision point cannot be asked: ${exchanged.message}`);
  const { status, mediaType, etag, text } = exchanged;
  if (status === 304) return { kind: "not_modified" };
  if (status === 408 || status === 504) throw tooLate(deadline);
  if (status === 401 || status === 403) throw new AmbitError("pdp_unavailable", `the decision point does not take the credentials (status ${status})`);
  if (status === 429 || status >= 500) throw new AmbitError("pdp_unavailable", `the decision point answers with the status ${status}`);
  const read = JSON_TYPE.test(mediaType) ? readMessage(text) : { problem: "is not JSON by its media type" };
  if ("problem" in read) throw new AmbitError("pdp_response_invalid", `the decision point's answer (status ${status}) ${read.problem}`);
  if (status === 200) return { kind: "answered", json: read.json, etag, isRepeated };
  const told = readShape(problem, read.json);
  if (status >= 400 && "message" in told && TOLD.has(told.message.error.code)) return { kind: "problem", code: told.message.error.code };
  throw new AmbitError("pdp_response_invalid", `the decision point does not take the question (status ${status})`);
}

function tooLate(deadline: number): AmbitError {
  return new AmbitError("pdp_timeout", `the decision point did not answer within ${deadline} ms`);
}
