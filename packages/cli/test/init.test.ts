import { createPep, definitionDigest, type Pep, type ResourceConstraints, type Task, type ToolDefinition } from "@ambit/core";
import { createPdp, type EmbeddedPdp } from "@ambit/pdp";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { ListToolsRequestSchema, ResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runIn } from "./fixtures/terminal.ts";

const FILESYSTEM = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-filesystem/dist/index.js"));
/** Node 22 asks for it; later versions do so by themselves. */
const RUNS_TYPESCRIPT = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
const STDIO_SERVER = fileURLToPath(new URL("fixtures/stdio-server.ts", import.meta.url));
const quoted = (...words: readonly string[]): string => words.map((word) => `"${word}"`).join(" ");

const TOOLS = [
  { name: "parts.get", description: "Gets a part.", inputSchema: { type: "object", properties: { id: { type: "string" } }, required: ["id"] } },
  { name: "parts.delete", description: "Deletes a part.", parameters: { type: "object", properties: { id: { type: "string" } }, required: ["id"] } },
  { name: "mail_supplier", description: "Emails a supplier." },
];

let folder: string;
let opened: AsyncDisposable[] = [];

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "ambit-init-")));
  await writeFile(join(folder, "tools.json"), JSON.stringify(TOOLS));
});
afterEach(async () => {
  for (const pdp of opened) await pdp[Symbol.asyncDispose]();
  opened = [];
  await rm(folder, { recursive: true });
});

interface WrittenEntry {
  readonly description: string;
  readonly names: readonly object[];
  readonly input_schema: { readonly properties: object };
}

async function writtenTools(): Promise<Readonly<Record<string, WrittenEntry | undefined>>> {
  const { tools } = JSON.parse(await readFile(join(folder, "ambit.manifest.json"), "utf8")) as { readonly tools: Record<string, WrittenEntry> };
  return tools;
}

/** Loads what was written, as an application does. */
async function load(): Promise<EmbeddedPdp> {
  const pdp = await createPdp(join(folder, "ambit.config.json"));
  opened.push(pdp);
  return pdp;
}

async function begin(
  purpose: string,
  allowedTools: readonly string[],
  resourceConstraints: ResourceConstraints = {},
): Promise<{ readonly pep: Pep; readonly task: Task }> {
  const pdp = await load();
  const pep = createPep({ pdp, agent: "assistant" });
  const task = await pep.begin({ delegatorId: "user_1", tenantId: "tenant_1", purpose, allowedTools, resourceConstraints, expiresIn: "1m" });
  return { pep, task };
}

async function codeOf(
  pep: Pep,
  task: Task,
  call: { readonly tool: string; readonly arguments: object; readonly server?: string; readonly definition?: string | undefined },
): Promise<string> {
  const admission = await pep.admit({ envelope: task, ...call });
  return admission.admitted ? "permit" : admission.refused.refusal.code;
}

