/** The world outside, as a command sees it. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Whether what `out` gets is shown in colours: never in a file or a pipe. */
  readonly hasColours: boolean;
}
