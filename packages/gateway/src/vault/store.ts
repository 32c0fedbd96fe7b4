import { AmbitError } from "@ambit/core";
import { alone } from "./alone.ts";
import { decode, encode, MOST_CHARACTERS, NOTHING, type Contents } from "./contents.ts";
import type { KeyWrapper } from "./key-wrapper.ts";
import { openRegular } from "./open-regular.ts";
import { unavailable } from "./unavailable.ts";
import { writeWhole } from "./write-whole.ts";

/** The file of a vault, opened anew when it was changed. Rejects with `credential_unavailable`. */
export interface Store {
  /** The key that opens the file now. */
  readonly key: () => KeyWrapper;
  read(): Promise<Contents>;
  /** Replaces the secrets by what `edit` makes of them, alone among all processes; `next` is the key from then on. */
  change(edit: (before: Contents) => Promise<Contents["rows"]>, next?: KeyWrapper): Promise<void>;
}

export interface StoreOptions {
  readonly path: string;
  readonly key: KeyWrapper;
  readonly minimumVersion: number;
}

interface Read {
  /** `undefined` when there is no file. */
  readonly text: string | undefined;
  readonly contents: Contents;
}

export function createStore({ path, key: first, minimumVersion }: StoreOptions): Store {
  let key = first;
  let latest: Read = { text: undefined, contents: NOTHING };

  const read = async (): Promise<Contents> => {
    const before = latest; // another read may be further by the time that this one is through
    const text = await textOf(path);
    const { version } = before.contents;
    if (text === before.text && version >= minimumVersion) return before.contents;
    const contents = text === undefined ? NOTHING : await decode(text, key).catch((cause: unknown) => refuse("does not open", path, cause));
    // Whoever can write files can put an older vault in the place of a newer one, and nothing in it would tell.
    if (contents.version < Math.max(minimumVersion, version + 1)) return refuse("is not the latest", path, new Error(`it is version ${contents.version}`));
    if (contents.version > latest.contents.version) latest = { text, contents };
    return contents;
  };

  const change = async (edit: (before: Contents) => Promise<Contents["rows"]>, next: KeyWrapper): Promise<void> => {
    const before = await read();
    const contents = { version: before.version + 1, rows: await edit(before) };
    const text = await encode(contents, next);
    // What this key cannot open again would be lost.
    if (next !== key) await decode(text, next);
    await writeWhole(path, text);
    key = next;
    latest = { text, contents };
  };

  return Object.freeze<Store>({
    key: () => key,
    read,
    change: async (edit, next = key) => {
      try {
        await alone(`${path}.lock`, () => change(edit, next));
      } catch (error) {
        if (AmbitError.isInstance(error)) throw error;
        refuse("cannot be changed", path, error);
      }
    },
  });
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    const file = await openRegular(path);
    try {
      if ((await file.stat()).size > MOST_CHARACTERS) throw new Error("it is larger than a vault");
      return await file.readFile("latin1");
    } finally {
      await file.close();
    }
  } catch (error) {
    return (error as { readonly code?: unknown }).code === "ENOENT" ? undefined : refuse("cannot be read", path, error);
  }
}

function refuse(what: string, path: string, cause: unknown): never {
  throw unavailable(`the vault ${what}`, { cause, hint: `\`${path}\`: ${cause instanceof Error ? cause.message : "no reason given"}` });
}
