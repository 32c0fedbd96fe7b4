import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { fileError, reasonOf, usageError } from "../cli-error.ts";
import type { Terminal } from "../terminal.ts";

/** What commands are given to read: files, `-` for stdin (once), and JSON on the command line. */
export interface Inputs {
  /** Bytes of a file. Refuses (`file_unreadable`) what is missing or larger than `mostBytes`. */
  bytes(path: string, mostBytes: number): Promise<Buffer>;
  /** Text of a file. Refuses (`file_unreadable`) what is missing, larger than `mostBytes` or not UTF-8. */
  text(path: string, mostBytes?: number): Promise<string>;
  /** JSON of a file. Refuses (`file_malformed`) what is none; what it says of a secret file does not quote it. */
  json(path: string, options?: { readonly mostBytes?: number; readonly isSecret?: boolean }): Promise<unknown>;
  /** JSON from the command line when it begins with `{`, else from a file. */
  jsonOrFile(value: string, option: string): Promise<unknown>;
}

const MEGABYTE = 1_048_576;

export function createInputs(terminal: Terminal): Inputs {
  let isStdinTaken = false;

  const chunksOf = (path: string): AsyncIterable<Uint8Array> => {
    if (path !== "-") return createReadStream(resolve(terminal.cwd, path)) as AsyncIterable<Uint8Array>;
    if (isStdinTaken) throw usageError("only one option can be `-`: stdin is read once");
    isStdinTaken = true;
    return terminal.stdin;
  };

  const bytes = async (path: string, mostBytes: number): Promise<Buffer> => {
    const chunks = chunksOf(path);
    const found = await bytesOf(chunks, mostBytes).catch((cause: unknown) => {
      throw fileError("unreadable", `\`${path}\` cannot be read (${codeOf(cause)})`);
    });
    if (found === undefined) throw fileError("unreadable", `\`${path}\` is larger than ${mostBytes} bytes`);
    return found;
  };

  const text = async (path: string, mostBytes = MEGABYTE): Promise<string> => {
    const found = await bytes(path, mostBytes);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(found);
    } catch {
      throw fileError("unreadable", `\`${path}\` is not UTF-8 text`);
    }
  };

  return {
    bytes,
    text,
    json: async (path, { mostBytes, isSecret = false } = {}) => parseJson(await text(path, mostBytes), `\`${path}\``, isSecret),
    jsonOrFile: async (value, option) =>
      value.trimStart()[0] === "{" ? parseJson(value, `\`--${option}\``, false) : parseJson(await text(value), `\`${value}\``, false),
  };
}

/** Nothing more is read once it is too much: a device never ends. */
async function bytesOf(chunks: AsyncIterable<Uint8Array>, most: number): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > most) return undefined;
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

function parseJson(text: string, name: string, isSecret: boolean): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // The engine's message quotes the text.
    throw fileError("malformed", `${name} is not JSON${isSecret ? "" : `: ${reasonOf(error)}`}`);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : reasonOf(error);
}
