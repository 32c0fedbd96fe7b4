import { Hono } from "hono";
import { AmbitError } from "@ambit/core";
import { requestProblem } from "./problem.ts";
import type { Route, RouteCall } from "./route.ts";

/** Where a request goes. */
export interface Found {
  readonly route: Route;
  readonly params: RouteCall["params"];
}

const NO_PARAMS: RouteCall["params"] = Object.freeze({});
/** What Hono is told: it finds the route, and what is answered there is written by whoever asked for it. */
const FOUND = new Response(null);
const METHODS = ["GET", "POST"] as const;

/**
 * Finds the routes of requests; rejects with `not_found` and `method_not_allowed`. Throws `option_invalid` for two routes of one method and path.
 */
export function createRouting(routes: readonly Route[]): (request: Request) => Promise<Found> {
  const app = new Hono<{ Bindings: { found?: Found } }>({ strict: true });
  const methods = new Map<string, string[]>();
  for (const route of routes) {
    const { method, path } = route;
    const taken = methods.get(path) ?? [];
    if (taken.includes(method)) throw new AmbitError("option_invalid", `two routes for ${method} \`${path}\``);
    methods.set(path, [...taken, method]);
    app.on(method, path, (context) => {
      context.env.found = { route, params: path.includes(":") ? context.req.param() : NO_PARAMS };
      return FOUND;
    });
  }
  for (const [path, taken] of methods) {
    const others = METHODS.filter((method) => !taken.includes(method));
    if (others.length > 0)
      app.on(others, path, () => {
        throw notAllowed(taken.join(", "));
      });
  }
  app.notFound(() => {
    throw requestProblem("not_found", "there is nothing here");
  });
  app.onError((error) => {
    throw error;
  });
  return async (request) => {
    // Before Hono, which answers HEAD as if it were GET.
    if (!METHODS.some((method) => method === request.method)) throw notAllowed(METHODS.join(", "));
    const told: { found?: Found } = {};
    await app.fetch(request, told);
    if (told.found === undefined) throw new TypeError("a route was found, and not told");
    return told.found;
  };
}

function notAllowed(allowed: string): Error {
  return requestProblem("method_not_allowed", "this is not done here", { allow: allowed });
}
