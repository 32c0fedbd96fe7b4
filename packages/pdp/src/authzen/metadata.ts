import type { JsonObject } from "@ambit/core";
import type { Evaluator } from "./evaluator.ts";

const WELL_KNOWN = "/.well-known/authzen-configuration";

/** Section 10.1, the default paths. */
export const PATHS: { readonly [endpoint in "evaluation" | "evaluations" | "subject" | "resource" | "action"]: string } = Object.freeze({
  evaluation: "/access/v1/evaluation",
  evaluations: "/access/v1/evaluations",
  subject: "/access/v1/search/subject",
  resource: "/access/v1/search/resource",
  action: "/access/v1/search/action",
});

/** Where the metadata of a decision point are: the well-known part stands between its host and its path (section 9.2). */
export function metadataPath(url: string): string {
  const { pathname } = new URL(url);
  return `${WELL_KNOWN}${pathname === "/" ? "" : pathname}`;
}

/** Section 9.1. A search that nobody can make is not there. `extra`: what the profiles add. */
export function metadata(url: string, evaluator: Evaluator, extra: JsonObject = {}): JsonObject {
  return {
    policy_decision_point: url,
    access_evaluation_endpoint: url + PATHS.evaluation,
    access_evaluations_endpoint: url + PATHS.evaluations,
    ...(evaluator.searchSubjects === undefined ? {} : { search_subject_endpoint: url + PATHS.subject }),
    ...(evaluator.searchResources === undefined ? {} : { search_resource_endpoint: url + PATHS.resource }),
    ...(evaluator.searchActions === undefined ? {} : { search_action_endpoint: url + PATHS.action }),
    ...extra,
  };
}
