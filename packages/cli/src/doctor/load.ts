import { existsSync, statSync } from "node:fs";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { fileError, reasonOf } from "../cli-error.ts";
import { printable } from "../infer/printable.ts";
import type { Terminal } from "../terminal.ts";
import type { Loaded } from "./load-worker.ts";

/** In the same form as this file: compiled, or as it was written. */
const WORKER = new URL(`./load-worker${extname(import.meta.url)}`, import.meta.url);

/**
 * What a module exports as `coverage`, untrusted. It runs in a thread of its own, so that nothing it leaves open keeps the command running, nothing it prints gets into the answer, and
 * nothing it does takes longer than `patience` milliseconds. Refuses (`file_unreadable`, `file_malformed`) a module that is not there, does not load, throws, answers nothing, or ends.
 */
export async function loadCoverage(path: string, patience: number, terminal: Terminal): Promise<unknown> {
  const file = resolve(terminal.cwd, path);
  if (!existsSync(file) || !statSync(file).isFile()) throw fileError("unreadable", `\`${path}\` is not there`);
  const worker = new Worker(WORKER, { workerData: pathToFileURL(file).href, stdout: true, stderr: true, stdin: true });
  for (const stream of [worker.stdout, worker.stderr]) stream.on("data", (chunk: Buffer) => terminal.err(linesOf(chunk)));
  const loaded = await answerOf(worker, patience);
  await worker.terminate();
  if (loaded.kind === "missing") throw fileError("malformed", `\`${path}\` exports no \`coverage\``);
  if (loaded.kind !== "coverage") throw fileError("malformed", `\`${path}\` has no coverage: ${printable(loaded.reason ?? "no reason given", 400)}`);
  return loaded.value;
}

async function answerOf(worker: Worker, patience: number): Promise<Loaded> {
  let timer: NodeJS.Timeout | undefined;
  const answer = await new Promise<Loaded>((resolve) => {
    const fail = (reason: unknown): void => resolve({ kind: "failed", reason });
    // The module can say something here, too, which is its own answer then.
    worker.once("message", (told: Loaded | null) => resolve(told ?? { kind: "missing" }));
    worker.once("error", (error) => fail(reasonOf(error)));
    // What it has said before its end is on its way.
    worker.once("exit", () => setImmediate(fail, "it ended before it answered"));
    timer = setTimeout(fail, patience, `it has not answered within ${patience / 1000} s`);
  });
  clearTimeout(timer);
  return answer;
}

/** Somebody else's words on our screen. */
function linesOf(chunk: Buffer): string {
  const lines = chunk.toString().split("\n");
  return lines.map((line) => printable(line, 1000)).join("\n");
}
