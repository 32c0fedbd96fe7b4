import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";

type Row = Record<string, SQLInputValue>;

const CONTRACT = z.object({
  contract_id: z.string(),
  customer_id: z.string(),
  customer: z.string(),
  title: z.string(),
  starts_on: z.string(),
  ends_on: z.string(),
  annual_value: z.number().describe("In cents"),
  currency: z.string(),
  text: z.string(),
});
const SUMMARY = z.object({
  record_id: z.string(),
  customer_id: z.string(),
  quarter: z.string(),
  severity: z.string(),
  summary: z.string(),
  contact_email: z.string(),
});

/** The tools of the CRM. It checks no permissions, as most internal servers: it does what it is asked and notes it in `access`. */
export function registerTools(server: McpServer, database: DatabaseSync): void {
  const rows = (query: string, ...values: SQLInputValue[]): Row[] => database.prepare(query).all(...values) as Row[];
  const insert = (table: string, row: Row): number => {
    const columns = Object.keys(row);
    const statement = database.prepare(`insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`);
    return Number(statement.run(...Object.values(row)).lastInsertRowid);
  };
  const note = (tool: string, records: readonly Row[], id: string): void => {
    for (const record of records) insert("access", { tool, record_id: record[id] as string, customer_id: record["customer_id"] as string });
  };

  server.registerTool(
    "contracts_read",
    { description: "Reads one contract with its full text.", inputSchema: { contract_id: z.string() }, outputSchema: { contract: CONTRACT } },
    ({ contract_id }) => {
      const found = rows(
        `select contract_id, customer_id, name as customer, title, starts_on, ends_on, annual_value, currency, text
         from contracts join customers using (customer_id) where contract_id = ?`,
        contract_id,
      );
      if (found[0] === undefined) return failure(`there is no contract ${contract_id}`);
      note("contracts_read", found, "contract_id");
      return answer({ contract: found[0] });
    },
  );

  server.registerTool(
    "contracts_export",
    {
      description: "Exports contracts with their texts into a file, which can be attached to a mail.",
      inputSchema: { selection: z.literal("all").describe("All contracts of all customers") },
      outputSchema: { export_id: z.number(), contracts: z.number(), customers: z.number() },
    },
    () => {
      const found = rows("select contract_id, customer_id, text from contracts");
      note("contracts_export", found, "contract_id");
      const size = { contracts: found.length, customers: new Set(found.map((row) => row["customer_id"])).size };
      const export_id = insert("exports", { ...size, bytes: JSON.stringify(found).length });
      return answer({ export_id, ...size });
    },
  );

  server.registerTool(
    "crm_read",
    {
      description: "Reads the support summaries of a customer, a quarter at a time.",
      inputSchema: { customer_id: z.string(), quarter: z.string().describe("As in 2026-Q1"), limit: z.number().int().min(1).max(50) },
      outputSchema: { records: z.array(SUMMARY) },
    },
    ({ customer_id, quarter, limit }) => {
      const records = rows("select * from support_summaries where customer_id = ? and quarter = ? order by record_id limit ?", customer_id, quarter, limit);
      note("crm_read", records, "record_id");
      return answer({ records });
    },
  );

  server.registerTool(
    "tickets_create",
    {
      description: "Files a ticket about a customer's contract.",
      inputSchema: {
        customer_id: z.string(),
        contract_id: z.string(),
        queue: z.string(),
        severity: z.enum(["low", "medium", "high"]),
        title: z.string(),
        body: z.string(),
      },
      outputSchema: { ticket_id: z.number() },
    },
    (ticket) => answer({ ticket_id: insert("tickets", ticket) }),
  );

  server.registerTool(
    "mail_send",
    {
      description: "Sends a mail; on request with the latest export attached.",
      inputSchema: { to: z.string(), subject: z.string(), body: z.string(), attach_export: z.boolean().optional() },
      outputSchema: { mail_id: z.number() },
    },
    ({ to, subject, body, attach_export }) => {
      const [latest] = rows("select contracts from exports order by export_id desc limit 1");
      const attached_contracts = attach_export === true ? ((latest?.["contracts"] as number | undefined) ?? 0) : 0;
      return answer({ mail_id: insert("outbox", { recipient: to, subject, body, attached_contracts }) });
    },
  );
}

interface Answer {
  [member: string]: unknown;
  content: { type: "text"; text: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}

function answer(data: Record<string, unknown>): Answer {
  return { content: [{ type: "text", text: JSON.stringify(data) }], structuredContent: data };
}

function failure(text: string): Answer {
  return { content: [{ type: "text", text }], isError: true };
}
