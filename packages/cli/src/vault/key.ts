import { keyFile, keyProgram, passphrase, type KeyWrapper } from "@ambit/gateway/vault";
import { resolve } from "node:path";
import { CliError, usageError } from "../cli-error.ts";
import type { Inputs } from "../input/inputs.ts";
import { splitCommand } from "../input/split-command.ts";
import type { Terminal } from "../terminal.ts";
import { withoutLineBreak } from "./value.ts";

const MOST_BYTES = 4096;

/** The options that name a key; a key itself is never one of them. */
export const KEY_OPTIONS = {
  "key-file": { type: "string" },
  "key-command": { type: "string" },
  "passphrase-file": { type: "string" },
  passphrase: { type: "boolean" },
  "new-key-file": { type: "string" },
  "new-key-command": { type: "string" },
  "new-passphrase-file": { type: "string" },
  "new-passphrase": { type: "boolean" },
} as const;

type Values = { readonly [option in keyof typeof KEY_OPTIONS]?: string | boolean | undefined };

/** The key that the options with this prefix name; `undefined` when there are none. `isNew`: a passphrase that nobody has used before is asked for twice. */
export async function keyOf(
  values: Values,
  prefix: "" | "new-",
  { isNew, inputs, terminal }: { readonly isNew: boolean; readonly inputs: Inputs; readonly terminal: Terminal },
): Promise<KeyWrapper | undefined> {
  const [file, command, passphraseFile, asked] = (["key-file", "key-command", "passphrase-file", "passphrase"] as const).map(
    (name) => values[`${prefix}${name}`],
  );
  const given = [file, command, passphraseFile, asked].filter((value) => value !== undefined);
  if (given.includes("") || given.length > 1)
    throw usageError(`one key is needed: \`--${prefix}key-file\`, \`--${prefix}key-command\`, \`--${prefix}passphrase-file\` or \`--${prefix}passphrase\``);
  if (typeof file === "string") return keyFile(resolve(terminal.cwd, file));
  if (typeof command === "string") {
    const [program, ...args] = splitCommand(command, `${prefix}key-command`);
    return keyProgram(program, args);
  }
  if (typeof passphraseFile === "string") return fromPassphrase(withoutLineBreak(await inputs.bytes(passphraseFile, MOST_BYTES)));
  return asked === undefined ? undefined : fromPassphrase(await askFor(terminal, isNew));
}

function fromPassphrase(bytes: Buffer): KeyWrapper {
  try {
    return passphrase(bytes);
  } finally {
    bytes.fill(0);
  }
}

async function askFor({ askHidden }: Terminal, isNew: boolean): Promise<Buffer> {
  if (askHidden === undefined) throw usageError("there is no terminal to ask for a passphrase on; `--passphrase-file` takes a file");
  const once = await askHidden(isNew ? "new passphrase: " : "passphrase: ");
  if (!isNew) return once;
  const again = await askHidden("the same again: ");
  const isSame = once.equals(again);
  again.fill(0);
  if (isSame) return once;
  once.fill(0);
  throw new CliError("passphrase_mismatch", "the two are not the same");
}
