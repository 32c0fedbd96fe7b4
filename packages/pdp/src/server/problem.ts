import { problem, type ProblemCode } from "@ambit/core/pdp-client";

const STATUS: { readonly [code in ProblemCode]: number } = {
  request_malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  chain_unknown: 409,
  request_too_large: 413,
  media_type_unsupported: 415,
  too_many_requests: 429,
  internal: 500,
  unavailable: 503,
  timeout: 504,
};

/** Why a request gets no answer; thrown inside the service only. */
class RequestProblem extends Error {
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, message: string, headers: Readonly<Record<string, string>>) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** What a route throws where it does not answer. The message is shown to the asker, so it says nothing that they did not. */
export function requestProblem(code: ProblemCode, message: string, headers: Readonly<Record<string, string>> = {}): Error {
  return new RequestProblem(code, message, headers);
}

/** A problem as it is told. */
export interface ToldProblem {
  readonly status: number;
  readonly code: ProblemCode;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Whatever was thrown; of what is not ours nothing is told. */
export function problemOf(error: unknown): ToldProblem {
  if (!(error instanceof RequestProblem)) return { status: 500, code: "internal", message: "the request could not be answered", headers: {} };
  const { code, message, headers } = error;
  return { status: STATUS[code], code, message, headers };
}

/** The body of every problem, unless its route speaks another protocol. */
export function problemText({ code, message }: ToldProblem, requestId: string): string {
  return JSON.stringify(problem.write({ error: { code, message, requestId } }));
}
