import { AmbitError, randomText } from "@ambit/core";
import { ambitRoutes } from "./ambit-routes.ts";
import { NO_BODY, readBody } from "./body.ts";
import { createAuthentication, mustHaveRole, type Authenticate, type Caller, type Connection } from "./callers.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import { limitFailedAttempts, type FailedAttemptsOptions } from "./failed-attempts.ts";
import { healthRoutes, type ReadyChecks } from "./health-routes.ts";
import { createMetrics } from "./metrics.ts";
import { problemOf, problemText, requestProblem } from "./problem.ts";
import type { Route, RouteAnswer, RouteCall } from "./route.ts";
import { createRouting } from "./routing.ts";
import { createSeenChains } from "./seen-chains.ts";
import type { ServedPdp } from "./served-pdp.ts";
import { toResponse, writeAnswer, type WrittenAnswer } from "./written.ts";

export interface PdpServiceOptions {
  /** What `createPdp` gives. Whoever made it closes it. */
  readonly pdp: ServedPdp;
  /** The URL by which clients know the service, without a slash at its end. They refuse another one (mix-up). */
  readonly url: string;
  /** Who may ask. Nobody else may, on loopback neither. */
  readonly callers: readonly Caller[];
  /** What else is asked here: the AuthZEN API, OAuth endpoints, approvals. */
  readonly routes?: readonly Route[] | undefined;
  /** What has to be reachable for `/readyz`. @defaultValue nothing is asked */
  readonly ready?: ReadyChecks | undefined;
  /** Bytes of a request's body. @defaultValue 1,048,576 */
  readonly mostBytes?: number | undefined;
  /** Milliseconds for one request, from its headers to its answer. @defaultValue 10,000 */
  readonly deadline?: number | undefined;
  /** Chains that are remembered by their digest. @defaultValue 10,000 */
  readonly chains?: number | undefined;
  /** When whoever fails to authenticate has to wait; `unlimited` where somebody else sees to it. */
  readonly failedAttempts?: FailedAttemptsOptions | "unlimited" | undefined;
  /** Hears of what was answered with `internal`; nobody else does. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Milliseconds of a clock that only goes forward, for durations. @defaultValue `performance.now` */
  readonly now?: (() => number) | undefined;
  /** Milliseconds since the epoch, for proofs of keys. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined;
}

/** The decision point over HTTP, as a fetch handler that any server can run. */
export interface PdpService {
  /** Answers every request, whatever it is; never rejects. */
  readonly fetch: (request: Request, connection?: Connection) => Promise<Response>;
  /** The same for a server that sends what it is given: a `Response` costs more than many a question that it answers. */
  readonly answer: (request: Request, connection?: Connection) => Promise<WrittenAnswer>;
  /** From now on `/readyz` says no, and connections close with their next answer: the next question is for another replica. */
  readonly drain: () => void;
  /** Lets in others, and answers at other routes besides its own, from the next question on. Throws what `createPdpService` throws of them; then nothing has changed. */
  readonly reload: (change: Pick<PdpServiceOptions, "callers" | "routes">) => void;
}

interface Asked {
  readonly requestId: string;
  readonly connection: Connection;
  readonly startedAt: number;
}

/** Throws `option_invalid` for callers that could not be told apart from anybody, and for two routes of one method and path. */
export function createPdpService(options: PdpServiceOptions): PdpService {
  const { pdp, url, callers, routes = [], ready = {}, mostBytes = 1_048_576, deadline = 10_000, chains = 10_000 } = options;
  const { onError = () => {}, now = performance.now.bind(performance), failedAttempts = {}, clock = Date.now } = options;
  if (URL.parse(url) === null || url.at(-1) === "/") throw new AmbitError("option_invalid", "`url` must be the URL of the service, without a slash at its end");
  for (const [name, value] of Object.entries({ mostBytes, deadline, chains }))
    if (!(Number.isSafeInteger(value) && value > 0)) throw new AmbitError("option_invalid", `\`${name}\` must be a whole number of at least 1`);
  const authentication = { useOnce: pdp.useOnce, clock };
  let known = createAuthentication(callers, authentication);
  const byKnown: Authenticate = (...asked) => known(...asked);
  const authenticate = failedAttempts === "unlimited" ? byKnown : limitFailedAttempts(byKnown, failedAttempts, now);
  const metrics = createMetrics(() => pdp.counters?.() ?? []);
  const requestIdOf = createRequestIds();
  let isStopping = false;
  const own = [...ambitRoutes(pdp, url, createSeenChains(chains, metrics.chain), metrics), ...healthRoutes(ready, metrics, () => isStopping, now)];

  let find = createRouting([...own, ...routes]);
  const handle = async (
    route: Route,
    request: Request,
    params: RouteCall["params"],
    { requestId, connection }: Asked,
    time: Deadline,
  ): Promise<RouteAnswer> => {
    const query = request.url.includes("?") ? new URL(request.url).searchParams : NO_QUERY;
    // RFC 6750 section 2.3: a token in a URL is in every log on the way.
    if (query.has("access_token") || (route.takesQuery !== true && query.size > 0)) throw requestProblem("request_malformed", "there must be no such query");
    const caller = route.role === "open" ? undefined : await authenticate(request.headers, connection, { method: request.method, url: url + pathOf(request) });
    if (caller !== undefined) mustHaveRole(caller, route.role as Exclude<Route["role"], "open">);
    const kind = route.method === "GET" ? "none" : (route.body ?? "json");
    const body = kind === "none" ? NO_BODY : await readBody(request, kind, Math.min(mostBytes, route.mostBytes ?? mostBytes), time);
    const { headers } = request;
    const call: RouteCall = {
      caller,
      requestId,
      headers,
      params,
      query,
      ...body,
      get signal() {
        return time.signal();
      },
    };
    return route.handle(call);
  };

  const respond = async (route: Route, request: Request, params: RouteCall["params"], asked: Asked): Promise<WrittenAnswer> => {
    const time = createDeadline(deadline);
    let answered: WrittenAnswer;
    try {
      answered = writeAnswer(await time.within(() => handle(route, request, params, asked, time)), asked.requestId);
    } catch (error) {
      answered = refusing(error, asked.requestId, route, onError);
    }
    metrics.answered(route.path, answered.status, now() - asked.startedAt);
    return answered;
  };

  /** Whoever asks again is to find another one. */
  const leaving = (answered: WrittenAnswer): WrittenAnswer => (isStopping ? { ...answered, headers: { ...answered.headers, connection: "close" } } : answered);
  const answer: PdpService["answer"] = async (request, connection = {}) => {
    const asked: Asked = { requestId: requestIdOf(request.headers), connection, startedAt: now() };
    try {
      const { route, params } = await find(request);
      return leaving(await respond(route, request, params, asked));
    } catch (error) {
      const answered = refusing(error, asked.requestId, undefined, onError);
      metrics.answered("none", answered.status, now() - asked.startedAt);
      return leaving(answered);
    }
  };
  return Object.freeze<PdpService>({
    answer,
    fetch: async (request, connection) => toResponse(await answer(request, connection)),
    drain: () => void (isStopping = true),
    reload: (change) => {
      const [others, found] = [createAuthentication(change.callers, authentication), createRouting([...own, ...(change.routes ?? [])])];
      [known, find] = [others, found];
    },
  });
}

/** As whoever asks wrote it. */
function pathOf({ url }: Request): string {
  const from = url.indexOf("/", url.indexOf("://") + 3);
  const to = url.indexOf("?", from);
  return url.slice(from, to === -1 ? undefined : to);
}

const NO_QUERY = new URLSearchParams();
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** AuthZEN 1.0: echoed where it was sent. One that no header should carry is replaced by a name of ours, which nobody has to be unable to guess. */
function createRequestIds(): (headers: Headers) => string {
  const process = randomText(12);
  let count = 0;
  return (headers) => {
    const sent = headers.get("x-request-id");
    return sent !== null && REQUEST_ID.test(sent) ? sent : `req_${process}_${++count}`;
  };
}

function refusing(error: unknown, requestId: string, route: Route | undefined, onError: (error: unknown) => void): WrittenAnswer {
  const told = problemOf(error);
  if (told.code === "internal") hear(onError, error);
  const text: ReturnType<NonNullable<Route["tell"]>> = route?.tell?.(told, requestId) ?? { type: "application/json", body: problemText(told, requestId) };
  return writeAnswer({ status: text.status ?? told.status, text, headers: { ...told.headers, ...text.headers } }, requestId);
}

function hear(onError: (error: unknown) => void, error: unknown): void {
  try {
    onError(error);
  } catch {
    // Whoever hears of it changes nothing.
  }
}
