import type { Refusal, RefusalCode, Step } from "@ambit/core";
import { plainText } from "./plain-text.ts";

const RETRYABLE: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  "argument_not_allowed",
  "budget_exhausted",
  "state_unavailable",
  "log_unavailable",
  "grant_invalid",
]);

/** A refusal, thrown inside the decision point only, where the steps are written; `decide` and its siblings turn it into an answer. */
export class Refused extends Error {
  readonly refusal: Refusal;

  /** `hint` says what an operator could change; the model never sees it. */
  constructor(step: Step, code: RefusalCode, message: string, hint?: string, approval?: Refusal["approval"]) {
    super(plainText(message));
    this.refusal = {
      code,
      message: this.message,
      step,
      retryable: RETRYABLE.has(code),
      ...(hint === undefined ? {} : { hint: plainText(hint) }),
      ...(approval === undefined ? {} : { approval, requestable: true }),
    };
  }
}

/** Whether something thrown is a refusal of this decision point. */
export function isRefused(error: unknown): error is Refused {
  return error instanceof Refused;
}

/** A refusal by policies, which the record names and nobody else is told. */
export class RefusedByPolicy extends Refused {
  readonly policies: readonly string[];

  constructor(code: RefusalCode, message: string, policies: readonly string[], hint?: string) {
    super("policy", code, message, hint);
    this.policies = policies;
  }
}

/** A refusal that is on the record already, under this id. */
export class Recorded extends Refused {
  readonly decisionId: string;

  constructor({ step = "envelope", code, message, hint }: Refusal, decisionId: string) {
    super(step, code, message, hint);
    this.decisionId = decisionId;
  }
}

/** A refusal as its record has it. */
export function refusalDetails({ code, step, message, hint, approval }: Refusal): { readonly [member: string]: string | undefined } {
  return { decision: code === "approval_required" ? "approval_required" : "deny", code, step, message, hint, approval: approval?.id };
}

/** The policies that refused, where it was policies. */
export function policiesIn(error: unknown): readonly string[] | undefined {
  return error instanceof RefusedByPolicy ? error.policies : undefined;
}

/** The decision under which a refusal is on the record already. */
export function recordedAs(error: unknown): string | undefined {
  return error instanceof Recorded ? error.decisionId : undefined;
}

/** What stopped a step. INVARIANT I1, I8: whatever it was, it is a refusal. */
export function refusalOf(error: unknown, step: Step, code: RefusalCode, message: string): Refusal {
  return error instanceof Refused ? error.refusal : new Refused(step, code, message).refusal;
}

/** Runs what may fail for reasons outside (a store, an engine); the failure is a refusal with this code. */
export async function orRefuse<T>(step: Step, code: RefusalCode, message: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(step, code, message);
  }
}
