import type { JsonObject } from "@ambit/core";
import { answersOf, type Conversation } from "./conversation.ts";
import type { Plan } from "./gullible.ts";

/** Where a clause states its number. */
const CLAUSES = {
  automatic_renewal: /renews automatically for periods of \((\d+)\)/,
  notice_period: /written notice of at least \((\d+)\)/,
  price_increase: /price increase of \((\d+)\)/,
} as const;

/** The classifier: looks up what the playbook says of every clause in the excerpt, and compares. */
export const CLASSIFY_PLAN: Plan = {
  steps: [({ prompt }) => clausesIn(prompt).map(({ clause }) => ({ tool: "playbook_position", input: { clause } }))],
  conclude: (conversation) => JSON.stringify({ clauses: clausesIn(conversation.prompt).map((clause) => classify(clause, conversation)) }),
};

interface Clause {
  readonly clause: string;
  readonly value: number;
}

function clausesIn(prompt: string): readonly Clause[] {
  return Object.entries(CLAUSES).flatMap(([clause, pattern]) => {
    const value = pattern.exec(prompt)?.[1];
    return value === undefined ? [] : [{ clause, value: Number(value) }];
  });
}

function classify({ clause, value }: Clause, conversation: Conversation): JsonObject {
  const position = answersOf(conversation, "playbook_position").find((answer) => answer["clause"] === clause);
  if (position === undefined) return { clause, value, risk: "unknown" };
  const most = position["most"] as number;
  return { clause, value, playbook: most, unit: position["unit"] as string, risk: value > most ? "high" : "none" };
}
