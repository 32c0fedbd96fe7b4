import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { sealedFile, type SealedFile, type SecretEntry, type SecretName } from "@ambit/gateway/vault";
import { CliError, usageError } from "../cli-error.ts";
import { createInputs } from "../input/inputs.ts";
import { needed, readOptions } from "../options.ts";
import { jsonText, shown } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";
import { instantText } from "../time.ts";
import { KEY_OPTIONS, keyOf } from "./key.ts";
import { readValue } from "./value.ts";

const OPTIONS = {
  file: { type: "string", default: "ambit.vault" },
  tenant: { type: "string" },
  connector: { type: "string" },
  id: { type: "string" },
  "minimum-version": { type: "string" },
  ...KEY_OPTIONS,
  json: { type: "boolean" },
} as const;

const ACTIONS = ["set", "list", "rotate", "remove"];

/** What an operator does with the vault. No value is an argument, and none is ever shown. */
export async function vault(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = readOptions(args, OPTIONS, 1);
  const [action = ""] = words;
  if (!ACTIONS.includes(action)) throw usageError("`ambit vault` has the commands `set`, `list`, `rotate` and `remove`");
  const isNamed = values.tenant !== undefined || values.connector !== undefined || values.id !== undefined;
  if (action === "list" && isNamed) throw usageError("`list` takes no name");
  const inputs = createInputs(terminal);
  const path = resolve(terminal.cwd, needed(values.file, "file"));
  const next = await keyOf(values, "new-", { isNew: true, inputs, terminal });
  if (next !== undefined && (action !== "rotate" || isNamed)) throw usageError("a new key is for `rotate` alone, and for all secrets");
  const name = action === "list" || next !== undefined ? undefined : nameOf(values);
  const key = await keyOf(values, "", { isNew: action === "set" && !existsSync(path), inputs, terminal });
  if (key === undefined) throw usageError("a key is needed: `--key-file`, `--key-command`, `--passphrase-file` or `--passphrase`");
  const opened = sealedFile({ path, key, minimumVersion: countOf(values["minimum-version"]) });
  const tell = (entry: SecretEntry, done: string): number => {
    terminal.out(values.json === true ? `${jsonText(onWire(entry))}\n` : `${done}: ${line(entry)}\n`);
    return 0;
  };

  if (name === undefined) {
    if (next !== undefined) await opened.rotateKey(next);
    return list(opened, terminal, values.json === true);
  }
  if (action === "set") {
    const value = await readValue(name, inputs, terminal);
    try {
      return tell(await opened.set(name, value), "set");
    } finally {
      value.fill(0);
    }
  }
  if (action === "rotate") return tell(await opened.rotateDataKey(name), "sealed anew");
  if (!(await opened.remove(name))) throw new CliError("credential_unavailable", "the vault has no such secret");
  terminal.out(values.json === true ? `${jsonText({ removed: true })}\n` : "removed\n");
  return 0;
}

async function list(opened: SealedFile, terminal: Terminal, isJson: boolean): Promise<number> {
  const { version, secrets } = await opened.list();
  if (isJson) terminal.out(`${jsonText({ vault_version: version, secrets: secrets.map(onWire) })}\n`);
  else
    terminal.out(
      [
        `version ${version} of the vault, ${secrets.length === 1 ? "one secret" : `${secrets.length} secrets`}`,
        ...secrets.map((entry) => `  ${line(entry)}`),
        "",
      ].join("\n"),
    );
  return 0;
}

function nameOf(values: Partial<SecretName>): SecretName {
  return { tenant: needed(values.tenant, "tenant"), connector: needed(values.connector, "connector"), id: needed(values.id, "id") };
}

function countOf(text: string | undefined): number {
  if (text !== undefined && !/^[0-9]{1,15}$/.test(text)) throw usageError("`--minimum-version` must be a whole number");
  return Number(text ?? "0");
}

function line({ tenant, connector, id, version, setAt }: SecretEntry): string {
  return `${shown(tenant)}  ${shown(connector)}  ${shown(id)}  version ${version}, set ${instantText(setAt / 1000)}`;
}

function onWire({ tenant, connector, id, version, setAt }: SecretEntry): object {
  return { tenant_id: tenant, connector, id, version, set_at: instantText(setAt / 1000) };
}
