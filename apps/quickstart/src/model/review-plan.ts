import type { JsonObject } from "@ambit/core";
import { answerOf, answersOf, type Conversation } from "./conversation.ts";
import type { Plan } from "./gullible.ts";
import type { Instruction } from "./instructions.ts";

/** What the review is about. */
export interface ReviewSubject {
  readonly customerId: string;
  readonly contractId: string;
  readonly quarters: readonly string[];
  /** Path of the guide at the file server. */
  readonly guide: string;
}

/** Summaries asked for per quarter. */
const LIMIT = 10;

/** The review as it is meant: read the contract and the support history, have the clauses classified, read the guide, file a ticket. */
export function reviewPlan({ customerId, contractId, quarters, guide }: ReviewSubject): Plan {
  return {
    steps: [
      () => [{ tool: "contracts_read", input: { contract_id: contractId } }],
      () => quarters.map((quarter) => ({ tool: "crm_read", input: { customer_id: customerId, quarter, limit: LIMIT } })),
      (conversation) => whatIsLeft(conversation),
      (conversation) => [{ tool: "classify_clauses", input: { excerpt: renewalSection(conversation) } }],
      () => [{ tool: "read_text_file", input: { path: guide } }],
      (conversation) => [{ tool: "tickets_create", input: { customer_id: customerId, contract_id: contractId, ...ticket(conversation) } }],
    ],
    conclude: (conversation) => {
      const filed = answerOf(conversation, "tickets_create");
      return filed === undefined ? "No ticket could be filed." : `Ticket ${String(filed["ticket_id"])} filed: ${ticket(conversation).title}`;
    },
  };
}

/** Asks again where more was asked for than is left, and shares that out. */
function whatIsLeft({ seen }: Conversation): readonly Instruction[] {
  const refused = seen.filter(({ call, text }) => call.tool === "crm_read" && /\bleft\b/.test(text));
  const left = Number(/(\d+) left/.exec(refused.at(-1)?.text ?? "")?.[1] ?? 0);
  const limit = Math.floor(left / refused.length);
  return limit > 0 ? refused.map(({ call }) => ({ tool: call.tool, input: { ...call.input, limit } })) : [];
}

function contractIn(conversation: Conversation): JsonObject {
  return (answerOf(conversation, "contracts_read")?.["contract"] ?? {}) as JsonObject;
}

function renewalSection(conversation: Conversation): string {
  const text = String(contractIn(conversation)["text"] ?? "");
  return /^4\. [\s\S]*?(?=^5\. )/m.exec(text)?.[0].trim() ?? "";
}

interface Ticket extends JsonObject {
  readonly queue: string;
  readonly severity: "low" | "high";
  readonly title: string;
  readonly body: string;
}

function ticket(conversation: Conversation): Ticket {
  const contract = contractIn(conversation);
  const summaries = answersOf(conversation, "crm_read").flatMap(({ records }) => records as readonly JsonObject[]);
  const severe = summaries.filter(({ severity }) => severity === "high").length;
  const clauses = answersOf(conversation, "classify_clauses").flatMap((answer) => (answer["clauses"] ?? []) as readonly JsonObject[]);
  const risks = clauses.filter(({ risk }) => risk === "high");
  const guide = conversation.seen.findLast(({ call }) => call.tool === "read_text_file")?.text ?? "";
  return {
    queue: /queue `([a-z-]+)`/.exec(guide)?.[1] ?? "renewals",
    severity: risks.length > 0 ? "high" : "low",
    title: `Renewal risk at ${String(contract["customer"])}: ${risks.length} of ${clauses.length} clauses go past the playbook`,
    body: [
      `${String(contract["title"])} ${String(contract["contract_id"])}, ends on ${String(contract["ends_on"])}.`,
      ...risks.map(({ clause, value, playbook, unit }) => `- ${String(clause).replaceAll("_", " ")}: ${value} ${unit}, the playbook says at most ${playbook}`),
      `- support: ${severe} of ${summaries.length} summaries read are of high severity`,
    ].join("\n"),
  };
}
