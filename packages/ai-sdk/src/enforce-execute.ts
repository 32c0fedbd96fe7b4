import type { Admission } from "@ambit/core";
import type { PendingCalls } from "./pending-calls.ts";
import type { ExecuteOptions } from "./to-call.ts";
import { toFailure, ToolRefusedError } from "./to-outcome.ts";
import { inside, type Inside } from "./waiting.ts";

export type Execute = (input: unknown, options: ExecuteOptions | undefined) => unknown;

/**
 * `execute` behind the enforcement point. The shape stays: the SDK streams what a generator yields and awaits anything else, and a generator
 * that is wrapped in an async function never runs.
 */
export function enforceExecute(calls: PendingCalls, execute: Execute): Execute {
  if (Object.prototype.toString.call(execute) === "[object AsyncGeneratorFunction]") {
    return enforceGenerator(calls, execute as (...parameters: Parameters<Execute>) => AsyncIterable<unknown>);
  }
  return async (input, options) => {
    const admission = await admit(calls, input, options);
    const running = inside(calls.name, input, admission.run);
    let output: unknown;
    try {
      output = await running.run(() => lastOf(execute(admission.arguments, options)));
    } catch (error) {
      throw await toFailure(admission, error, options?.abortSignal);
    }
    return release(admission, output, running);
  };
}

function enforceGenerator(calls: PendingCalls, execute: (...parameters: Parameters<Execute>) => AsyncIterable<unknown>): Execute {
  return async function* (input, options) {
    const admission = await admit(calls, input, options);
    const running = inside(calls.name, input, admission.run);
    let last: unknown;
    let isSettled = false;
    try {
      for await (const output of within(running, execute(admission.arguments, options))) {
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

    const result = await release(admission, last, running);
    // The SDK takes the last output as the result; one that was shown already is not shown twice.
    if (admission.holdsResult || result !== last) yield result;
  };
}

async function admit(calls: PendingCalls, input: unknown, options: ExecuteOptions | undefined): Promise<Admission> {
  const admission = await calls.admit(input, options);
  if (!admission.admitted) throw new ToolRefusedError(admission.refused);
  return admission;
}

async function release(admission: Admission, output: unknown, running: Inside): Promise<unknown> {
  const completion = await admission.complete(output);
  if (!completion.released) throw new ToolRefusedError(completion.refused);
  running.throwIfWaiting();
  return completion.result;
}

/** The outputs of a generator, whose body runs whenever the next one is asked for. */
function within(running: Inside, outputs: AsyncIterable<unknown>): AsyncIterable<unknown> {
  const iterator = outputs[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => running.run(() => iterator.next()),
      return: async () => (await running.run(() => iterator.return?.())) ?? { done: true, value: undefined },
    }),
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
