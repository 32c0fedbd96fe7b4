import { unavailable } from "./unavailable.ts";
import type { Lease } from "./vault.ts";

/** The lease, or that it was too late (INVARIANT I8): then it is disposed of as soon as it is there. `takeOut` is told by the signal that nobody waits any more. */
export async function inTime(deadline: number, signal: AbortSignal | undefined, takeOut: (late: AbortSignal) => Promise<Lease>): Promise<Lease> {
  const late = AbortSignal.any([AbortSignal.timeout(deadline), ...(signal === undefined ? [] : [signal])]);
  const tooLate = unavailable("the vault did not answer in time");
  if (late.aborted) throw tooLate;
  const taking = takeOut(late);
  let giveUp = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    giveUp = () => reject(tooLate);
    late.addEventListener("abort", giveUp, { once: true });
  });
  try {
    return await Promise.race([taking, aborted]);
  } catch (error) {
    if (error === tooLate) void taking.then((lease) => lease[Symbol.asyncDispose]()).catch(() => undefined);
    throw error;
  } finally {
    late.removeEventListener("abort", giveUp);
  }
}
