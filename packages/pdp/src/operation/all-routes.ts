import type { ProofVerifier } from "@ambit/core/identity";
import { authzenRoutes } from "../authzen/routes.ts";
import { createEngineEvaluator } from "../authzen/engine-evaluator.ts";
import { accessRequestRoutes } from "../authzen/profiles/access-request-draft-1.ts";
import type { EmbeddedPdp } from "../create-pdp.ts";
import { oauthRoutes } from "../oauth/routes.ts";
import type { Route } from "../server/route.ts";
import { approvalRoutes } from "./approval-routes.ts";
import { callRoutes } from "./call-routes.ts";
import { peopleRoutes } from "./people-routes.ts";
import { securityEventRoute, type SecurityEventOptions } from "./security-event-route.ts";

export interface AllRoutesOptions {
  readonly pdp: EmbeddedPdp;
  /** The URL by which clients know the service, without a slash at its end. */
  readonly url: string;
  /** Whose tokens show which workload asks for an envelope. Without it there are no OAuth endpoints. */
  readonly workloads?: ProofVerifier | undefined;
  /** Whose security events are taken. Without it there is no receiver. */
  readonly securityEvents?: SecurityEventOptions | undefined;
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}

/**
 * Everything that the service has besides what enforcement points ask: answers to what waits for an approval, calls that have to be reconciled, who the users are, who is what to which thing, the AuthZEN API,
 * security events, and OAuth around the envelope. The metadata of the AuthZEN API name no profile: its answers about policy carry no obligations, and what waits for an approval is a call under an
 * envelope, so that only a refusal of `/ambit/v1/decide` can be followed up at the endpoints for access requests.
 */
export function allRoutes({ pdp, url, workloads, securityEvents, now = Date.now }: AllRoutesOptions): readonly Route[] {
  return [
    ...approvalRoutes(pdp.approvals),
    ...callRoutes(pdp),
    ...peopleRoutes(pdp),
    ...authzenRoutes({ evaluator: createEngineEvaluator(() => pdp.rules(), now), url }),
    ...accessRequestRoutes({ approvals: pdp.approvals, url, now }),
    ...(securityEvents === undefined ? [] : [securityEventRoute(pdp, securityEvents)]),
    ...(workloads === undefined ? [] : oauthRoutes({ pdp, url, workloads, jwks: () => pdp.jwks(), now })),
  ];
}
