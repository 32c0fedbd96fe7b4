/**
 * The decision point as a service over HTTP.
 *
 * @module
 */
export { createPdpService, type PdpService, type PdpServiceOptions } from "./service.ts";
export { servePdp, type RunningServer, type ServeOptions } from "./serve.ts";
export { secretDigest, type Authenticated, type Caller, type Connection, type Role } from "./callers.ts";
export type { FailedAttemptsOptions } from "./failed-attempts.ts";
export type { ReadyChecks } from "./health-routes.ts";
export type { Catalogue } from "./catalogue.ts";
export type { ServedPdp } from "./served-pdp.ts";

// What further routes are made of.
export { requestProblem, type ToldProblem } from "./problem.ts";
export type { Route, RouteAnswer, RouteCall } from "./route.ts";

// Everything else that is asked, and how it is configured.
export { allRoutes, type AllRoutesOptions } from "../operation/all-routes.ts";
export type { SecurityEventOptions } from "../operation/security-event-route.ts";
export { checkSameServing, parseServing, type Serving } from "../config/serving.ts";
