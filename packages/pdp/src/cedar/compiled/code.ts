import { isFailure } from "./failure.ts";
import type { Evaluate, Scope } from "./scope.ts";
import type { Value } from "./values.ts";

/** A compiled expression. */
export interface Code {
  readonly run: Evaluate;
  /** Whether it evaluates to the same for every request. */
  readonly isConstant: boolean;
}

export function constant(value: Value): Code {
  return { run: () => value, isConstant: true };
}

/** Evaluated now, and only once, if all that it is made of is constant; a failure is kept, and thrown where the expression is reached. */
export function folded(run: Evaluate, parts: readonly Code[]): Code {
  if (!parts.every(({ isConstant }) => isConstant)) return { run, isConstant: false };
  try {
    // Nothing constant looks at its scope.
    return constant(run(undefined as unknown as Scope));
  } catch (error) {
    if (!isFailure(error)) throw error;
    return {
      run: () => {
        throw error;
      },
      isConstant: true,
    };
  }
}
