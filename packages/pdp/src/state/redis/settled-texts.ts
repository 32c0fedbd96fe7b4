import type { ReconcileAnswer, Reconciliation, Settled, StartedCall, UnsettledCall } from "@ambit/core";
import { saidOf } from "../unsettled.ts";
import { quoted, unquoted } from "./keys.ts";
import { callKey, labelsOf, reservedOf, timeOf, usedPart } from "./texts.ts";

/** Whether untrusted, number of classes, the classes; what was reserved. */
export type SettleReply = readonly [untrusted: string, classes: number, ...string[]];

export function settled([untrusted, classes, ...parts]: SettleReply): Settled {
  return { labels: labelsOf(untrusted, parts.slice(0, classes)), reserved: reservedOf(parts.slice(classes)) };
}

/** What there is to say of a call that was started; what it reserved. */
type StartedReply = readonly [lineage: string, decision: string, tool: string, startedAt: string, ...string[]];

export type UnsettledReply = readonly [key: string, state: UnsettledCall["state"], ...StartedReply];

export function unsettledCall([key, state, ...parts]: UnsettledReply): UnsettledCall {
  // One JSON text after another.
  const [, envelopeId = "", callId = ""] = /^("(?:[^"\\]|\\.)*")(.*)$/s.exec(key) ?? [];
  return { ...startedCall({ envelopeId: unquoted(envelopeId), callId: unquoted(callId) }, parts), state };
}

export function reconcileText({ outcome, used, startedBefore, ...key }: Reconciliation): string {
  const said = quoted(saidOf({ outcome, used }));
  return JSON.stringify({ call: callKey(key), said, isDone: outcome === "done", used: usedPart(used), startedBefore: timeOf(startedBefore) });
}

export type ReconcileReply = readonly ["reconciled" | "repeated", ...StartedReply] | readonly ["unreserved", unit: string] | readonly ["running" | "none"];

export function reconciled({ envelopeId, callId }: Reconciliation, reply: ReconcileReply): ReconcileAnswer {
  switch (reply[0]) {
    case "reconciled":
    case "repeated": {
      const [status, ...parts] = reply;
      return { status, call: startedCall({ envelopeId, callId }, parts) };
    }
    case "unreserved":
      return { status: "unreserved", unit: unquoted(reply[1]) };
    case "running":
    case "none":
      return { status: reply[0] };
  }
}

function startedCall(name: Pick<StartedCall, "envelopeId" | "callId">, [lineage, decision, tool, startedAt, ...reserved]: StartedReply): StartedCall {
  return {
    ...name,
    lineage: unquoted(lineage),
    decisionId: unquoted(decision),
    toolId: unquoted(tool),
    reserved: reservedOf(reserved),
    startedAt: Number(startedAt),
  };
}
