import { randomText } from "../data/digest.ts";
import { nextLine, startOfChain, type ChainEnd } from "./append.ts";
import type { DecisionLog } from "./record.ts";

export interface MemoryLog extends DecisionLog {
  /** The log so far, in the form of the file. */
  text(): string;
}

/** A decision log that ends with the process: for tests and for trying things out. */
export function createMemoryLog(options: { readonly now?: () => number } = {}): MemoryLog {
  const now = options.now ?? Date.now;
  const lines: string[] = [];
  let end: ChainEnd = startOfChain(`log_${randomText()}`);
  return {
    append: async (body) => {
      const { line, receipt } = nextLine(end, body, now());
      lines.push(line);
      end = receipt;
      return receipt;
    },
    text: () => lines.map((line) => `${line}\n`).join(""),
  };
}
