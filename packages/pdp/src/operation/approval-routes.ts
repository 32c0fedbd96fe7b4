import { AmbitError, isIdentifier, own, type Json, type JsonObject } from "@ambit/core";
import { writeApproval } from "../approvals/approval.ts";
import type { GivenAnswer } from "../approvals/approvals.ts";
import type { ApprovalDesk } from "../approvals/desk.ts";
import type { Authenticated } from "../server/callers.ts";
import { requestProblem } from "../server/problem.ts";
import type { Route, RouteCall } from "../server/route.ts";
import { onlyMembers, tenantOf } from "./asked.ts";

/**
 * What waits for people, and their answers:
 *
 *     GET  /ambit/v1/approvals?tenant_id=…[&after=…]       a page of requests
 *     GET  /ambit/v1/approvals/:id?tenant_id=…             one of them
 *     POST /ambit/v1/approvals/:id  { tenant_id, signed } | { tenant_id, decision[, approver] }
 *
 * A request is shown with everything that an answer is bound to (spec/approval.md). A caller with a person's token answers as that person and as nobody else, and not at all where the token was given to
 * an agent. Any other caller of the role `approve` says who answered, and the record says who said so.
 */
export function approvalRoutes(desk: ApprovalDesk): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/ambit/v1/approvals",
      role: "approve",
      takesQuery: true,
      handle: async (call) => {
        const page = await told(() => desk.list(tenantOf(call, call.query.get("tenant_id")), { after: call.query.get("after") ?? "", limit: 100 }));
        return { json: { approvals: page.map(writeApproval) } };
      },
    },
    {
      method: "GET",
      path: "/ambit/v1/approvals/:id",
      role: "approve",
      takesQuery: true,
      handle: async (call) => {
        const found = await told(() => desk.get(tenantOf(call, call.query.get("tenant_id")), call.params["id"] ?? ""));
        if (found === undefined) throw requestProblem("not_found", "there is no such request");
        return { json: writeApproval(found) };
      },
    },
    {
      method: "POST",
      path: "/ambit/v1/approvals/:id",
      role: "approve",
      handle: async (call) => {
        const body = onlyMembers(call.json, ["tenant_id", "signed", "decision", "approver"]);
        const tenantId = tenantOf(call, own(body, "tenant_id"));
        return {
          json: writeApproval(await told(() => desk.answer({ id: call.params["id"] ?? "", tenantId, ...answerOf(call, body, tenantId) } as GivenAnswer))),
        };
      },
    },
  ];
}

function answerOf({ caller }: RouteCall, body: JsonObject, tenantId: string): Partial<GivenAnswer> {
  const [signed, decision, named] = [own(body, "signed"), own(body, "decision"), own(body, "approver")];
  if (typeof signed === "string" && decision === undefined && named === undefined) return { signed };
  if (signed !== undefined || (decision !== "approve" && decision !== "deny"))
    throw requestProblem("request_malformed", "give `signed`, or a `decision`: `approve` or `deny`");
  return { decision, ...approverOf(caller as Authenticated, named, tenantId) };
}

type Vouched = Extract<GivenAnswer, { readonly approver: string }>;

function approverOf({ name, identity }: Authenticated, named: Json | undefined, tenantId: string): Pick<Vouched, "approver" | "assertedBy" | "agentId"> {
  if (identity === undefined) {
    if (!isIdentifier(named)) throw requestProblem("request_malformed", "say who answers: `approver`");
    return { approver: named, assertedBy: name };
  }
  // INVARIANT I12: whoever has a name in one tenant is nobody in another, however many tenants the caller acts for.
  if (identity.tenantId !== tenantId) throw requestProblem("forbidden", "the token is of another tenant");
  if (named !== undefined && named !== identity.delegatorId) throw requestProblem("forbidden", "whoever has a token of their own answers for themselves");
  return { approver: identity.delegatorId, assertedBy: `${identity.kind} ${identity.issuer}`, agentId: identity.agentId };
}

/** What a person did wrong they are told; anything else is not theirs to know. */
async function told<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!AmbitError.isInstance(error)) throw error;
    if (error.code === "approval_invalid" || error.code === "approval_expired" || error.code === "option_invalid")
      throw requestProblem("request_malformed", `${error.code}: ${error.summary}`);
    throw requestProblem("unavailable", "requests for approval cannot be read or written now");
  }
}
