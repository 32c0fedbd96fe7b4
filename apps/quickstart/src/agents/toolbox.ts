import type { MCPClient } from "@ai-sdk/mcp";
import { tool, type StructuredToolInterface } from "@langchain/core/tools";
import { z } from "zod";
import { playbookPosition } from "./playbook.ts";

/**
 * What this application has for its sub-agents, by tool id, as such toolboxes grow: more than a classifier of clauses needs. Who gets
 * what of it is the application's to decide, or Ambit's.
 */
export function createToolbox(crm: MCPClient): ReadonlyMap<string, StructuredToolInterface> {
  const run = async (name: string, args: Record<string, unknown>): Promise<string> =>
    JSON.stringify((await crm.callTool({ name, arguments: args })).structuredContent);
  const exportContracts = tool((args: Record<string, unknown>) => run("contracts_export", args), {
    name: "contracts_export",
    description: "Exports contracts into a file.",
    schema: z.object({ selection: z.literal("all") }),
  });
  const sendMail = tool((args: Record<string, unknown>) => run("mail_send", args), {
    name: "mail_send",
    description: "Sends a mail; on request with the latest export attached.",
    schema: z.object({ to: z.string(), subject: z.string(), body: z.string(), attach_export: z.boolean().optional() }),
  });
  return new Map<string, StructuredToolInterface>([
    ["playbook.read", playbookPosition],
    ["contracts.export", exportContracts],
    ["mail.send", sendMail],
  ]);
}
