import type { KeyWrapper } from "./key-wrapper.ts";
import { openRegular } from "./open-regular.ts";
import { secretKey } from "./secret-key.ts";

const MOST_BYTES = 64;

/**
 * A key in a file of its own, as `ambit keys secret --out FILE` makes it; `LoadCredential` of systemd and mounted secrets are such files, too. Read when it is first
 * needed. Refuses a file that anybody but its owner can read or change, one of another user, and what is no file (on Windows, only the last).
 */
export function keyFile(path: string): KeyWrapper {
  return secretKey(async () => {
    const file = await openRegular(path);
    try {
      const { mode, uid, size } = await file.stat();
      const user = process.geteuid?.();
      const isPrivate = user === undefined || ((mode & 0o077) === 0 && (uid === user || uid === 0));
      if (!isPrivate) throw new Error("the key file must be one that its owner alone can read (mode 0600)");
      if (size > MOST_BYTES) throw new Error("the key file holds more than a key");
      return await file.readFile();
    } finally {
      await file.close();
    }
  });
}
