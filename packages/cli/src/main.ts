#!/usr/bin/env node
import { askHidden } from "./ask-hidden.ts";
import { run } from "./run.ts";

const { stdout, stderr } = process;

// Whoever reads no further (`ambit inspect … | head`) is not told so with a stack trace.
for (const stream of [stdout, stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    process.exitCode = error.code === "EPIPE" ? (process.exitCode ?? 0) : 2;
  });
}

process.exitCode = await run(process.argv.slice(2), {
  out: (text) => void stdout.write(text),
  err: (text) => void stderr.write(text),
  cwd: process.cwd(),
  env: process.env,
  // Only opened by who reads it: an open stdin keeps a process alive.
  get stdin() {
    return process.stdin;
  },
  get stopped() {
    // Only listened for by who waits: otherwise the signals stop the process, as they should.
    return new Promise<void>((resolve) => {
      for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
    });
  },
  onReload: (reload) => {
    process.on("SIGHUP", reload);
    return () => process.off("SIGHUP", reload);
  },
  // Opening stdin to see what it is does not keep the process alive.
  get askHidden() {
    const { stdin } = process;
    return stdin.isTTY && stderr.isTTY ? (question: string) => askHidden(question, stdin, stderr) : undefined;
  },
  hasColours: stdout.isTTY && stdout.hasColors(),
  columns: stdout.isTTY && stdout.columns > 0 ? stdout.columns : undefined,
});
