import type { Admission, Pep } from "@ambit/core";

/** An enforcement point of which it is known how long it took: all that is not the adapter's own. */
export interface Meter {
  readonly pep: Pep;
  /** Milliseconds since it was asked last. */
  readonly take: () => number;
}

/** Core and the decision point are what every adapter waits for; what is between them and the framework is the adapter. */
export function meter(pep: Pep): Meter {
  let spent = 0;
  const timed = async <T>(work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    try {
      return await work();
    } finally {
      spent += performance.now() - start;
    }
  };
  const metered = (admission: Admission): Admission => ({
    ...admission,
    complete: (result) => timed(() => admission.complete(result)),
    fail: (error) => timed(() => admission.fail(error)),
    abandon: () => timed(() => admission.abandon()),
    pause: () => timed(() => admission.pause()),
    cancel: () => timed(() => admission.cancel()),
  });
  const timedAdmit = (admit: () => ReturnType<Pep["admit"]>): ReturnType<Pep["admit"]> =>
    timed(async () => {
      const admitted = await admit();
      return admitted.admitted ? metered(admitted) : admitted;
    });
  return {
    pep: {
      ...pep,
      ask: (call) =>
        timed(async () => {
          const asked = await pep.ask(call);
          return { ...asked, admit: (signal) => timedAdmit(() => asked.admit(signal)) };
        }),
      admit: (call) => timedAdmit(() => pep.admit(call)),
    },
    take: () => {
      const taken = spent;
      spent = 0;
      return taken;
    },
  };
}