describe("ambit init --app", () => {
  const LANGCHAIN = fileURLToPath(new URL("fixtures/app-langchain.ts", import.meta.url));
  const AI_SDK = fileURLToPath(new URL("fixtures/app-ai-sdk.ts", import.meta.url));

  test("reads the tools of LangChain as their schemas say", async () => {
    const { exitCode, out, err } = await runIn(folder, ["init", "--app", LANGCHAIN, "--agent", "assistant"]);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(out).toContain('mode: "observe"');
    const { parts_get, mail_supplier } = await writtenTools();
    expect(parts_get?.input_schema).toMatchObject({ properties: { id: { type: "string" }, deep: { type: "boolean" } }, required: ["id"] });
    expect(mail_supplier?.input_schema.properties).toEqual({ to: { type: "string" } });
    const { pep, task } = await begin("use_tools", ["parts_get", "mail_supplier"]);
    expect(await codeOf(pep, task, { tool: "parts_get", arguments: { id: "p1" } })).toBe("permit");
    expect(await codeOf(pep, task, { tool: "parts_get", arguments: { deep: true } })).toBe("argument_not_allowed");
    expect(await codeOf(pep, task, { tool: "mail_supplier", arguments: { to: "x" } })).toBe("policy_denied");
  });

  test("reads the tools of the AI SDK by their names, and says which it could not", async () => {
    const { exitCode, out } = await runIn(folder, ["init", "--app", AI_SDK]);
    expect(exitCode).toBe(0);
    expect(out).toContain("`broken`: its schema has no JSON form");
    expect(Object.keys(await writtenTools())).toEqual(["mail_supplier", "parts_get"]);
    const { pep, task } = await begin("use_tools", ["parts_get"]);
    expect(await codeOf(pep, task, { tool: "parts_get", arguments: { id: "p1" } })).toBe("permit");
  });

  test.each([
    ["export const tools = 7;", "tools_malformed", 1],
    ["export const tools = [{ nameless: true }];", "tools_malformed", 1],
    ["export const tools = () => { throw new Error('no database'); };", "tools_malformed", 1],
    ["export const other = [];", "tools_malformed", 1],
    ["export const tools = [];", "no_tools", 1],
    ["throw new Error('no key');", "module_failed", 1],
    ["export const tools = [", "module_failed", 1],
  ])("says what is wrong with the module `%s`", async (text, code, exitCode) => {
    await writeFile(join(folder, "app.mjs"), text);
    const answer = await runIn(folder, ["init", "--app", "app.mjs"]);
    expect([answer.exitCode, answer.out]).toEqual([exitCode, ""]);
    expect(answer.err).toMatch(new RegExp(`^error\\[${code}\\]`));
    expect(answer.err).not.toContain("    at ");
  });

  test("takes the default export where there are no `tools`", async () => {
    await writeFile(join(folder, "app.mjs"), `export default [{ name: "get_part", inputSchema: { type: "object", properties: {} } }];`);
    expect(await runIn(folder, ["init", "--app", "app.mjs"])).toMatchObject({ exitCode: 0, err: "" });
    expect(Object.keys(await writtenTools())).toEqual(["get_part"]);
  });

  test("is called wrongly without a file that is there, and with two sources", async () => {
    expect(await runIn(folder, ["init", "--app", "none.ts"])).toMatchObject({ exitCode: 2, out: "" });
    expect(await runIn(folder, ["init", "--app", "a.ts", "--tools", "tools.json"])).toMatchObject({ exitCode: 2, out: "" });
  });
});

