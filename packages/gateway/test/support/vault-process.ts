// A process of its own that changes a vault: `PATH KEY_FILE ACTION [NEXT_KEY_FILE]`. With KILL_BEFORE=n it is killed before the n-th thing that it would do to a file.
import { writeSync } from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const [path = "", keyPath = "", action = "", argument = ""] = process.argv.slice(2);
const killBefore = Number(process.env["KILL_BEFORE"] ?? "0");

let step = 0;
/** The point, and then, at the one that was asked for, the end, which nothing in this process can notice. */
const point = (label: string): void => {
  step++;
  writeSync(1, `${step} ${label}\n`);
  if (step === killBefore) process.kill(process.pid, "SIGKILL");
};

const { open, rename, rm } = fs;
/** Steps of the file and not only of its name; half of what is to be written is a point of its own. */
const watched = (file: FileHandle): FileHandle => {
  const { writeFile, sync, close } = file;
  return Object.assign(file, {
    writeFile: async (text: string) => {
      point("write");
      await writeFile.call(file, text.slice(0, text.length / 2));
      point("write the rest");
      await writeFile.call(file, text.slice(text.length / 2));
    },
    sync: () => (point("sync"), sync.call(file)),
    close: () => (point("close"), close.call(file)),
  });
};
Object.assign(fs, {
  open: async (...args: Parameters<typeof open>) => (point(`open ${String(args[1])}`), watched(await open(...args))),
  rename: (...args: Parameters<typeof rename>) => (point("rename"), rename(...args)),
  rm: (...args: Parameters<typeof rm>) => (point("remove"), rm(...args)),
});
syncBuiltinESMExports();

const { keyFile, sealedFile } = await import("@ambit/gateway/vault");
const vault = sealedFile({ path, key: keyFile(keyPath) });
const name = (id: string): { readonly tenant: string; readonly connector: string; readonly id: string } => ({ tenant: "tenant_acme", connector: "crm", id });

const ACTIONS: Readonly<Record<string, () => Promise<unknown>>> = {
  set: () => vault.set(name("api_key"), Buffer.from("new")),
  "rotate-data-key": () => vault.rotateDataKey(name("api_key")),
  "rotate-key": () => vault.rotateKey(keyFile(argument)),
  "set-many": async () => {
    for (let index = 0; index < 15; index++) await vault.set(name(`${argument}_${index}`), Buffer.from(`${argument} ${index}`));
  },
};
await ACTIONS[action]?.();
point("end");
