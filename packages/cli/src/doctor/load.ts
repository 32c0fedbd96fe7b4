import { extname } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { CliError, reasonOf } from "../cli-error.ts";
import { printable } from "../infer/printable.ts";
import { moduleFile } from "../source/load-module.ts";
import type { Terminal } from "../terminal.ts";
import type { Loaded } from "./load-worker.ts";

/** In the same form as this file: compiled, or as it was written. */
const WORKER = new URL(`./load-worker${extname(import.meta.url)}`, import.meta.url);

/**
 * What a module exports as `coverage`, untrusted. It runs in a thread of its own, so that nothing it leaves open keeps the command running, nothing it prints gets into the answer, and
 * nothing it does takes longer than `patience` milliseconds. Throws `module_unreadable` for a file that is not there, `module_failed` for one that does not load, throws, answers nothing, or ends.
 */
export async function loadCoverage(path: string, patience: number, terminal: Terminal): Promise<unknown> {
  const file = await moduleFile(terminal.cwd, path);
  const worker = new Worker(WORKER, { workerData: pathToFileURL(file).href, stdout: true, stderr: true, stdin: true });
  for (const stream of [worker.stdout, worker.stderr]) stream.on("data", (chunk: Buffer) => terminal.err(linesOf(chunk)));
  const loaded = await answerOf(worker, patience);
  await worker.terminate();
  if (loaded.kind === "coverage") return loaded.value;
  const why = loaded.kind === "missing" ? "exports no `coverage`" : `has no coverage: ${printable(loaded.reason ?? "no reason given", 400)}`;
  throw new CliError("module_failed", `\`${path}\` ${why}`, { exitCode: 2 });
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