describe("ambit init --observed", () => {
  /** A run of an application that is only watched: one read, and one call that would have been refused. */
  async function observe(): Promise<void> {
    await runIn(folder, ["init", "--tools", "tools.json"]);
    const pdp = await load();
    const pep = createPep({ pdp, agent: "assistant", mode: "observe" });
    const allowedTools = ["parts.get", "parts.delete", "mail_supplier"];
    const task = await pep.begin({ delegatorId: "user_1", tenantId: "tenant_1", purpose: "use_tools", allowedTools, resourceConstraints: {}, expiresIn: "1m" });
    await pep.enforce({ envelope: task, tool: "parts_get", arguments: { id: "p1" } }, () => ({}));
    await pep.enforce({ envelope: task, tool: "parts_delete", arguments: { id: "p1" } }, () => ({}));
    await pdp.close();
  }

  test("proposes what was permitted and used, and leaves what would have been refused to a person", async () => {
    await observe();
    const { exitCode, out, err } = await runIn(folder, ["init", "--observed", "decisions.jsonl"]);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(out).toContain("policy_denied: parts.delete, once");
    const proposed = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(folder, "ambit.proposal", name), "utf8"));
    expect(await proposed("purposes.json")).toMatchObject({ purposes: { use_tools: { tools: ["parts.get"] } } });
    expect(await proposed("agents.json")).toMatchObject({ agents: { assistant: { trust_zone: "first_party", ceiling: { allowed_tools: ["parts.get"] } } } });

    for (const name of ["purposes.json", "agents.json"]) await writeFile(join(folder, name), await readFile(join(folder, "ambit.proposal", name)));
    const { pep, task } = await begin("use_tools", ["parts.get"]);
    expect(await codeOf(pep, task, { tool: "parts_get", arguments: { id: "p1" } })).toBe("permit");
    await expect(begin("use_tools", ["parts.delete"])).rejects.toMatchObject({
      code: expect.stringMatching(/^(purpose_mismatch|not_narrower|tool_not_allowed)$/),
    });
  });

  test("tells programs as JSON what it takes away", async () => {
    await observe();
    const { out } = await runIn(folder, ["init", "--observed", "decisions.jsonl", "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      taken: [
        { kind: "agent", id: "assistant", kept: ["parts.get"], removed: ["mail_supplier", "parts.delete"] },
        { kind: "purpose", id: "use_tools", kept: ["parts.get"], removed: ["mail_supplier", "parts.delete"] },
      ],
      unseen: [],
      would_be_denied: [{ code: "policy_denied", tool: "parts.delete", count: 1 }],
    });
  });

  test("takes a log that somebody has changed for nothing", async () => {
    await observe();
    const path = join(folder, "decisions.jsonl");
    await writeFile(path, (await readFile(path, "utf8")).replace("parts.get", "mail_supplier"));
    const answer = await runIn(folder, ["init", "--observed", "decisions.jsonl"]);
    expect([answer.exitCode, answer.out]).toEqual([2, ""]);
    expect(answer.err).toMatch(/^error\[file_malformed\]/);
    await expect(readFile(join(folder, "ambit.proposal", "agents.json"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("proposes nothing where nothing ran", async () => {
    await runIn(folder, ["init", "--tools", "tools.json"]);
    await begin("use_tools", ["parts.get"]);
    expect(await runIn(folder, ["init", "--observed", "decisions.jsonl"])).toMatchObject({ exitCode: 1, out: "" });
  });

  test("is called wrongly with what the tools of a first configuration are read from", async () => {
    expect(await runIn(folder, ["init", "--observed", "decisions.jsonl", "--tools", "tools.json"])).toMatchObject({ exitCode: 2, out: "" });
    expect(await runIn(folder, ["init", "--tools", "tools.json", "--config", "c.json"])).toMatchObject({ exitCode: 2, out: "" });
    expect(await runIn(folder, ["init", "--observed", "none.jsonl"])).toMatchObject({ exitCode: 2, out: "" });
  });
});

describe("ambit init --tools", () => {
  test("writes a configuration that loads, permits reads and denies everything else", async () => {
    const { exitCode, out, err } = await runIn(folder, ["init", "--tools", "tools.json"]);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(out).toContain("parts.get: parts_get");
    const { pep, task } = await begin("use_tools", ["parts.get", "parts.delete", "mail_supplier"]);
    expect(await codeOf(pep, task, { tool: "parts_get", arguments: { id: "p1" } })).toBe("permit");
    expect(await codeOf(pep, task, { tool: "parts.get", arguments: { id: "p1" } })).toBe("permit");
    expect(await codeOf(pep, task, { tool: "parts_get", arguments: { id: "p1", deep: true } })).toBe("argument_not_allowed");
    expect(await codeOf(pep, task, { tool: "parts_delete", arguments: { id: "p1" } })).toBe("policy_denied");
    expect(await codeOf(pep, task, { tool: "mail_supplier", arguments: {} })).toBe("policy_denied");
    expect(await codeOf(pep, task, { tool: "Parts_get", arguments: { id: "p1" } })).toBe("tool_unmapped");
  });

  test("writes the remaining policy so that taking the comment marks away is enough", async () => {
    await runIn(folder, ["init", "--tools", "tools.json"]);
    const path = join(folder, "policies/main.cedar");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replaceAll(/^\/\/ (?=@id\("act"\)|permit \(|when|\])|^\/\/ {3}(?=Action)/gm, ""));
    const { pep, task } = await begin("use_tools", ["parts.delete"]);
    expect(await codeOf(pep, task, { tool: "parts_delete", arguments: { id: "p1" } })).toBe("permit");
  });

  test("leaves to the operator what loosens", async () => {
    await runIn(folder, ["init", "--tools", "tools.json"]);
    const tools = await writtenTools();
    expect(tools["parts.get"]).toMatchObject({ effect: "read", output: "untrusted", sends_outside: false });
    for (const member of ["constraints", "data_classes", "records"]) expect(tools["parts.get"]).not.toHaveProperty(member);
    expect(tools["parts.get"]?.description).toMatch(/^review: guessed to be a read, because the name says `get`/);
    for (const constraints of [{ max_records: 5 }, { data_classes: ["prices"] }, { customer_id: "c1" }]) {
      const { pep, task } = await begin("use_tools", ["parts.get"], constraints);
      expect(await codeOf(pep, task, { tool: "parts_get", arguments: { id: "p1" } })).toBe("constraint_unmapped");
    }
  });

  test("loads also when nothing only reads", async () => {
    await writeFile(join(folder, "tools.json"), JSON.stringify({ tools: [{ name: "launch" }] }));
    expect((await runIn(folder, ["init", "--tools", "tools.json"])).exitCode).toBe(0);
    const { pep, task } = await begin("use_tools", ["launch"]);
    expect(await codeOf(pep, task, { tool: "launch", arguments: {} })).toBe("policy_denied");
  });

  test("takes agents, purposes and servers with quotes in their names for what they are", async () => {
    const names = ["--agent", 'a"b\\', "--purpose", 'p"||true//', "--server", 's"'];
    expect(await runIn(folder, ["init", "--tools", "tools.json", ...names])).toMatchObject({ exitCode: 0 });
    await expect(load()).resolves.toBeDefined();
  });

  test("reads the forms that model providers use, and OpenAPI", async () => {
    await writeFile(
      join(folder, "functions.json"),
      JSON.stringify({ tools: [{ type: "function", function: { name: "get_part", parameters: { type: "object", properties: {} } } }] }),
    );
    expect(await runIn(folder, ["init", "--tools", "functions.json", "--dir", "functions"])).toMatchObject({ exitCode: 0 });
    const schema = (type: string): object => ({ content: { "application/json": { schema: { $ref: `#/components/schemas/${type}` } } } });
    await writeFile(
      join(folder, "openapi.json"),
      JSON.stringify({
        openapi: "3.1.0",
        paths: {
          "/parts": {
            get: { operationId: "parts.list", parameters: [{ name: "limit", in: "query", schema: { type: "integer" } }], responses: { 200: schema("Parts") } },
            post: { summary: "Add a part", requestBody: { required: true, ...schema("Part") } },
          },
          "/parts/{id}": { parameters: [{ $ref: "#/components/parameters/Id" }, { name: "X-Key", in: "header", schema: {} }], delete: { responses: {} } },
        },
        components: {
          parameters: { Id: { name: "id", in: "path", required: true, schema: { type: "string" } } },
          schemas: {
            Part: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
            Parts: { type: "object", properties: { parts: { type: "array", items: { $ref: "#/components/schemas/Part" } } } },
          },
        },
      }),
    );
    expect(await runIn(folder, ["init", "--tools", "openapi.json"])).toMatchObject({ exitCode: 0, err: "" });
    const tools = await writtenTools();
    expect(tools).toMatchObject({
      "parts.list": { effect: "read", records: { result: "/parts", limit: "/limit", most: 100 }, input_schema: { properties: { limit: { type: "integer" } } } },
      post_parts: { effect: "write", input_schema: { properties: { id: { type: "string" } }, required: ["id"] } },
      delete_parts_id: { effect: "destructive", input_schema: { properties: { id: { type: "string" } }, required: ["id"], additionalProperties: false } },
    });
    expect(tools["delete_parts_id"]?.input_schema.properties).not.toHaveProperty("X-Key");
    await expect(load()).resolves.toBeDefined();
  });

  test("leaves out what is no tool, says so, and shows nothing that a terminal would obey", async () => {
    await writeFile(
      join(folder, "tools.json"),
      JSON.stringify([...TOOLS, { name: "get\u001b[2J" }, { name: "get_\u202egnp" }, { name: 7 }, null, { name: "get_x\0" }, { name: "constructor" }]),
    );
    const { exitCode, out } = await runIn(folder, ["init", "--tools", "tools.json"]);
    expect(exitCode).toBe(0);
    expect(out).toContain("get\\u{1b}[2J: its name has characters other than visible ASCII");
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(Object.keys(await writtenTools())).toEqual(["mail_supplier", "parts.delete", "parts.get"]);
  });

  test("tells programs as JSON what was done", async () => {
    const { out } = await runIn(folder, ["init", "--tools", "tools.json", "--json", "--dir", "authz"]);
    expect(JSON.parse(out)).toMatchObject({
      written: expect.arrayContaining([join("authz", "ambit.config.json")]),
      tools: [
        { id: "mail_supplier", effect: "write", sends_outside: true },
        { id: "parts.delete", effect: "destructive" },
        { id: "parts.get", alias: "parts_get", effect: "read" },
      ],
    });
  });

  test("overwrites nothing unless it is told to", async () => {
    await writeFile(join(folder, "agents.json"), "mine");
    const refused = await runIn(folder, ["init", "--tools", "tools.json"]);
    expect(refused).toMatchObject({ exitCode: 1, out: "" });
    expect(refused.err).toMatch(/^error\[files_exist\][^]*agents\.json/);
    expect(await readFile(join(folder, "agents.json"), "utf8")).toBe("mine");
    await expect(readFile(join(folder, "ambit.config.json"))).rejects.toMatchObject({ code: "ENOENT" });
    expect(await runIn(folder, ["init", "--tools", "tools.json", "--force"])).toMatchObject({ exitCode: 0 });
    expect(await readFile(join(folder, "agents.json"), "utf8")).not.toBe("mine");
  });
});

describe("ambit init --mcp", () => {
  test("writes what a real server's tools need, and a call through it is decided", async () => {
    const command = quoted(process.execPath, FILESYSTEM, folder);
    expect(await runIn(folder, ["init", "--mcp", command, "--server", "files", "--purpose", "read_notes"])).toMatchObject({ exitCode: 0, err: "" });

    const client = new Client({ name: "test", version: "1.0.0" });
    await client.connect(new StdioClientTransport({ command: process.execPath, args: [FILESYSTEM, folder], stderr: "ignore" }));
    const { tools } = (await client.request({ method: "tools/list" }, ResultSchema)) as unknown as { readonly tools: readonly ToolDefinition[] };
    const definitionOf = (name: string): ToolDefinition => tools.find((tool) => tool.name === name) as ToolDefinition;

    const { pep, task } = await begin("read_notes", ["read_text_file", "write_file"]);
    const call = {
      envelope: task,
      tool: "read_text_file",
      server: "files",
      definition: definitionDigest(definitionOf("read_text_file")),
      arguments: { path: join(folder, "tools.json") },
    };
    const enforced = await pep.enforce(call, (args) => client.callTool({ name: "read_text_file", arguments: args }));
    expect(enforced.refused).toBeUndefined();
    expect(enforced).toMatchObject({ result: { structuredContent: { content: JSON.stringify(TOOLS) } } });

    const changed = definitionDigest({ ...definitionOf("read_text_file"), description: "Reads a file and sends it home." });
    expect(await codeOf(pep, task, { ...call, definition: changed })).toBe("tool_changed");
    expect(await codeOf(pep, task, { ...call, server: "other" })).toBe("tool_unmapped");
    expect(await codeOf(pep, task, { tool: "read_text_file", arguments: call.arguments })).toBe("permit");
    const write = {
      tool: "write_file",
      server: "files",
      definition: definitionDigest(definitionOf("write_file")),
      arguments: { path: join(folder, "x"), content: "" },
    };
    expect(await codeOf(pep, task, write)).toBe("policy_denied");
    await client.close();
  });

  test("reads every page, and gives the server nothing of the environment but what is named", async () => {
    const tools = ["get_a", "get_b", "get_c"].map((name) => ({ name, inputSchema: { type: "object" } }));
    await writeFile(join(folder, "served.json"), JSON.stringify(tools));
    const args = ["init", "--mcp", quoted(process.execPath, ...RUNS_TYPESCRIPT, STDIO_SERVER, "served.json"), "--env", "SHELF_TOKEN"];
    expect(await runIn(folder, args, { env: { SHELF_TOKEN: "secret", OTHER_TOKEN: "secret" } })).toMatchObject({ exitCode: 0, err: "" });
    expect(Object.keys(await writtenTools())).toEqual(["get_a", "get_b", "get_c", "get_with_token"]);
    const missing = await runIn(folder, [...args, "--force"]);
    expect(missing).toMatchObject({ exitCode: 1, err: expect.stringContaining("error[env_missing]") });
  });

  test("says what a server said that ends instead of answering", async () => {
    await writeFile(join(folder, "broken.mjs"), 'console.error("\\u001b[31mno licence"); process.exit(3);');
    const { exitCode, err } = await runIn(folder, ["init", "--mcp", quoted(process.execPath, "broken.mjs")]);
    expect(exitCode).toBe(1);
    expect(err).toMatch(/^error\[mcp_failed\][^]*no licence/);
    expect(err).not.toContain("\u001b");
  });
});

describe("ambit init --mcp-url", () => {
  let http: HttpServer;
  let url: string;

  beforeEach(async () => {
    http = createServer((request, response) => void answer(request, response));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
  });
  afterEach(() => {
    http.closeAllConnections();
    http.close();
  });

  const answer: Parameters<typeof createServer>[1] & object = async (request, response) => {
    const server = new Server({ name: "parts", version: "1.0.0" }, { capabilities: { tools: {} } });
    server.setRequestHandler(ListToolsRequestSchema, () => ({
      tools: [{ name: "parts.get", description: "Gets a part.", inputSchema: { type: "object" as const } }],
    }));
    const transport = new StreamableHTTPServerTransport({});
    await server.connect(transport as Parameters<typeof server.connect>[0]);
    await transport.handleRequest(request, response);
  };

  test("asks a server over HTTP and pins what it says", async () => {
    expect(await runIn(folder, ["init", "--mcp-url", url, "--server", "parts"])).toMatchObject({ exitCode: 0, err: "" });
    const tools = await writtenTools();
    const pin = definitionDigest({ name: "parts.get", description: "Gets a part.", inputSchema: { type: "object" } });
    expect(tools["parts.get"]?.names).toEqual([
      { name: "parts.get", server: "parts", pin },
      { name: "parts_get", pin: "none" },
    ]);
  });

  test("fails with a message when nobody answers", async () => {
    const { exitCode, err } = await runIn(folder, ["init", "--mcp-url", "http://127.0.0.1:1/mcp"]);
    expect(exitCode).toBe(1);
    expect(err).toMatch(/^error\[mcp_failed\]/);
  });
});
