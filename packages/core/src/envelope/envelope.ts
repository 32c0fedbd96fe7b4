import { sortedUnique } from "../data/sets.ts";
import type { Budgets } from "./budgets.ts";
import type { ConstraintValue } from "./constraint-kinds.ts";

/** Values of resource constraints by key; which keys exist, and how they compare, is in the vocabulary. */
export type ResourceConstraints = { readonly [key: string]: ConstraintValue };

/**
 * What an agent may ask for: on whose behalf, for which task and purpose, with which tools and resources, until when.
 * It allows to *ask* only; no credential is in it.
 */
export interface Envelope {
  readonly delegatorId: string;
  readonly tenantId: string;
  readonly sessionId: string;
  /** A sub-task is `parent/sub`. */
  readonly taskId: string;
  /** A purpose of the catalogue. */
  readonly purpose: string;
  /** The holder: the agent that may present this envelope. */
  readonly agentId: string;
  /** Tools the holder may use. Sorted, unique. */
  readonly allowedTools: readonly string[];
  /** Further tools that the holder may hand on without using them. Sorted, unique. */
  readonly mayDelegate: readonly string[];
  /** Tools nobody below this envelope may use. Sorted, unique. */
  readonly deniedTools: readonly string[];
  readonly resourceConstraints: ResourceConstraints;
  readonly budgets: Budgets;
  /** Tools whose calls need an approval each. Sorted, unique. */
  readonly approvals: readonly string[];
  /** How many hand-offs may follow one another below the root, in all. */
  readonly maxDepth: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** How deep hand-offs may nest when an envelope does not say. */
export const DEFAULT_MAX_DEPTH = 4;

/** The tools that an envelope and everything derived from it can ever ask for. */
export function reachOf(envelope: Pick<Envelope, "allowedTools" | "mayDelegate" | "deniedTools">): readonly string[] {
  if (envelope.mayDelegate.length === 0 && envelope.deniedTools.length === 0) return sortedUnique(envelope.allowedTools);
  const denied = new Set(envelope.deniedTools);
  return sortedUnique([...envelope.allowedTools, ...envelope.mayDelegate].filter((tool) => !denied.has(tool)));
}
