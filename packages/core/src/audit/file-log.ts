import { open, readFile, type FileHandle } from "node:fs/promises";
import { randomText } from "../data/digest.ts";
import { AmbitError } from "../errors.ts";
import { nextLine, startOfChain, type ChainEnd } from "./append.ts";
import type { DecisionLog, Receipt, RecordBody } from "./record.ts";
import { verifyLog } from "./verify.ts";

interface Waiting {
  readonly body: RecordBody;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

export interface FileLog extends DecisionLog, AsyncDisposable {
  readonly path: string;
  /** Waits for what is being written and closes the file. */
  close(): Promise<void>;
}

/** How the canonical form of every record begins. */
const RECORD_START = Buffer.from('{"agent":"');

/** Records that wait to be written; above it, `append` refuses instead of dropping. */
const MAX_WAITING = 10_000;

/**
 * A decision log in a file of JSON lines, hash-chained. An existing file is verified and continued; a half-written last line, which a crash
 * leaves, is cut off (nothing that was acknowledged can be in it).
 *
 * Records are written in batches, each with one `fdatasync`; `append` resolves when its batch is durable. One process per file: once somebody else was
 * seen to write to it, nothing is appended any more (`log_unavailable`) until it is opened anew.
 * Refuses (`log_corrupt`) a file whose chain does not hold. A batch that cannot be written is cut off
 * again and its `append`s reject (`log_unavailable`); the next batch is written when the file takes it (I8).
 */
export async function openFileLog(path: string, options: { readonly now?: () => number } = {}): Promise<FileLog> {
  const now = options.now ?? Date.now;
  const file = await open(path, "a+", 0o600).catch((cause: unknown) => {
    throw new AmbitError("log_unavailable", `the decision log \`${path}\` cannot be opened`, { cause });
  });
  let end: ChainEnd;
  /** Bytes that were acknowledged. */
  let size: number;
  try {
    ({ end, size } = await continueFrom(file, path));
  } catch (error) {
    await file.close();
    throw error;
  }

  const waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  let isDamaged = false;
  let isForeign = false;

  /** What follows the record of somebody else continues no chain. */
  const checkOwn = async (): Promise<void> => {
    isForeign ||= (await file.stat()).size !== size;
    if (isForeign) throw new AmbitError("log_unavailable", `another process writes to the decision log \`${path}\``);
  };

  /** Half of a batch may stand behind what was acknowledged, and nothing may follow it. */
  const repair = async (): Promise<void> => {
    if ((await file.stat()).size < size) throw new AmbitError("log_corrupt", `the decision log \`${path}\` was cut off`);
    await file.truncate(size);
    isDamaged = false;
  };

  const flush = async (): Promise<void> => {
    await undefined; // what is appended in the same turn joins the first batch
    while (waiting.length > 0) {
      const batch = waiting.splice(0);
      let next = end;
      const lines: string[] = [];
      const receipts = batch.map(({ body, reject }) => {
        try {
          const { line, receipt } = nextLine(next, body, now());
          next = receipt;
          lines.push(line);
          return receipt;
        } catch (error) {
          reject(error);
          return undefined;
        }
      });
      try {
        await (isDamaged ? repair() : checkOwn());
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""), "utf8");
        await file.appendFile(bytes);
        await file.datasync();
        size += bytes.length;
      } catch (cause) {
        isDamaged = !isForeign; // what somebody else has written is not ours to cut off
        const failure = new AmbitError("log_unavailable", `the decision log \`${path}\` cannot be written`, { cause });
        for (const { reject } of batch) reject(failure);
        continue;
      }
      end = next;
      batch.forEach(({ resolve }, index) => {
        const receipt = receipts[index];
        if (receipt !== undefined) resolve(receipt);
      });
    }
    writing = undefined; // in one step with the last look at `waiting`: a record that comes now starts a new flush
  };

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= Promise.resolve(writing)
      .then(() => (isDamaged ? repair() : undefined)) // or a record that was refused would stand in the log as written
      .finally(() => file.close()));

  return {
    path,
    append: (body) =>
      new Promise<Receipt>((resolve, reject) => {
        if (closing !== undefined) return reject(new AmbitError("log_unavailable", "the decision log is closed"));
        if (waiting.length >= MAX_WAITING) return reject(new AmbitError("log_unavailable", "the decision log cannot keep up"));
        waiting.push({ body, resolve, reject });
        writing ??= flush();
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function continueFrom(file: FileHandle, path: string): Promise<{ readonly end: ChainEnd; readonly size: number }> {
  const bytes = await readFile(path);
  const complete = bytes.lastIndexOf(0x0a) + 1;
  const verified = verifyLog(bytes.subarray(0, complete));
  if (!verified.intact) throw new AmbitError("log_corrupt", `the decision log \`${path}\` is not intact: ${verified.reason} (record ${verified.at})`);
  // Only what is known to be a log is cut: a path that was mistaken for one may hold the only copy of something else.
  const torn = bytes.subarray(complete, complete + RECORD_START.length);
  const isLog = complete > 0 || torn.equals(RECORD_START.subarray(0, torn.length));
  if (!isLog) throw new AmbitError("log_corrupt", `\`${path}\` is no decision log`);
  if (complete < bytes.length) await file.truncate(complete);
  return { end: verified.end ?? startOfChain(`log_${randomText()}`), size: complete };
}
