import { METRICS_TYPE, type Metrics } from "./metrics.ts";
import { requestProblem } from "./problem.ts";
import type { Route } from "./route.ts";

/** What has to be reachable for a decision to be taken: the store, the log. Each resolves when it is; it is not waited for long. */
export type ReadyChecks = { readonly [part: string]: () => Promise<unknown> };

const OK = { json: { status: "ok" } } as const;

/** Health says nothing but that; readiness is asked of its parts once in a while, however often it is asked for. */
export function healthRoutes(checks: ReadyChecks, metrics: Metrics, isStopping: () => boolean, now: () => number): readonly Route[] {
  return [
    { method: "GET", path: "/healthz", role: "open", handle: async () => OK },
    { method: "GET", path: "/readyz", role: "open", handle: readiness(checks, isStopping, now) },
    { method: "GET", path: "/metrics", role: "observe", handle: async () => ({ text: { type: METRICS_TYPE, body: metrics.text() } }) },
  ];
}

const FRESH = 1000;
const PATIENCE = 2000;

function readiness(checks: ReadyChecks, isStopping: () => boolean, now: () => number): Route["handle"] {
  let askedAt = Number.NaN;
  let asked: Promise<boolean> | undefined;
  return async () => {
    const age = now() - askedAt;
    if (asked === undefined || !(age >= 0 && age < FRESH)) {
      askedAt = now();
      asked = areAll(Object.values(checks));
    }
    if (!isStopping() && (await asked)) return OK;
    throw requestProblem("unavailable", "the service is not ready");
  };
}

async function areAll(checks: readonly (() => Promise<unknown>)[]): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, PATIENCE, false);
    timer.unref();
  });
  try {
    return await Promise.race([late, Promise.all(checks.map(async (check) => check())).then(() => true)]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
