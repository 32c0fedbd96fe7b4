import { createHmac } from "node:crypto";
import { AmbitError } from "@ambit/core";

/** Bytes of a secret, as Standard Webhooks 1.0 has it. */
const [LEAST, MOST] = [24, 64];
const SECRET = /^(?:whsec_)?([A-Za-z0-9+/]+={0,2})$/;

/** The bytes of a secret: base64, with or without `whsec_` before it. Throws `option_invalid` for anything else; nothing that is said about it quotes it. */
export function webhookKey(secret: string): Buffer {
  const encoded = SECRET.exec(secret)?.[1] ?? "";
  const key = Buffer.from(encoded, "base64");
  if (key.toString("base64") !== encoded || key.length < LEAST || key.length > MOST)
    throw new AmbitError("option_invalid", `the secret of a webhook is base64 of ${LEAST} to ${MOST} bytes, with \`whsec_\` before it or not`);
  return key;
}

/** The headers of a message, as Standard Webhooks 1.0 signs it: HMAC-SHA256 of the id, the time in whole seconds and the body. `now`: milliseconds since the epoch. */
export function signatureHeaders(key: Buffer, id: string, body: string, now: number): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
