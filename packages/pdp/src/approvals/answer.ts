import { isIdentifier, own, randomText, type JsonObject } from "@ambit/core";
import { signStatement, verifyStatement, type PublicKey, type SigningKey } from "@ambit/core/token";
import { checkBinding, type Approval } from "./approval.ts";

const TYPE = "ambit-approval+jwt";

/** What somebody answered to a request, signed by them or by who heard it. */
export interface Answer {
  /** Of the request, with its number: an answer to one is none to the next. */
  readonly request: string;
  readonly binding: string;
  readonly approver: string;
  readonly decision: "approve" | "deny";
  /** Seconds since the epoch. */
  readonly answeredAt: number;
  /** The key that signed. */
  readonly key: PublicKey;
}

/**
 * Signs an answer to a request as its facts are: what is signed is computed from them, never taken from whoever shows them. Refuses (`approval_invalid`) a request that is about
 * something else than its id says.
 */
export async function signAnswer(
  answer: { readonly approval: Pick<Approval, "id" | "request">; readonly approver: string; readonly decision: Answer["decision"]; readonly now: number },
  key: SigningKey,
): Promise<string> {
  const { approval, approver, decision, now } = answer;
  const claims: JsonObject = { approval: approval.id, approver, binding: checkBinding(approval), decision, iat: Math.floor(now / 1000), jti: randomText() };
  return signStatement(claims, TYPE, key);
}

/** An answer whose signature verifies under one of the keys; `undefined` for anything else. */
export async function readAnswer(text: string, keyOf: (kid: string) => PublicKey | undefined): Promise<Answer | undefined> {
  const verified = await verifyStatement(text, TYPE, keyOf);
  if (typeof verified === "string") return undefined;
  const { members, integer } = verified.payload;
  const [request, binding, approver, decision] = [own(members, "approval"), own(members, "binding"), own(members, "approver"), own(members, "decision")];
  const answeredAt = integer("iat");
  if (typeof request !== "string" || typeof binding !== "string" || !isIdentifier(approver) || answeredAt === undefined) return undefined;
  if (decision !== "approve" && decision !== "deny") return undefined;
  return { request, binding, approver, decision, answeredAt, key: verified.key };
}
