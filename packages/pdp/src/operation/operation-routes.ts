import type { ApprovalDesk } from "../approvals/desk.ts";
import type { Route } from "../server/route.ts";
import { approvalRoutes } from "./approval-routes.ts";
import { peopleRoutes, type People } from "./people-routes.ts";

/** What operators do besides revoking: answers to what waits for an approval, who the users are, who is what to which thing. */
export function operationRoutes(pdp: People & { readonly approvals: ApprovalDesk }): readonly Route[] {
  return [...approvalRoutes(pdp.approvals), ...peopleRoutes(pdp)];
}
