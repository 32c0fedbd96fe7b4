import { open, type FileHandle } from "node:fs/promises";
import { devNull } from "node:os";

/** What a file does, once it is done. */
export type Operation = "written" | "synced";

type Methods = Pick<FileHandle, "appendFile" | "datasync">;
let original: { readonly handle: Methods; readonly methods: Methods } | undefined;

/** Stands between every file of this process and its disk. */
export const disk = {
  /** Calls `on` after every operation; what it throws, the operation fails with, although it took place. */
  async watch(on: (operation: Operation) => void): Promise<void> {
    disk.restore();
    const probe = await open(devNull);
    const handle = Object.getPrototypeOf(probe) as Methods;
    await probe.close();
    const { appendFile, datasync } = handle;
    original = { handle, methods: { appendFile, datasync } };
    handle.appendFile = async function (this: FileHandle, ...args): Promise<void> {
      await appendFile.apply(this, args);
      on("written");
    };
    handle.datasync = async function (this: FileHandle): Promise<void> {
      await datasync.call(this);
      on("synced");
    };
  },
  restore(): void {
    if (original !== undefined) Object.assign(original.handle, original.methods);
    original = undefined;
  },
};
