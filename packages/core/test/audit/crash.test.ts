import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFileLog } from "../../src/audit/file-log.ts";
import { lineHash } from "../../src/audit/chain.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { body } from "../support/records.ts";

const WRITER = fileURLToPath(new URL("../support/log-writer.ts", import.meta.url));
const FLAGS = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ambit-crash-"));
  path = join(folder, "decisions.jsonl");
});
afterEach(() => rm(folder, { recursive: true }));

/** Receipts that were written out before the end, whole lines only: `seq hash`. */
async function linesUntil(child: ChildProcessWithoutNullStreams, isEnough: (lines: readonly string[]) => boolean): Promise<readonly string[]> {
  const exit = once(child, "exit");
  const lines: string[] = [];
  let isKilled = false;
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (!isKilled && isEnough(lines)) {
      isKilled = true;
      child.kill("SIGKILL");
    }
  }
  expect(await exit).toStrictEqual([null, "SIGKILL"]);
  return lines.filter((line) => /^\d+ [\w-]{43}$/.test(line));
}

describe("a process that is killed while it writes", () => {
  it("has lost no record that it acknowledged, over ten lives of one log", { timeout: 60_000 }, async () => {
    const acknowledged = new Map<number, string>();
    for (let life = 1; life <= 10; life += 1) {
      const child = spawn(process.execPath, [...FLAGS, WRITER, path]);
      const least = acknowledged.size + life * 7;
      for (const line of await linesUntil(child, (lines) => acknowledged.size + lines.length >= least)) {
        const [seq, hash] = line.split(" ") as [string, string];
        acknowledged.set(Number(seq), hash);
      }
    }
    await (await openFileLog(path)).close(); // cuts off what the last life has torn
    const bytes = await readFile(path);
    const lines = bytes.toString("utf8").split("\n").slice(0, -1);
    expect(verifyLog(bytes).intact).toBe(true);
    const lost = [...acknowledged].filter(([seq, hash]) => lines[seq - 1] === undefined || lineHash(lines[seq - 1] as string) !== hash);
    expect(lost).toStrictEqual([]);
    expect(acknowledged.size).toBeGreaterThan(300);
  });
});

const canLimit = process.platform === "linux" && spawnSync("prlimit", ["--version"]).status === 0;

describe.skipIf(!canLimit)("a disk that is full", () => {
  it("refuses every record that it cannot hold, keeps what it acknowledged, and takes records again when there is room", { timeout: 30_000 }, async () => {
    // No file may grow beyond 16 KiB: what a full disk does, without one.
    const child = spawn("prlimit", [`--fsize=16384:unlimited`, process.execPath, ...FLAGS, WRITER, path, "60"]);
    const said: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      said.push(line);
      if (line !== "waiting") continue;
      expect(spawnSync("prlimit", [`--pid=${child.pid}`, "--fsize=unlimited:unlimited"]).status).toBe(0);
      child.stdin.write("go\n");
    }
    const written = said.filter((line) => /^\d+ /.test(line));
    const refused = said.filter((line) => line === "refused log_unavailable");
    expect(written.length + refused.length).toBe(61);
    expect(Math.min(written.length, refused.length)).toBeGreaterThan(5);
    expect(said.at(-1)).toBe(written.at(-1)); // after "waiting"

    const bytes = await readFile(path);
    const verified = verifyLog(bytes);
    const lines = bytes.toString("utf8").split("\n").slice(0, -1);
    expect(verified.intact).toBe(true);
    expect(lines.map((line, index) => `${index + 1} ${lineHash(line)}`)).toStrictEqual(written);
    await using log = await openFileLog(path);
    expect((await log.append(body())).seq).toBe(written.length + 1);
  });
});
