import { copyData, isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import { AmbitError, type RefusalCode } from "../errors.ts";
import type { Obligation } from "./obligation.ts";

/** Single-use permission for exactly one call: this tool, these arguments, this holder, once, for seconds. */
export interface Grant {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Steps of the one path (docs/architecture.md), and what stands before and behind it. */
export type Step = "call" | "envelope" | "constraint" | "intent" | "policy" | "approval" | "commit" | "log";

/** Why not. Shown to the model as it is, so it names no policy and no value that the agent does not know. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  /** What a developer or operator could change. Recorded and thrown, never shown to the model. */
  readonly hint?: string | undefined;
  readonly step?: Step | undefined;
  /** Whether the same call may succeed later or with other arguments. */
  readonly retryable: boolean;
  /** Whether somebody could be asked to allow it. */
  readonly requestable?: boolean | undefined;
  /** The request that waits for a person to answer; the very same call is asked again once it is answered. Never shown to the model. */
  readonly approval?: { readonly id: string; /** Milliseconds since the epoch. */ readonly expiresAt: number } | undefined;
}

/** AuthZEN Authorization API 1.0: what a decision point answers. */
export interface Decision {
  readonly decision: boolean;
  readonly context: {
    readonly id: string;
    readonly refusal?: Refusal;
    readonly obligations?: readonly Obligation[];
    readonly grant?: Grant;
  };
}

/** A broken answer; what is malformed is ours to say, not the decision point's. */
export const malformed = (reason: string): never => {
  throw new AmbitError("pdp_response_invalid", `the decision point's answer ${reason}`);
};

/**
 * Reads an answer from a decision point that may be broken or hostile. A permit needs an id and a grant, a deny needs an id and a refusal.
 * Refuses (`pdp_response_invalid`) everything else: a `decision` that is not a boolean, obligations that are not a list of objects, a number that is no time.
 * Says nothing about whether obligations are known.
 */
export function parseDecision(answer: unknown): Decision {
  const data = copyData(answer, "pdp_response_invalid", "the decision point's answer");
  if (!isJsonObject(data)) return malformed("is not an object");
  const decision = own(data, "decision");
  const context = own(data, "context");
  if (typeof decision !== "boolean") return malformed("has no boolean `decision`");
  if (!isJsonObject(context)) return malformed("has no `context`");
  const id = text(context, "id");
  if (!decision) return { decision, context: { id, refusal: parseRefusal(own(context, "refusal")) } };
  return { decision, context: { id, grant: parseGrant(own(context, "grant")), obligations: parseObligations(own(context, "obligations")) } };
}

/** Reads the answer to a redemption. Refuses (`pdp_response_invalid`) everything but `redeemed: true` with a receipt that is text, and a refusal. */
export function parseRedemption(
  answer: unknown,
): { readonly redeemed: true; readonly receipt?: string } | { readonly redeemed: false; readonly refusal: Refusal } {
  const data = copyData(answer, "pdp_response_invalid", "the decision point's answer");
  if (!isJsonObject(data)) return malformed("is not an object");
  if (own(data, "redeemed") === true) return { redeemed: true, ...(own(data, "receipt") === undefined ? {} : { receipt: text(data, "receipt") }) };
  return { redeemed: false, refusal: parseRefusal(own(data, "refusal")) };
}

/** Reads an acknowledgement. Refuses (`pdp_response_invalid`) everything but an own member that is `true`. */
export function parseAcknowledgement(answer: unknown, member: "recorded" | "ended"): void {
  const data = copyData(answer, "pdp_response_invalid", "the decision point's answer");
  if (!isJsonObject(data) || own(data, member) !== true) malformed(`does not say \`${member}\``);
}

export function parseRefusal(data: Json | undefined): Refusal {
  if (!isJsonObject(data)) return malformed("denies without a refusal");
  const retryable = own(data, "retryable");
  const step = own(data, "step");
  const hint = cut(own(data, "hint"));
  const approval = parseApproval(own(data, "approval"));
  return {
    code: text(data, "code") as RefusalCode,
    message: cut(own(data, "message")) ?? malformed("has no text `message`"),
    retryable: retryable === true,
    requestable: own(data, "requestable") === true,
    ...(typeof step === "string" ? { step: step as Step } : {}),
    ...(hint === undefined ? {} : { hint }),
    ...(approval === undefined ? {} : { approval }),
  };
}

function parseApproval(data: Json | undefined): Refusal["approval"] {
  if (data === undefined) return undefined;
  if (!isJsonObject(data)) return malformed("has an approval that is no object");
  const expiresAt = own(data, "expiresAt");
  return typeof expiresAt === "number" ? { id: text(data, "id"), expiresAt } : malformed("has an approval without an expiry");
}

function parseGrant(data: Json | undefined): Grant {
  if (!isJsonObject(data)) return malformed("permits without a grant");
  const expiresAt = own(data, "expiresAt");
  return typeof expiresAt === "number" ? { id: text(data, "id"), expiresAt } : malformed("has a grant without an expiry");
}

function parseObligations(data: Json | undefined): readonly Obligation[] {
  if (data === undefined) return [];
  if (!Array.isArray(data)) return malformed("has obligations that are not a list");
  for (const obligation of data as readonly Json[]) {
    if (!isJsonObject(obligation) || typeof own(obligation, "type") !== "string" || !isJsonObject(own(obligation, "properties")))
      malformed("has a malformed obligation");
  }
  return data as unknown as readonly Obligation[];
}

const MAX_TEXT = 2000;

/** Words for people: a reason that is long is still a reason. */
function cut(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, MAX_TEXT).toWellFormed() : undefined;
}

export function text(data: JsonObject, member: string): string {
  const value = own(data, member);
  return typeof value === "string" && value !== "" && value.length <= MAX_TEXT ? value : malformed(`has no text \`${member}\``);
}
