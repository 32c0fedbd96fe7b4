import type { JsonObject } from "@ambit/core";
import { mayActFor, type Authenticated } from "../server/callers.ts";
import { requestProblem, type ToldProblem } from "../server/problem.ts";
import type { Route, RouteCall } from "../server/route.ts";
import { evaluation, evaluations } from "./evaluations.ts";
import type { Asker, Evaluator } from "./evaluator.ts";
import { metadata, metadataPath, PATHS } from "./metadata.ts";
import { reasonOf } from "./question.ts";
import { search, type SearchKind } from "./search.ts";

export interface AuthzenOptions {
  readonly evaluator: Evaluator;
  /** The URL by which clients know the decision point, without a slash at its end. */
  readonly url: string;
  /** Members of the metadata that profiles add: `accessRequestMetadata(…)`. */
  readonly metadata?: JsonObject | undefined;
  /** Questions in one message. @defaultValue 256 */
  readonly mostEvaluations?: number | undefined;
  /** Results in one answer. @defaultValue 100 */
  readonly mostResults?: number | undefined;
}

/**
 * The AuthZEN Authorization API 1.0 over HTTP. Questions of policy alone, for callers that may `evaluate`: no answer of it is a grant, and none of it is
 * written into an execution.
 */
export function authzenRoutes(options: AuthzenOptions): readonly Route[] {
  const { evaluator, url, mostEvaluations = 256, mostResults = 100 } = options;
  const document = Object.freeze(metadata(url, evaluator, options.metadata));
  const ask = (path: string, answer: (call: RouteCall, asker: Asker) => Promise<unknown>): Route => ({
    method: "POST",
    path,
    role: "evaluate",
    tell: tellAuthzen,
    handle: async (call) => {
      try {
        return { json: await answer(call, { mayActFor: (tenantId) => mayActFor(call.caller as Authenticated, tenantId) }) };
      } catch (error) {
        const reason = reasonOf(error);
        throw reason === undefined ? error : requestProblem("request_malformed", reason);
      }
    },
  });
  const find = (kind: SearchKind): Route => ask(PATHS[kind], ({ json }, asker) => search(kind, evaluator, json, asker, { most: mostResults }));
  return [
    { method: "GET", path: metadataPath(url), role: "open", tell: tellAuthzen, handle: async () => ({ json: document }) },
    ask(PATHS.evaluation, ({ json }, asker) => evaluation(evaluator, json, asker)),
    ask(PATHS.evaluations, ({ json }, asker) => evaluations(evaluator, json, asker, mostEvaluations)),
    ...(evaluator.searchSubjects === undefined ? [] : [find("subject")]),
    ...(evaluator.searchResources === undefined ? [] : [find("resource")]),
    ...(evaluator.searchActions === undefined ? [] : [find("action")]),
  ];
}

/** Section 10.1.2: the words, and nothing around them. A message of another media type is a bad request like any other. */
export function tellAuthzen({ code, status, message }: ToldProblem): { readonly type: string; readonly body: string; readonly status: number } {
  return { type: "text/plain; charset=utf-8", body: message, status: code === "media_type_unsupported" ? 400 : status };
}
