// Where there is no `node:async_hooks`, what a piece of work runs within is known to nobody.
import type { Ambient } from "./ambient-node.ts";

export function createAmbient<T>(): Ambient<T> {
  return { run: (_, work) => work(), get: () => undefined };
}
