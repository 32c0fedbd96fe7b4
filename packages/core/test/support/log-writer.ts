// A program that writes a decision log and says on its standard output what was acknowledged: one line per receipt, written before anything else
// happens. Its parent kills it, or takes the disk away.
import { writeSync } from "node:fs";
import { openFileLog } from "../../src/audit/file-log.ts";
import { body } from "./records.ts";

const [, , path = "", mode = "forever"] = process.argv;
const log = await openFileLog(path);
const say = (line: string): void => void writeSync(1, `${line}\n`);

async function append(index: number): Promise<void> {
  try {
    const { seq, hash } = await log.append(body({ decision_id: `${process.pid}/${index}`, details: { filling: "x".repeat(index % 700) } }));
    say(`${seq} ${hash}`);
  } catch (error) {
    say(`refused ${(error as { code?: string }).code ?? String(error)}`);
  }
}

if (mode === "forever") {
  let index = 0;
  const write = async (): Promise<void> => {
    for (;;) await append((index += 1));
  };
  await Promise.all(Array.from({ length: 16 }, write));
} else {
  for (let index = 0; index < Number(mode); index += 1) await append(500);
  // The disk has room again.
  process.stdin.once(
    "data",
    () =>
      void append(1)
        .then(() => log.close())
        .then(() => process.exit(0)),
  );
  say("waiting");
}
