import { parentPort, workerData } from "node:worker_threads";

/** What a module was found to export, or why that cannot be told. */
export type Loaded =
  { readonly kind: "coverage"; readonly value: unknown } | { readonly kind: "missing" } | { readonly kind: "failed"; readonly reason: unknown };

/** Loads a module of the application and tells what it exports; whatever it does, it does in this thread. */
async function load(url: string): Promise<Loaded> {
  const found = (await import(url)) as { readonly coverage?: unknown };
  if (!Object.hasOwn(found, "coverage")) return { kind: "missing" };
  const { coverage } = found;
  return { kind: "coverage", value: (await (typeof coverage === "function" ? (coverage as () => unknown)() : coverage)) as unknown };
}

function tell(loaded: Loaded): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port between threads has no origin
  parentPort?.postMessage(loaded);
}

try {
  tell(await load(workerData as string)); // what is no plain data throws here
} catch (error) {
  tell({ kind: "failed", reason: error instanceof Error && error.message !== "" ? error.message : undefined });
}
