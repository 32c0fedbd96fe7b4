import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

/** Opens a file for reading. Refuses what is none, without waiting for whoever may write into a pipe. */
export async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    if (!(await file.stat()).isFile()) throw new Error("it is no file");
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
