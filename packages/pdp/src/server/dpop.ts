import { hash } from "node:crypto";
import { verifyDpop } from "@ambit/core/token";
import { requestProblem } from "./problem.ts";

/** Lets something be used once, by all decision points over one store together, until a time in milliseconds since the epoch; `false`: it was used before. */
export type UseOnce = (key: string, until: number) => Promise<boolean>;

/** What a request is, for proofs that are for one alone. */
export interface Asked {
  readonly method: string;
  /** As whoever asks knows it, without a query. */
  readonly url: string;
}

/** The thumbprint of the key that has signed the proof of this request; `undefined` for what is none. Throws `unavailable` where it cannot be told whether it was used before. */
export async function keyProven(
  proof: string,
  asked: Asked,
  now: number,
  isKnown: (thumbprint: string) => boolean,
  useOnce: UseOnce,
): Promise<string | undefined> {
  const read = await verifyDpop(proof, { ...asked, now }, isKnown);
  if (typeof read === "string") return undefined;
  const { thumbprint, id, until } = read;
  let isFirst: unknown;
  try {
    // INVARIANT I5. By its digest: how long an `id` is, its author says.
    isFirst = await useOnce(hash("sha256", `${thumbprint} ${id}`, "base64url"), until);
  } catch {
    throw requestProblem("unavailable", "who asks cannot be told now");
  }
  return isFirst === true ? thumbprint : undefined;
}
