import { AmbitError } from "@ambit/core";

/** Times that tuples may change while they are being loaded, before the question is given up. */
const ATTEMPTS = 5;

/** Reads again what changed while it was read, which `undefined` says. Rejects (`state_unavailable`) where it keeps changing. */
export async function steady<T>(read: () => Promise<T | undefined>): Promise<T> {
  for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
    const answer = await read();
    if (answer !== undefined) return answer;
  }
  throw new AmbitError("state_unavailable", "the relations change faster than they can be read");
}
