import { createRequire } from "node:module";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { createMCPClient, type MCPClient, type MCPTransport } from "@ai-sdk/mcp";
import { Experimental_StdioMCPTransport as StdioTransport } from "@ai-sdk/mcp/mcp-stdio";
import type { Workspace } from "./workspace.ts";

/** The clients of both MCP servers, each a process of its own. Closing the clients ends the processes. */
export interface Servers extends AsyncDisposable {
  /** Ours: contracts, customers, tickets, mail. */
  readonly crm: MCPClient;
  /** `@modelcontextprotocol/server-filesystem`, which nobody here wrote. */
  readonly files: MCPClient;
}

const CRM_SERVER = fileURLToPath(new URL("../crm/server.ts", import.meta.url));
const require = createRequire(import.meta.url);
const FILE_SERVER = require.resolve("@modelcontextprotocol/server-filesystem/dist/index.js");

/** Starts the servers; `protectFiles` may put something before the file server's transport. */
export async function startServers(workspace: Workspace, protectFiles: (transport: MCPTransport) => MCPTransport = (transport) => transport): Promise<Servers> {
  const crm = await connect(node("--experimental-strip-types", "--disable-warning=ExperimentalWarning", CRM_SERVER, workspace.database));
  const files = await connect(protectFiles(node(FILE_SERVER, workspace.files))).catch(async (error: unknown) => {
    await crm.close();
    throw error;
  });
  return { crm, files, [Symbol.asyncDispose]: async () => void (await Promise.all([crm.close(), files.close()])) };
}

function node(...args: readonly string[]): MCPTransport {
  return new StdioTransport({ command: execPath, args: [...args], stderr: "ignore" });
}

/** Both servers speak the protocol that starts with `initialize`, so nothing is probed. */
function connect(transport: MCPTransport): Promise<MCPClient> {
  return createMCPClient({ transport, protocolVersionDiscovery: false });
}
