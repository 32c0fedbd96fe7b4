import { createHash, hash } from "node:crypto";

/**
 * Hash of one line: the Merkle leaf hash of RFC 6962 section 2.1, so that the same bytes can later stand in a tree.
 * The line is without its line feed.
 */
export function lineHash(line: string | Uint8Array): string {
  return typeof line === "string" ? hash("sha256", `\0${line}`, "base64url") : createHash("sha256").update(Buffer.of(0)).update(line).digest("base64url");
}

/** What the first record of a log names as the one before it. */
export function genesisHash(log: string): string {
  return lineHash(log);
}
