import { expect } from "vitest";
import type { Obligation } from "../../src/pdp/obligation.ts";
import type { Outcome } from "../../src/pdp/pdp.ts";
import { permit, scene } from "./fake-pdp.ts";

export const limit = (max: number, pointer = "/records"): Obligation => ({ id: "l", type: "limit_records", properties: { pointer, max } });
export const filter = (constraint: string | readonly string[], pointer = "/records/*/customer_id"): Obligation => ({
  id: "f",
  type: "filter_records",
  properties: { pointer, kind: typeof constraint === "string" ? "equal" : "subset", constraint },
});
export const redact = (...pointers: readonly string[]): Obligation => ({ id: "r", type: "redact_fields", properties: { pointers } });

export const WITHHELD = "withheld";

/** What a caller gets to see of a tool's result, and what was recorded of it. */
export async function shown(result: unknown, ...obligations: readonly Obligation[]): Promise<{ readonly result: unknown; readonly outcome: Partial<Outcome> }> {
  const { pdp, pep, call } = await scene({ decide: () => Promise.resolve(permit(obligations)) });
  const enforced = await pep.enforce(call(), () => result);
  const [outcome = {}] = pdp.asks("settle") as readonly Partial<Outcome>[];
  if (enforced.refused === undefined) return { result: enforced.result, outcome };
  expect(enforced.refused).toMatchObject({ kind: "deny", decisionId: "dec_1", refusal: { code: "obligation_unsupported", retryable: false } });
  expect(outcome.status).toBe(WITHHELD);
  return { result: WITHHELD, outcome };
}

export const records = (...customers: readonly string[]): { records: { customer_id: string; title: string }[] } => ({
  records: customers.map((customer, index) => ({ customer_id: customer, title: `t${index}` })),
});
export const mcpText = (data: unknown): object => ({ content: [{ type: "text", text: JSON.stringify(data) }] });
export const mcpStructured = (data: unknown): object => ({ ...mcpText(data), structuredContent: data });

// The same data in whatever wrapping a framework has put it.
export const WRAPPINGS: readonly (readonly [string, (data: unknown) => unknown])[] = [
  ["plain data", (data) => data],
  ["MCP structured content", mcpStructured],
  ["MCP text", mcpText],
  ["text that is JSON", (data) => JSON.stringify(data)],
];
