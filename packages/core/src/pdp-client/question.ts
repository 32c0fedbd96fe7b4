import type { Order } from "../envelope/order.ts";
import { parseEnvelope } from "../envelope/wire.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { AmbitError, type RefusalCode } from "../errors.ts";
import { malformed, type Refusal } from "../pdp/decision.ts";
import type { Presentation } from "../pdp/presentation.ts";
import type { Ask, AskAnswer, Repeatable } from "./asker.ts";
import type { KnownChains } from "./known-chains.ts";
import type { Done, IssuedOnWire } from "./wire/answers.ts";
import type { Endpoint } from "./wire/endpoints.ts";
import type { Shown } from "./wire/messages.ts";
import { readShape } from "./wire/shape.ts";

/** What the service said, in our words; `isRepeated` when an attempt before may have had its effect. */
export type Told<A> = { readonly kind: "told"; readonly message: A; readonly isRepeated: boolean } | { readonly kind: "too_large" };

/** Asks at an endpoint. Rejects (`pdp_response_invalid`) an answer that is not one of it. */
export async function tell<Q, A>(ask: Ask, endpoint: Endpoint<Q, A>, question: Q, repeatable: Repeatable): Promise<Told<A>> {
  return readTold(endpoint, await post(ask, endpoint, question, repeatable));
}

/** The same for a question that shows a chain: by its digest where the service should know it, and whole when it turns out not to. */
export async function tellWith<Q, A>(
  ask: Ask,
  chains: KnownChains,
  endpoint: Endpoint<Q, A>,
  presentation: Presentation,
  question: (shown: Shown) => Q,
  repeatable: Repeatable,
): Promise<Told<A>> {
  const shown = chains.show(presentation, false);
  let answer = await post(ask, endpoint, question(shown), repeatable);
  if (isUnknown(answer) && shown.chain === undefined) answer = await post(ask, endpoint, question(chains.show(presentation, true)), repeatable);
  const told = readTold(endpoint, answer);
  if (presentation.kind === "chain" && told.kind === "told") chains.note(presentation.chain);
  return told;
}

function post<Q, A>(ask: Ask, { path, question: shape }: Endpoint<Q, A>, question: Q, repeatable: Repeatable): Promise<AskAnswer> {
  return ask({ method: "POST", path, headers: {}, body: JSON.stringify(shape.write(question)) }, repeatable);
}

function isUnknown(answer: AskAnswer): boolean {
  return answer.kind === "problem" && answer.code === "chain_unknown";
}

function readTold<A>({ answer: shape }: Pick<Endpoint<never, A>, "answer">, answer: AskAnswer): Told<A> {
  if (answer.kind === "problem" && answer.code === "request_too_large") return { kind: "too_large" };
  if (answer.kind !== "answered") return malformed("is none to this question");
  const read = readShape(shape, answer.json);
  return "problem" in read ? malformed(`cannot be read: ${read.problem}`) : { kind: "told", message: read.message, isRepeated: answer.isRepeated };
}

/** What is too large for the service is so each time. */
export function mustBeTold<A>(told: Told<A>): Extract<Told<A>, { readonly kind: "told" }> {
  return told.kind === "told" ? told : malformed("says that the question is too large");
}

/**
 * Why something was not done; `undefined` when it was. Rejects (`pdp_unavailable`) where it cannot be told: a repeated question that hears that it was done before cannot
 * know by whom, and whether the first attempt got as far as the record.
 */
export function refusalIn({ message: { done, refusal }, isRepeated }: { readonly message: Done; readonly isRepeated: boolean }): Refusal | undefined {
  if (done) return undefined;
  if (refusal === undefined) return malformed("denies without a refusal");
  if (isRepeated && refusal.code === "grant_replayed")
    throw new AmbitError("pdp_unavailable", "it cannot be told whether an attempt whose answer was lost had its effect");
  return refusal;
}

/** A refusal where the port has no other way to say it: an error that has it, as the embedded decision point throws it. */
export function throwRefusal(refusal: Refusal | undefined): void {
  if (refusal === undefined) return;
  throw Object.assign(new AmbitError(refusal.code satisfies RefusalCode, refusal.message, { hint: refusal.hint }), { refusal });
}

/** The envelope of an answer, canonical; `pdp_response_invalid` for what is none. */
export function envelopeIn({ envelope }: IssuedOnWire, { vocabulary }: Order): Envelope {
  try {
    return parseEnvelope(envelope, vocabulary);
  } catch (error) {
    return malformed(`has an envelope that cannot be read: ${AmbitError.isInstance(error) ? error.message : "it is none"}`);
  }
}

/** A refusal of this side, which nobody has recorded. */
export function refusedHere(code: RefusalCode, message: string, hint?: string): { readonly decision: false; readonly id: string; readonly refusal: Refusal } {
  return { decision: false, id: "undecided", refusal: { code, message, retryable: false, ...(hint === undefined ? {} : { hint }) } };
}
