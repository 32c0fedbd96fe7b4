import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/**
 * What PostgreSQL keeps of a password (RFC 5802 section 3, RFC 7677): with it the password itself is in no statement, and so in no log of the server. `password`: ASCII, so that
 * SASLprep changes nothing.
 */
export function scramVerifier(password: string, salt: Uint8Array = randomBytes(16), iterations: number = 4096): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const keyed = (text: string): Buffer => createHmac("sha256", salted).update(text).digest();
  const stored = createHash("sha256").update(keyed("Client Key")).digest();
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString("base64")}$${stored.toString("base64")}:${keyed("Server Key").toString("base64")}`;
}
