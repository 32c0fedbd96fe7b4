import type { SecretName } from "@ambit/gateway/vault";
import { usageError } from "../cli-error.ts";
import type { Inputs } from "../input/inputs.ts";
import { shown } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";

const MOST_BYTES = 65_538;
const [LINE_FEED, RETURN] = [0x0a, 0x0d];

/** The value of a secret: asked for where somebody sits at the terminal, else all of stdin. INVARIANT I10: whoever gets it zeros it. */
export async function readValue({ id }: SecretName, inputs: Inputs, { askHidden }: Terminal): Promise<Buffer> {
  const value = askHidden === undefined ? withoutLineBreak(await inputs.bytes("-", MOST_BYTES)) : await askHidden(`value of ${shown(id)}: `);
  if (value.length === 0) throw usageError("there is no value: it is read from stdin, or asked for on a terminal");
  return value;
}

/** The same bytes without the line break that editors and `echo` leave at the end. */
export function withoutLineBreak(bytes: Buffer): Buffer {
  const end = bytes.at(-1) === LINE_FEED ? -1 - Number(bytes.at(-2) === RETURN) : bytes.length;
  return bytes.subarray(0, end);
}
