import type { Json } from "@ambit/core";
import type { Authenticated, Role } from "./callers.ts";
import type { ToldProblem } from "./problem.ts";

/** What somebody asks at a route: authenticated, of the right role, its body read and strict. */
export interface RouteCall {
  /** Whoever asks; absent at an open route. */
  readonly caller: Authenticated | undefined;
  /** As the asker named it, or as we do; in the answer's `X-Request-ID` already. */
  readonly requestId: string;
  readonly headers: Headers;
  /** Of a path such as `/approvals/:id`. */
  readonly params: { readonly [name: string]: string };
  readonly query: URLSearchParams;
  /** The body of a route that takes JSON. Plain and frozen; its numbers are exact and its names occur once. */
  readonly json: Json | undefined;
  /** The body of a route that takes a form; a name that occurs twice was refused. */
  readonly form: URLSearchParams | undefined;
  /** The body of a route that takes a token. */
  readonly token: string | undefined;
  /** Aborts when nobody waits any longer. */
  readonly signal: AbortSignal;
}

export interface RouteAnswer {
  /** @defaultValue 200 */
  readonly status?: number;
  /** What `JSON.stringify` writes as the body. */
  readonly json?: unknown;
  /** A body that is no JSON, or is written already. */
  readonly text?: { readonly type: string; readonly body: string };
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a body can be: JSON, a form, or a security event token (RFC 8417). */
export type BodyKind = "json" | "form" | "secevent+jwt";

/** One thing that can be asked over HTTP. Everything else at its path is `method_not_allowed`. */
export interface Route {
  readonly method: "GET" | "POST";
  /** A path, whose segments may be parameters (`:id`); compared exactly. */
  readonly path: string;
  /** What a caller must be allowed; `open` asks nobody who they are. */
  readonly role: Role | "open";
  /** What a POST carries. @defaultValue "json" */
  readonly body?: BodyKind | "none";
  /** Bytes of the body, where it is to be less than the service takes. */
  readonly mostBytes?: number;
  /** Whether there may be a query. @defaultValue false */
  readonly takesQuery?: boolean;
  /** Throws `requestProblem` where it does not answer; whatever else it throws is an `internal` problem of which nothing is told. */
  readonly handle: (call: RouteCall) => Promise<RouteAnswer>;
  /** How problems are told, where the protocol of the route has its own way. */
  readonly tell?: (
    problem: ToldProblem,
    requestId: string,
  ) => {
    readonly type: string;
    readonly body: string;
    /** @defaultValue that of the problem */ readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
  };
}
