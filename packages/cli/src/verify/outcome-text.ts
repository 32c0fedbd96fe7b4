import { serializeEnvelope, type Json, type JsonObject } from "@ambit/core";
import { explain, type Reason, type TokenRefusal } from "@ambit/core/token";
import { printable } from "../infer/printable.ts";
import type { Paint } from "../output/paint.ts";
import { shown } from "../output/shown.ts";
import { instantText, lengthText } from "../time.ts";
import type { Outcome, Question } from "./question.ts";

/** What a verdict does not cover, so that nobody takes it for more. */
function notChecked({ audiences, call }: Pick<Question, "audiences" | "call">, hasEnvelopes: boolean): readonly string[] {
  return [
    "whether the chain was revoked",
    ...(audiences.length === 0 ? ["whom the chain may be shown to (`--audience`)"] : []),
    ...(call === undefined ? [] : ["whether the proof was used before"]),
    ...(call !== undefined && hasEnvelopes ? ["resource constraints, budgets, approvals and policies: a decision point does"] : []),
  ];
}

export function outcomeText(outcome: Outcome, question: Question, paint: Paint): string {
  if (outcome.verdict === "DENY") return `${paint.bad("deny")}\n${explain(printableRefusal(outcome.refusal))}\n`;
  const { chain, envelopes, verdict } = outcome;
  const { leaf, anchor, tokens } = chain;
  const title =
    verdict === "PERMIT"
      ? `${paint.good("permit")}: the chain and the proof hold for this call of ${shown(question.call?.use.tool)}`
      : `${paint.good("valid")}: the chain holds; it authorizes nothing, a call needs its proof (\`--tool\`, \`--args\`, \`--pop\`)`;
  const path = envelopes?.map(({ envelope }) => shown(envelope.agentId)) ?? tokens.map(({ claims }) => `key:${claims.holder.thumbprint}`);
  const stands = anchor.kind === "aat" ? [`stands for    ${shown(anchor.delegatorId)} of ${shown(anchor.tenantId)}, purpose ${shown(anchor.purpose)}`] : [];
  const lines = [
    title,
    `kind          ${anchor.kind}`,
    `chain         ${[shown(anchor.issuer), ...path].join(" → ")}`,
    ...stands,
    `valid until   ${instantText(leaf.claims.expiresAt)}, ${lengthText(leaf.claims.expiresAt - question.now / 1000)} left`,
    ...notChecked(question, envelopes !== undefined).map((what) => `not checked   ${what}`),
  ];
  return `${lines.join("\n")}\n`;
}

export function outcomeJson(outcome: Outcome, question: Question): JsonObject {
  if (outcome.verdict === "DENY") return { verdict: "DENY", ...refusalJson(outcome.refusal) };
  const { chain, envelopes, verdict } = outcome;
  const { anchor, leaf } = chain;
  return {
    verdict,
    kind: anchor.kind,
    issuer: anchor.issuer,
    depth: leaf.claims.depth,
    holder: leaf.claims.holder.thumbprint,
    expires_at: leaf.claims.expiresAt,
    ...(anchor.kind === "aat" ? { stands_for: { tenant_id: anchor.tenantId, delegator_id: anchor.delegatorId, purpose: anchor.purpose } } : {}),
    ...(envelopes === undefined ? {} : { envelopes: envelopes.map(({ envelope }) => serializeEnvelope(envelope)) }),
    not_checked: notChecked(question, envelopes !== undefined),
  };
}

function refusalJson({ code, step, index, reason }: TokenRefusal): JsonObject {
  return { code, step, ...(index === undefined ? {} : { index }), reason: reasonJson(reason) };
}

function reasonJson({ text, because }: Reason): JsonObject {
  return because.length === 0 ? { text } : { text, because: because.map((inner): Json => reasonJson(inner)) };
}

/** Reasons have words of who made the tokens in them; a line break there would write a line of ours. */
function printableRefusal(refusal: TokenRefusal): TokenRefusal {
  const clean = ({ text, because }: Reason): Reason => ({ text: printable(text, 1000), because: because.map(clean) });
  return { ...refusal, reason: clean(refusal.reason) };
}
