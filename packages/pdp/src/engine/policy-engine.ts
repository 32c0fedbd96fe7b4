import type { JsonObject } from "@ambit/core";

/** A thing in a question, as AuthZEN has it. */
export interface Entity {
  readonly type: string;
  readonly id: string;
  readonly properties?: JsonObject;
  /** What it is a member of: roles, for users and agents. */
  readonly roles?: readonly string[];
}

/** A question about policy alone: AuthZEN Authorization API 1.0, one evaluation. */
export interface Evaluation {
  readonly subject: Entity;
  readonly action: { readonly name: string };
  readonly resource: Entity;
  readonly context: { readonly agent: Entity; readonly delegator: Entity } & { readonly [member: string]: unknown };
}

export interface PolicyAnswer {
  /** INVARIANT I1: only `permit` is a permit; an engine that has no opinion denies. */
  readonly effect: "permit" | "deny";
  /** Ids of the policies that determined the answer. */
  readonly policies: readonly string[];
  /** INVARIANT I9: anything in here makes the answer a deny, whatever `effect` says. Own words, no arguments. */
  readonly errors: readonly string[];
}

/** What answers step 4. Cedar is the default; Rego, Polar and AuthZEN decision points plug in here. */
export interface PolicyEngine {
  /** No policy at all: every question is answered `no_policy`. */
  readonly isEmpty: boolean;
  /** Of the policies and of what they are checked against; written with every decision. */
  readonly digest: string;
  /** What takes the decisions, for people. */
  readonly description?: string | undefined;
  evaluate(evaluations: readonly Evaluation[]): Promise<readonly PolicyAnswer[]>;
}
