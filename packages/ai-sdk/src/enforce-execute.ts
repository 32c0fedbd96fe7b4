import type { Pep } from "@ambit/core";
import { toCall, type ExecuteOptions, type Subject } from "./to-call.ts";
import { toFailure, ToolRefusedError } from "./to-outcome.ts";

export type Execute = (input: unknown, options: ExecuteOptions | undefined) => unknown;

/**
 * `execute` behind the enforcement point. The shape stays: the SDK streams what a generator yields and awaits anything else, and a generator
 * that is wrapped in an async function never runs.
 */
export function enforceExecute(pep: Pep, subject: Subject, execute: Execute): Execute {
  if (Object.prototype.toString.call(execute) === "[object AsyncGeneratorFunction]") {
    return enforceGenerator(pep, subject, execute as (...parameters: Parameters<Execute>) => AsyncIterable<unknown>);
  }
  return async (input, options) => {
    const admission = await pep.admit(await toCall(subject, input, options));
    if (!admission.admitted) throw new ToolRefusedError(admission.refused);
    let output: unknown;
    try {
      output = await lastOf(execute(admission.arguments, options));
    } catch (error) {
      throw await toFailure(admission, error, options?.abortSignal);
    }
    const completion = await admission.complete(output);
    if (!completion.released) throw new ToolRefusedError(completion.refused);
    return completion.result;
  };
}

function enforceGenerator(pep: Pep, subject: Subject, execute: (...parameters: Parameters<Execute>) => AsyncIterable<unknown>): Execute {
  return async function* (input, options) {
    const admission = await pep.admit(await toCall(subject, input, options));
    if (!admission.admitted) throw new ToolRefusedError(admission.refused);

    let last: unknown;
    let isSettled = false;
    try {
      for await (const output of execute(admission.arguments, options)) {
        last = output;
        if (!admission.holdsResult) yield output;
      }
      isSettled = true;
    } catch (error) {
      isSettled = true;
      throw await toFailure(admission, error, options?.abortSignal);
    } finally {
      // Whoever reads the outputs has left between two of them.
      if (!isSettled) await admission.abandon();
    }

    const completion = await admission.complete(last);
    if (!completion.released) throw new ToolRefusedError(completion.refused);
    // The SDK takes the last output as the result; one that was shown already is not shown twice.
    if (admission.holdsResult || completion.result !== last) yield completion.result;
  };
}

/** The result of an `execute` that is no generator function but returns an async iterable, now or late: its last output. */
async function lastOf(output: unknown): Promise<unknown> {
  const value = await output;
  if (typeof (value as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator] !== "function") return value;
  let last: unknown;
  for await (const part of value as AsyncIterable<unknown>) last = part;
  return last;
}
