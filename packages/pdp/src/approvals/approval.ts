import { AmbitError, isIdentifier, type JsonObject } from "@ambit/core";
import { Reader } from "../config/reader.ts";
import { bindingIn } from "./approval-id.ts";
import { bindingOf, readRequest, writeRequest, type ApprovalRequest } from "./approval-request.ts";

const STATUSES = ["pending", "approved", "denied", "expired", "used"] as const;

/** How a request stands. */
export type ApprovalStatus = (typeof STATUSES)[number];

/** What would be left of a budget. */
export interface BudgetLeft {
  /** What is spent: `calls`, `rate`, `records`, `money/EUR` in minor units. */
  readonly unit: string;
  /** What the call takes, at most. */
  readonly takes: number;
  /** What is left after it, in the tightest of the budgets; negative: so much is missing. */
  readonly left: number;
}

/** A request as people see it. */
export interface Approval {
  readonly id: string;
  readonly status: ApprovalStatus;
  readonly request: ApprovalRequest;
  /** As it was when the request was made. Other calls go on, so no answer is bound to it. */
  readonly left: readonly BudgetLeft[];
  readonly answers: readonly { readonly approver: string; readonly decision: "approve" | "deny"; readonly at: number }[];
  /** Milliseconds since the epoch; after that nobody can answer, and what was approved is not any longer. */
  readonly expiresAt: number;
}

/** As the service shows it. */
export function writeApproval({ id, status, request, left, answers, expiresAt }: Approval): JsonObject {
  return {
    id,
    status,
    about: writeRequest(request),
    left: left.map(({ unit, takes, left: rest }) => ({ unit, takes, left: rest })),
    answers: answers.map(({ approver, decision, at }) => ({ approver, decision, at: new Date(at).toISOString() })),
    expires_at: new Date(expiresAt).toISOString(),
  };
}

/**
 * Reads a request as a service shows it, which need not be trusted: what is read is what the id says that it is about, all of it, and nothing else. Refuses (`approval_invalid`) anything
 * else.
 */
export function readApproval(json: unknown): Approval {
  const reader = new Reader("approval_invalid", "the request", json).members(["id", "status", "about", "left", "answers", "expires_at"]);
  const approval: Approval = {
    id: reader.at("id").text(),
    status: reader.at("status").oneOf(...STATUSES),
    request: readRequest(reader.at("about")),
    left: reader.at("left").elements().map(readLeft),
    answers: reader.at("answers").elements().map(readAnswered),
    expiresAt: instant(reader.at("expires_at")),
  };
  checkBinding(approval);
  return approval;
}

/** Refuses (`approval_invalid`) a request that is about something else than its id says. */
export function checkBinding({ id, request }: Pick<Approval, "id" | "request">): string {
  const binding = bindingOf(request);
  if (bindingIn(id) === binding) return binding;
  throw new AmbitError("approval_invalid", "the request is about something else than its id says");
}

export function readLeft(reader: Reader): BudgetLeft {
  reader.members(["unit", "takes", "left"]);
  return { unit: reader.at("unit").text(), takes: reader.at("takes").count(), left: reader.at("left").integer() };
}

function readAnswered(reader: Reader): Approval["answers"][number] {
  reader.members(["approver", "decision", "at"]);
  return {
    approver: reader.at("approver").textThat(isIdentifier, "an id"),
    decision: reader.at("decision").oneOf("approve", "deny"),
    at: instant(reader.at("at")),
  };
}

function instant(reader: Reader): number {
  const time = Date.parse(reader.text());
  return Number.isFinite(time) ? time : reader.fail("must be a time");
}
