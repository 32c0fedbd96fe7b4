import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CoverageItem } from "@ambit/core";
import { createMCPClient } from "@ai-sdk/mcp";
import { Client as ClientV2, StreamableHTTPClientTransport as HttpTransportV2 } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { createMcpHandler, McpServer as McpServerV2 } from "@modelcontextprotocol/server";
import { describe, expect, it } from "vitest";
import { coverage, protect, protectServer, type McpApp } from "../src/index.ts";
import { connectCrm, createCrm } from "./support/crm.ts";
import { enforcement, fakePdp, naming } from "./support/fake-pdp.ts";
import { Pipe } from "./support/pipe.ts";

const INFO = { name: "test", version: "1.0.0" };
const PDP = fakePdp({ terms: async () => naming(() => false) });

/** Without the notes: kind, name and point of each item. */
const found = async (app: McpApp): Promise<readonly (readonly unknown[])[]> =>
  (await coverage(app)).items.map(({ kind, name, coveredBy }) => [kind, name, coveredBy]);
const COVERED = [
  ["server", "crm", "mcp transport"],
  ["tool", "crm/contracts_read", "mcp transport"],
] as const;
const uncovered = (rows: typeof COVERED) => rows.map(([kind, name]) => [kind, name, undefined]);

describe("coverage", () => {
  it("finds the server of a protected client with all of its tools, whatever the envelope would show of them", async () => {
    const { client, transport } = await connectCrm(PDP);
    expect((await client.listTools()).tools).toEqual([]);
    expect(await found({ crm: client })).toEqual(COVERED);
    expect(await found({ crm: transport })).toEqual(COVERED);
    expect(PDP.asked).toEqual([]);
  });

  it("finds it through a client of SDK 2 without sessions, and through one of `@ai-sdk/mcp`", async () => {
    const { pep, task } = await enforcement(PDP);
    const handler = createMcpHandler(() => {
      const server = new McpServerV2(INFO);
      server.registerTool("contracts_read", {}, () => ({ content: [] }));
      return server;
    });
    const fetch = (url: string | URL, init?: RequestInit): Promise<Response> => handler.fetch(new Request(url, init));
    const modern = new ClientV2(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    await modern.connect(protect(pep, { transport: new HttpTransportV2(new URL("http://crm.test/"), { fetch }), server: "crm", envelope: task }));
    expect(await found({ crm: modern })).toEqual(COVERED);

    const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
    await createCrm().server.connect(serverSide);
    const transport = protect(pep, { transport: clientSide, server: "crm", envelope: task });
    const aiSdk = await createMCPClient({ transport: transport as never });
    expect(await found({ crm: aiSdk })).toEqual(COVERED);
    await Promise.all([modern.close(), aiSdk.close(), handler.close()]);
  });

  it("finds a client that is connected past the enforcement point, and its tools, open", async () => {
    const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
    const client = new Client(INFO);
    await Promise.all([createCrm().server.connect(serverSide), client.connect(clientSide)]);
    expect(await found({ crm: client })).toEqual(uncovered(COVERED));

    const [otherSide, otherServerSide] = InMemoryTransport.createLinkedPair();
    await createCrm().server.connect(otherServerSide);
    const aiSdk = await createMCPClient({ transport: otherSide as never });
    expect(await found({ crm: aiSdk })).toEqual(uncovered(COVERED));
    await aiSdk.close();
  });

  it("finds a transport, a server and a client that nobody has connected open", async () => {
    const app = { pipe: new Pipe(), plain: new McpServer(INFO), low: createCrm().server, idle: new Client(INFO) };
    const { items } = await coverage(app);
    expect(items.map(({ name, coveredBy }) => [name, coveredBy])).toEqual(Object.keys(app).map((name) => [name, undefined]));
    expect(new Set(items.map(({ note }) => note)).size).toBe(3); // what is to be done about each
  });

  it("finds a server that asks for envelopes, by each of its doors", async () => {
    const options = { pdp: PDP, server: "crm", audience: "urn:example:crm" };
    const [server, low, pipe] = [new McpServer(INFO), createCrm().server, new Pipe()];
    for (const target of [protectServer(server, options), server.server, protectServer(low, options), protectServer(pipe, options)])
      expect(await found({ crm: target })).toEqual([["server", "crm", "mcp server"]]);
    // A server of which only the transport is protected.
    const bare = createCrm().server;
    await bare.connect(protectServer(InMemoryTransport.createLinkedPair()[1], options));
    expect(await found({ crm: bare })).toEqual([["server", "crm", "mcp server"]]);
  });

  it("says so where the manifest's name for a server is another one, and where tools cannot be asked for", async () => {
    const { pep, task } = await enforcement(PDP);
    const idle = protect(pep, { transport: InMemoryTransport.createLinkedPair()[0], server: "crm", envelope: task });
    const noteOf = async (app: McpApp): Promise<CoverageItem["note"]> => (await coverage(app)).items[0]?.note;
    expect(await noteOf({ files: idle })).toContain("`crm`");
    expect(await noteOf({ files: idle })).toContain("cannot be asked");
    expect(await noteOf({ crm: idle })).not.toContain("`crm`");
  });

  it("is what `ambit doctor` reads", async () => {
    const [main, module] = ["../../cli/src/main.ts", "support/app-coverage.mjs"].map((path) => fileURLToPath(new URL(path, import.meta.url))) as [
      string,
      string,
    ];
    const flags = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
    const { status, stdout } = spawnSync(process.execPath, [...flags, main, "doctor", module, "--json"], { encoding: "utf8" });
    const { items } = JSON.parse(stdout) as { readonly items: readonly CoverageItem[] };
    expect(status).toBe(1);
    expect(items.map(({ kind, name, coveredBy }) => [kind, name, coveredBy])).toEqual([
      ...COVERED,
      ["server", "files", undefined],
      ["tool", "files/contracts_read", undefined],
    ]);
  });
});
