import { AmbitError } from "@ambit/core";
import { unavailable } from "../shared-state.ts";
import { openFile, type SqliteFile } from "./file.ts";

export interface SqliteOptions {
  /** A file on a local disk, made if it is not there, with two more beside it. Network file systems do not lock well enough. */
  readonly path: string;
  /**
   * Milliseconds after which a method rejects, as when another process keeps the file.
   * @defaultValue 500
   */
  readonly timeout?: number;
  /**
   * `full`: what was answered survives a loss of power; `normal`: the end of the process only, and is several times as fast.
   * @defaultValue "full"
   */
  readonly synchronous?: "full" | "normal";
  /** Milliseconds of a clock that never goes back, to tell how long was waited. The times that calls are about come with them. */
  readonly now?: () => number;
}

const SYNCHRONOUS = { full: "FULL", normal: "NORMAL" } as const;

/** Opens a file. Refuses (`option_invalid`) options it cannot use, and (`state_unavailable`) a file that cannot be opened. */
export async function open({ path, timeout = 500, synchronous = "full", now = performance.now.bind(performance) }: SqliteOptions): Promise<SqliteFile> {
  if (typeof path !== "string" || path === "" || path[0] === ":" || path.includes("\0"))
    throw new AmbitError("option_invalid", "`path` must be that of a file; what ends with the process is kept in memory without one");
  if (!Number.isSafeInteger(timeout) || timeout < 1) throw new AmbitError("option_invalid", "`timeout` must be whole milliseconds");
  if (!Object.hasOwn(SYNCHRONOUS, synchronous)) throw new AmbitError("option_invalid", '`synchronous` must be "full" or "normal"');
  try {
    return await openFile({ path, timeout, synchronous: SYNCHRONOUS[synchronous], now });
  } catch (error) {
    throw unavailable("its file cannot be opened", error);
  }
}
