import { AmbitError, type RefusalCode } from "../errors.ts";
import { parseDecision, type Decision, type Refusal } from "../pdp/decision.ts";

/**
 * The one place that turns whatever a decision point does into an answer (I1, I8): a rejection, a throw, silence past the deadline, an
 * abort and nonsense are each a refusal with its own code. An answer that comes when nobody waits any longer goes to `onLate`.
 */
export async function askWithin<T>(
  deadline: number,
  signal: AbortSignal | undefined,
  question: () => Promise<T>,
  onLate: (answer: T) => void = () => {},
): Promise<{ readonly answer: T } | { readonly refusal: Refusal }> {
  // Nothing is asked for a call that nobody waits for: a permit would reserve what is never given back.
  if (signal?.aborted === true) return { refusal: refusal("call_aborted", ABORTED) };
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  let isGivenUp = false;
  const givenUp = new Promise<never>((_, reject) => {
    const giveUp = (code: RefusalCode, message: string): void => {
      isGivenUp = true;
      reject(new AmbitError(code, message));
    };
    timer = setTimeout(() => giveUp("pdp_timeout", `no decision within ${deadline} ms`), deadline);
    onAbort = () => giveUp("call_aborted", ABORTED);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
  const answered = Promise.resolve()
    .then(question)
    .then((answer) => {
      if (isGivenUp) onLate(answer);
      return answer;
    });
  try {
    return { answer: await Promise.race([givenUp, answered]) };
  } catch (error) {
    return { refusal: refusalOf(error) };
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
  }
}

/** A decision that can be relied on: parsed, else a deny. */
export async function askDecision(
  deadline: number,
  signal: AbortSignal | undefined,
  question: () => Promise<unknown>,
  onLate: (decision: Decision) => void,
): Promise<Decision> {
  const asked = await askWithin(deadline, signal, async () => parseDecision(await question()), onLate);
  return "answer" in asked ? asked.answer : deny(asked.refusal);
}

/** A deny that no decision point has taken. */
export function deny(refusal: Refusal, id = "undecided"): Decision {
  return { decision: false, context: { id, refusal } };
}

const ABORTED = "the call was aborted before it was decided";
const RETRYABLE: ReadonlySet<RefusalCode> = new Set<RefusalCode>(["pdp_unavailable", "pdp_timeout", "state_unavailable", "log_unavailable"]);
const ANSWERS: ReadonlySet<string> = new Set<RefusalCode>(["pdp_timeout", "pdp_response_invalid", "call_aborted"]);

function refusalOf(error: unknown): Refusal {
  // Only our own words are passed on: what a broken decision point says may be anything.
  if (AmbitError.isInstance(error) && ANSWERS.has(error.code)) return refusal(error.code as RefusalCode, error.message);
  return refusal("pdp_unavailable", "the decision point cannot be reached");
}

/** A refusal of the enforcement point itself. */
export function refusal(code: RefusalCode, message: string): Refusal {
  return { code, message, retryable: RETRYABLE.has(code) };
}
