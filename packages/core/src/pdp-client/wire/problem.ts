import { object, required, text, words, type Shape } from "./shape.ts";

/** Why there is no answer; of one shape, whatever it is. */
export interface Problem {
  readonly error: {
    readonly code: ProblemCode;
    readonly message: string;
    /** As the asker named the request, or as the service did. */
    readonly requestId: string;
  };
}

export type ProblemCode =
  | "request_malformed"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "request_timeout"
  | "chain_unknown"
  | "request_too_large"
  | "media_type_unsupported"
  | "too_many_requests"
  | "internal"
  | "unavailable"
  | "timeout";

export const problem: Shape<Problem> = object<Problem>({
  error: required(
    "error",
    object<Problem["error"]>({
      code: required("code", text(64) as Shape<ProblemCode>),
      message: required("message", words(2000)),
      requestId: required("request_id", text()),
    }),
  ),
});
