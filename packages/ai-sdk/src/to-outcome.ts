import { modelRefusal, type Admission, type Enforced, type ModelRefusal, type Refused } from "@ambit/core";

const BRAND = Symbol.for("ambit.tool-refused");

/**
 * A call that was refused, or whose result is withheld. Thrown out of `execute`, because that is how the SDK marks a tool result as an error,
 * keeps the tool-call id and goes on with the run.
 */
export class ToolRefusedError extends Error {
  /** What the model is told, and all it is told. */
  readonly refusal: ModelRefusal;

  constructor(refused: Refused) {
    const refusal = modelRefusal(refused);
    super(JSON.stringify(refusal));
    this.name = "ToolRefusedError";
    this.refusal = refusal;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** ai 7 shows the model `error.toString()`, ai 5 and 6 `error.message`: in both it sees the refusal and nothing else. */
  override toString(): string {
    return this.message;
  }

  /** True for errors of any copy of this package in the process; own properties only. */
  static isInstance(value: unknown): value is ToolRefusedError {
    return typeof value === "object" && value !== null && Object.hasOwn(value, BRAND);
  }
}

/** What the SDK gets from `execute`: the result that may be shown, or the thrown refusal. */
export function toOutcome<T>(enforced: Enforced<T>): T {
  if (enforced.refused !== undefined) throw new ToolRefusedError(enforced.refused);
  return enforced.result;
}

/** Settles a call whose tool threw, and says what is thrown on: the text of an error cannot be checked, and would show what must be held back in a result. */
export async function toFailure(admission: Admission, error: unknown, signal: AbortSignal | undefined): Promise<unknown> {
  const isAborted = signal?.aborted === true;
  await (isAborted ? admission.abandon() : admission.fail(error));
  // Only what it was aborted with is not the tool's: after a `timeout` of the tool alone the run goes on, and shows the model what the tool says then.
  const isReason = isAborted && error === signal.reason;
  return admission.holdsResult && !isReason ? new Error("the tool failed; what it says of that is withheld, because it cannot be checked") : error;
}
