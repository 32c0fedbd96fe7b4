import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replaces a file, so that whoever reads it, or a machine that loses power at any moment, finds all of the old or all of the new. Readable for its owner alone.
 * Only for whoever holds the lock of the file: what another writer left unfinished is removed.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const unfinished = `${path}.tmp`;
  await rm(unfinished, { force: true });
  const file = await open(unfinished, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  // The name is in the folder, which has to reach the disk, too. Windows cannot open one.
  if (process.platform === "win32") return;
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
