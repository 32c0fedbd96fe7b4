import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  CallToolRequestSchema,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ErrorCode,
  ListRootsRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  type Tool,
} from "@modelcontextprotocol/sdk/types.js";
import { protect } from "../../src/index.ts";
import { enforcement, type FakePdp } from "./fake-pdp.ts";

export const CONTRACTS_READ: Tool = {
  name: "contracts_read",
  description: "Reads the contracts of a customer.",
  inputSchema: { type: "object", properties: { customer_id: { type: "string" } } },
  outputSchema: { type: "object", properties: { records: { type: "array", items: { type: "object" } } }, required: ["records"] },
};

/** A server of SDK 1 that writes down what reaches it. */
export interface Crm {
  readonly server: Server;
  /** `[name, arguments]` of every call, and the method of every other request. */
  readonly reached: unknown[];
  /** What `tools/list` says now. */
  tools: Tool[];
}

export function createCrm(): Crm {
  const server = new Server({ name: "crm", version: "1.0.0" }, { capabilities: { tools: { listChanged: true }, resources: {}, logging: {} } });
  const crm: Crm = { server, reached: [], tools: [CONTRACTS_READ] };
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: crm.tools }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => {
    crm.reached.push("resources/read");
    return { contents: [{ uri: params.uri, text: "secret" }] };
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, sendRequest }) => {
    crm.reached.push([params.name, params.arguments]);
    if (params.name === "breaks") throw new McpError(ErrorCode.InternalError, "the database is down");
    if (params.name === "hangs") await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    if (params.name === "samples") {
      const request = { method: "sampling/createMessage", params: { messages: [], maxTokens: 1 } } as const;
      const failure = await sendRequest(request, CallToolRequestSchema).catch((error: unknown) => error);
      return { content: [{ type: "text", text: `refused with ${(failure as McpError).code}` }] };
    }
    const records = [{ id: "contract_1" }, { id: "contract_2" }, { id: "contract_3" }];
    return { structuredContent: { records }, content: [{ type: "text", text: JSON.stringify({ records }) }] };
  });
  return crm;
}

/** A client of SDK 1, connected to `createCrm()` through the enforcement point. */
export async function connectCrm(pdp: FakePdp, server = "crm") {
  const { pep, task } = await enforcement(pdp);
  const crm = createCrm();
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  const transport = protect(pep, { transport: clientSide, server, envelope: task });
  const client = new Client({ name: "test", version: "1.0.0" }, { capabilities: { sampling: {}, elicitation: {}, roots: {} } });
  const askedOfClient: string[] = [];
  const note = (method: string) => () => {
    askedOfClient.push(method);
    return { model: "m", role: "assistant" as const, content: { type: "text" as const, text: "" }, action: "accept" as const, roots: [] };
  };
  client.setRequestHandler(CreateMessageRequestSchema, note("sampling"));
  client.setRequestHandler(ElicitRequestSchema, note("elicitation"));
  client.setRequestHandler(ListRootsRequestSchema, note("roots"));
  const errors: Error[] = [];
  client.onerror = (error) => void errors.push(error);
  await Promise.all([crm.server.connect(serverSide), client.connect(transport)]);
  return { pep, task, crm, client, transport, askedOfClient, errors };
}

/** What the model is told in a refusal. */
export function refusalIn(result: unknown): { readonly code: string; readonly decisionId: string } {
  const { isError, content } = result as { readonly isError?: boolean; readonly content: readonly { readonly text: string }[] };
  if (isError !== true) throw new Error("the result is not an error");
  return (JSON.parse(content[0]?.text ?? "") as { readonly error: { readonly code: string; readonly decisionId: string } }).error;
}
