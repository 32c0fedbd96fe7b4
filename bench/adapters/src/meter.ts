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
    cancel: () => timed(() => admission.cancel()),
  });
  return {
    pep: {
      ...pep,
      admit: (call) =>
        timed(async () => {
          const admitted = await pep.admit(call);
          return admitted.admitted ? metered(admitted) : admitted;
        }),
    },
    take: () => {
      const taken = spent;
      spent = 0;
      return taken;
    },
  };
}
