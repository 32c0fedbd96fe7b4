// What a piece of work runs within, in a Node process: known to all that it calls and awaits.
import { AsyncLocalStorage } from "node:async_hooks";

/** A value that is known within a piece of work, and to nobody outside of it. */
export interface Ambient<T> {
  run<R>(value: T, work: () => R): R;
  get(): T | undefined;
}

export function createAmbient<T>(): Ambient<T> {
  const storage = new AsyncLocalStorage<T>();
  return { run: (value, work) => storage.run(value, work), get: () => storage.getStore() };
}
