import { execFile } from "node:child_process";
import type { KeyWrapper } from "./key-wrapper.ts";
import { secretKey } from "./secret-key.ts";

const PATIENCE = 30_000;

/**
 * A key that a program prints: how the keyrings of operating systems are asked (`secret-tool lookup …`, `security find-generic-password -w …`), and others that
 * have a command line. It is run when the key is first needed, without a shell, and gets 30 seconds, because it may ask a person.
 */
export function keyProgram(program: string, args: readonly string[] = []): KeyWrapper {
  return secretKey(
    () =>
      new Promise((resolve, reject) => {
        const child = execFile(program, [...args], { encoding: "buffer", timeout: PATIENCE, maxBuffer: 4096, windowsHide: true }, (error, stdout) => {
          if (error === null) return resolve(stdout);
          stdout.fill(0);
          // The message of the error would repeat the arguments and what the program complained of.
          reject(new Error(`the program of the key did not give one (${String(error.code ?? error.signal)})`));
        });
        child.stdin?.on("error", () => {}).end();
      }),
  );
}
