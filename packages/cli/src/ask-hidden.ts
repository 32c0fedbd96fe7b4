import type { ReadStream, WriteStream } from "node:tty";
import { CliError } from "./cli-error.ts";

const [CTRL_C, CTRL_D, BACKSPACE, LINE_FEED, RETURN, DELETE] = [0x03, 0x04, 0x08, 0x0a, 0x0d, 0x7f];
const MOST_BYTES = 65_536;

/** What a person types until they end the line, as bytes, and shown nowhere. Rejects with `cancelled` at Ctrl-C and Ctrl-D. */
export async function askHidden(question: string, input: ReadStream, output: WriteStream): Promise<Buffer> {
  const typed = Buffer.alloc(MOST_BYTES);
  let length = 0;
  // Before the question is there: whoever answers quickly must not be shown either.
  input.setRawMode(true);
  output.write(question);
  try {
    for await (const chunk of input.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const bytes = [...chunk];
      chunk.fill(0);
      for (const byte of bytes) {
        if (byte === CTRL_C || byte === CTRL_D) throw new CliError("cancelled", "nothing was entered");
        if (byte === RETURN || byte === LINE_FEED) return Buffer.from(typed.subarray(0, length));
        if (byte !== BACKSPACE && byte !== DELETE) typed[length++] = byte;
        // The whole character: bytes that go on with one begin with 10.
        else while (length > 0 && ((typed[--length] ?? 0) & 0xc0) === 0x80);
        if (length === MOST_BYTES) throw new CliError("cancelled", "that is too long to be typed");
      }
    }
    throw new CliError("cancelled", "nothing was entered");
  } finally {
    typed.fill(0);
    input.setRawMode(false);
    input.pause();
    output.write("\n");
  }
}
