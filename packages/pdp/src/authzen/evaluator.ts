import type { JsonObject } from "@ambit/core";

/** A thing in a question, as AuthZEN has it. */
export interface Thing {
  readonly type: string;
  readonly id: string;
  readonly properties?: JsonObject;
}

/** A thing that is looked for: the type, and what has to be known of it. */
export type Sought = Omit<Thing, "id">;

export interface Deed {
  readonly name: string;
  readonly properties?: JsonObject;
}

/** A question about policy alone (AuthZEN Authorization API 1.0 section 6): the answer lets nobody run anything. */
export interface PolicyQuestion {
  readonly subject: Thing;
  readonly action: Deed;
  readonly resource: Thing;
  readonly context: JsonObject;
}

export interface EvaluatorAnswer {
  /** INVARIANT I1: only `true` is a permit. */
  readonly decision: boolean;
  /** What the asker is told besides; whoever asks may see it. */
  readonly context?: JsonObject;
}

/** Who asks, as far as it decides what they may ask about. */
export interface Asker {
  /** INVARIANT I12. */
  readonly mayActFor: (tenantId: unknown) => boolean;
}

/** Where a search goes on, and how much of it is wanted. */
export interface SearchPage {
  /** The name behind which it goes on, as `next` had it; absent at the beginning. */
  readonly after: string | undefined;
  readonly limit: number;
}

export interface Found<T> {
  readonly results: readonly T[];
  /** Where to go on; absent when there is nothing further. */
  readonly next?: string | undefined;
}

/**
 * What answers questions of policy. A search that is missing is one that nobody can make. What a search finds are hints: who acts on one asks for the
 * decision.
 */
export interface Evaluator {
  /** One answer for each question, in their order. What it leaves out, and a rejection, is a deny of everything that was asked. */
  evaluate(questions: readonly PolicyQuestion[], asker: Asker): Promise<readonly EvaluatorAnswer[]>;
  searchSubjects?(question: Omit<PolicyQuestion, "subject"> & { readonly subject: Sought }, page: SearchPage, asker: Asker): Promise<Found<Thing>>;
  searchResources?(question: Omit<PolicyQuestion, "resource"> & { readonly resource: Sought }, page: SearchPage, asker: Asker): Promise<Found<Thing>>;
  searchActions?(question: Omit<PolicyQuestion, "action">, page: SearchPage, asker: Asker): Promise<Found<Deed>>;
}
