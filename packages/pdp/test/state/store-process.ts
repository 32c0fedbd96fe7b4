import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Job } from "./store-worker.ts";

/** Another process that has opened the store. */
export interface StoreProcess {
  run(job: Job): Promise<unknown>;
  /** Kills it at once (`SIGKILL`): nothing in it gets to tidy up, and what it was asked is rejected. */
  kill(): Promise<void>;
  /** Lets it close its store and end. */
  close(): Promise<void>;
}

/** Starts a process that opens the store by `module` (a file URL) and `options` (plain JSON). */
export async function startStoreProcess(module: string, options: unknown): Promise<StoreProcess> {
  const worker = fileURLToPath(new URL("store-worker.ts", import.meta.url));
  const child = fork(worker, [module, JSON.stringify(options)], {
    execArgv: ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"],
    env: { ...process.env, AMBIT_STORE_WORKER: "1" },
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void }>();
  child.on("message", ({ id, value, error }: { readonly id: number; readonly value?: unknown; readonly error?: string }) => {
    const job = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) job?.resolve(value);
    else job?.reject(new Error(error));
  });
  child.once("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("the process has ended"));
    waiting.clear();
  });
  let last = 0;
  const answerOf = (id: number): Promise<unknown> => new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  await answerOf(0);
  return {
    run: async (job) => {
      const answer = answerOf((last += 1));
      child.send({ id: last, job });
      return answer;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended(child);
    },
    close: async () => {
      if (child.connected) child.disconnect();
      await ended(child);
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
