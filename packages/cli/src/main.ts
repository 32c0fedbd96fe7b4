#!/usr/bin/env node
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
  hasColours: stdout.isTTY && stdout.hasColors(),
});
