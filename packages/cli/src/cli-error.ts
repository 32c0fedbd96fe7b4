/** Something that the person at the terminal can change. Shown as one line, without a stack. */
export class CliError extends Error {
  readonly code: string;
  /** 1: it failed; 2: it was called wrongly. */
  readonly exitCode: 1 | 2;

  constructor(code: string, message: string, options: { readonly exitCode?: 1 | 2; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.code = code;
    this.exitCode = options.exitCode ?? 1;
  }

  static isInstance(value: unknown): value is CliError {
    return value instanceof Error && value.name === "CliError" && "exitCode" in value;
  }
}

export function usageError(message: string): CliError {
  return new CliError("usage", message, { exitCode: 2 });
}

/** A file that a command was given and that is not there or not what it must be. Not a refusal: nothing could be asked. */
export function fileError(kind: "unreadable" | "malformed" | "exists" | "unwritable", message: string): CliError {
  return new CliError(`file_${kind}`, message, { exitCode: 2 });
}

/** What somebody else's error says, or that it says nothing. */
export function reasonOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : "no reason given";
}
