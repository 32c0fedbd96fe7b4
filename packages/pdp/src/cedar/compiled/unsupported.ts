/** What only cedar-wasm can evaluate, in our words: nothing of what a policy says. */
export interface Unsupported {
  readonly unsupported: string;
}

class UnsupportedError extends Error {}

/** Ends the compilation of the whole policy set. */
export function unsupported(what: string): never {
  throw new UnsupportedError(what);
}

export function orUnsupported<T>(compile: () => T): T | Unsupported {
  try {
    return compile();
  } catch (error) {
    if (error instanceof UnsupportedError) return { unsupported: error.message };
    throw error;
  }
}
