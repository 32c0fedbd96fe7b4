import { AmbitError, own, type UnsettledCall } from "@ambit/core";
import type { EmbeddedPdp } from "../create-pdp.ts";
import type { CallReconciliation } from "../reconcile.ts";
import type { Authenticated } from "../server/callers.ts";
import { requestProblem } from "../server/problem.ts";
import type { Route } from "../server/route.ts";
import { onlyMembers, tenantOf } from "./asked.ts";

/**
 * Calls of which nobody has said how they ended, and what a person found out about them:
 *
 *     GET  /ambit/v1/calls?tenant_id=…[&after_envelope_id=…&after_call_id=…]   a page of them
 *     POST /ambit/v1/calls/reconcile  { tenant_id, envelope_id, call_id, outcome[, used, force, reason] }
 */
export function callRoutes(pdp: Pick<EmbeddedPdp, "unsettled" | "reconcile">): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/ambit/v1/calls",
      role: "operate",
      takesQuery: true,
      handle: async (call) => {
        const { query } = call;
        const [envelopeId, callId] = [query.get("after_envelope_id"), query.get("after_call_id")];
        if ((envelopeId === null) !== (callId === null))
          throw requestProblem("request_malformed", "a call has two names: `after_envelope_id`, `after_call_id`");
        const after = envelopeId === null || callId === null ? undefined : { envelopeId, callId };
        const page = await told(() => pdp.unsettled(tenantOf(call, query.get("tenant_id")), { after }));
        return { json: { calls: page.map(shown) } };
      },
    },
    {
      method: "POST",
      path: "/ambit/v1/calls/reconcile",
      role: "operate",
      handle: async (call) => {
        const body = onlyMembers(call.json, ["tenant_id", "envelope_id", "call_id", "outcome", "used", "force", "reason"]);
        const asked = {
          tenantId: tenantOf(call, own(body, "tenant_id")),
          envelopeId: own(body, "envelope_id"),
          callId: own(body, "call_id"),
          outcome: own(body, "outcome"),
          used: own(body, "used"),
          force: own(body, "force"),
          reason: own(body, "reason"),
          by: (call.caller as Authenticated).name,
        };
        // What it must be is checked by whoever takes it.
        const { reserved, decisionId } = await told(() => pdp.reconcile(asked as unknown as CallReconciliation));
        return { json: { done: true, decision_id: decisionId, reserved } };
      },
    },
  ];
}

/** On the wire. */
function shown({ envelopeId, callId, lineage, decisionId, toolId, state, startedAt, reserved }: UnsettledCall): object {
  return {
    envelope_id: envelopeId,
    call_id: callId,
    lineage,
    decision_id: decisionId,
    tool: toolId,
    state,
    started_at: new Date(startedAt).toISOString(),
    reserved,
  };
}

/** What an operator said that cannot be they are told; anything else is not theirs to know. */
async function told<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!AmbitError.isInstance(error)) throw error;
    if (error.code === "grant_replayed") throw requestProblem("not_found", error.summary);
    if (error.code === "option_invalid" || error.code === "call_running") throw requestProblem("request_malformed", `${error.code}: ${error.summary}`);
    throw requestProblem("unavailable", "calls cannot be read or reconciled now; ask again");
  }
}
