/** The world outside, as a command sees it. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Asks a person for something that is not shown while they type it; absent where there is none to ask. Rejects with `cancelled`. */
  readonly askHidden?: ((question: string) => Promise<Buffer>) | undefined;
  /** Whether what `out` gets is shown in colours: never in a file or a pipe. */
  readonly hasColours: boolean;
  /** Characters in a line of what `out` goes to; absent where lines have no end. */
  readonly columns?: number | undefined;
  /** Resolves when somebody asks the command to stop. */
  readonly stopped: Promise<void>;
  /** Runs what is given whenever somebody asks the command to read its files again, until what comes back is called. */
  onReload(run: () => void): () => void;
}
