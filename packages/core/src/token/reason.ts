import type { RefusalCode } from "../errors.ts";

const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Why something does not hold, and why that is so. */
export interface Reason {
  readonly text: string;
  readonly because: readonly Reason[];
}

/** Why a chain or a call was refused. */
export interface TokenRefusal {
  readonly code: RefusalCode;
  /** Step of section 8 of the draft: `4p4`; `after 5` for revocation, which the draft leaves to others. */
  readonly step: string;
  /** Position of the token in the chain, the root being 0: the leaf for what is asked with it or of all of them; absent where there is no token. */
  readonly index?: number | undefined;
  readonly reason: Reason;
}

export interface Refused {
  readonly verified: false;
  readonly refusal: TokenRefusal;
}

/** Reasons quote what somebody else wrote, and must not be able to forge a line of their own. */
export function because(text: string, ...reasons: readonly Reason[]): Reason {
  return { text: text.replaceAll(UNPRINTABLE, "\ufffd"), because: reasons };
}

export function refused(code: RefusalCode, step: string, index: number | undefined, reason: string | Reason): Refused {
  return { verified: false, refusal: { code, step, index, reason: typeof reason === "string" ? because(reason) : reason } };
}

/** The refusal as an indented tree: what may not be, and below it why. */
export function explain(refusal: TokenRefusal): string {
  const where = refusal.index === undefined ? "" : `, token ${refusal.index}`;
  return [`refused: ${refusal.code} (draft step ${refusal.step}${where})`, ...linesOf(refusal.reason, 1)].join("\n");
}

/** Somebody else's words in a reason: of bounded length, on one line, and whole. */
export function quoted(text: string): string {
  const short = text.length > 100 ? `${text.slice(0, 100)}…`.toWellFormed() : text;
  return `\`${short.replaceAll(UNPRINTABLE, "\ufffd")}\``;
}

function linesOf(reason: Reason, depth: number): readonly string[] {
  const [indent, lead] = ["  ".repeat(depth), depth === 1 ? "" : "because "];
  return [`${indent}${lead}${reason.text}`, ...reason.because.flatMap((inner) => linesOf(inner, depth + 1))];
}
