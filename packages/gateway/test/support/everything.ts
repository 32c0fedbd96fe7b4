import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { getRequestListener } from "@hono/node-server";
import {
  acceptedContent,
  completable,
  createMcpHandler,
  createRequestStateCodec,
  hostHeaderValidationResponse,
  inputRequired,
  isLegacyRequest,
  localhostAllowedHostnames,
  McpServer,
  ResourceTemplate,
  WebStandardStreamableHTTPServerTransport,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";
const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] });
const name = { type: "object", properties: { name: { type: "string" } }, required: ["name"] } as const;
const states = createRequestStateCodec<{ readonly step: number }>({ key: new Uint8Array(32).fill(7) });

/** What the conformance suite of MCP asks of a server, for both of its revisions; written for the suite, and for nothing else. */
function everything(): McpServer {
  const server = new McpServer(
    { name: "everything", version: "1.0.0" },
    {
      capabilities: { logging: {}, resources: { subscribe: true }, completions: {} },
      requestState: { verify: states.verify },
      cacheHints: { "tools/list": { ttlMs: 1000, cacheScope: "public" } },
    },
  );
  contents(server);
  unfinished(server);
  asking(server);
  silent(server);
  resourcesAndPrompts(server);
  return server;
}

function contents(server: McpServer): void {
  const tool = (called: string, description: string, content: readonly object[]): unknown =>
    server.registerTool(called, { description, inputSchema: z.object({}) }, () => ({ content: content as never }));
  const resource = (uri: string, mimeType: string, body: string) => ({ type: "resource", resource: { uri, mimeType, text: body } });
  tool("test_simple_text", "Says something.", [{ type: "text", text: "This is a simple text response for testing." }]);
  tool("test_image_content", "Shows something.", [{ type: "image", data: PNG, mimeType: "image/png" }]);
  tool("test_audio_content", "Plays something.", [{ type: "audio", data: WAV, mimeType: "audio/wav" }]);
  tool("test_embedded_resource", "Gives something.", [resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")]);
  tool("test_multiple_content_types", "Does all of it.", [
    { type: "text", text: "Multiple content types test:" },
    { type: "image", data: PNG, mimeType: "image/png" },
    resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
  ]);
  server.registerTool("test_error_handling", { description: "Fails.", inputSchema: z.object({}) }, () => ({
    isError: true,
    ...text("This tool intentionally returns an error for testing"),
  }));
}

function unfinished(server: McpServer): void {
  server.registerTool("test_tool_with_logging", { description: "Logs.", inputSchema: z.object({}) }, async (_, { mcpReq }) => {
    for (const said of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
      await mcpReq.notify({ method: "notifications/message", params: { level: "info", data: said } });
      await wait(50);
    }
    return text("logged");
  });
  server.registerTool("test_tool_with_progress", { description: "Takes its time.", inputSchema: z.object({}) }, async (_, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
      await wait(50);
    }
    return text("done");
  });
  const elicit = async ({ mcpReq }: ServerContext, message: string, properties: object, required: readonly string[], said: (answer: string) => string) => {
    const answer = await mcpReq.elicitInput({ message, requestedSchema: { type: "object", properties, required } as never });
    return text(said(`action=${answer.action}, content=${JSON.stringify(answer.content)}`));
  };
  server.registerTool("test_sampling", { description: "Asks a model.", inputSchema: z.object({ prompt: z.string() }) }, async ({ prompt }, { mcpReq }) => {
    const answer = await mcpReq.requestSampling({ messages: [{ role: "user", content: { type: "text", text: prompt } }], maxTokens: 100 });
    return text(`LLM response: ${JSON.stringify(answer.content)}`);
  });
  server.registerTool("test_elicitation", { description: "Asks a person.", inputSchema: z.object({ message: z.string() }) }, ({ message }, context) => {
    const field = (description: string) => ({ type: "string", description });
    const fields = { username: field("User's response"), email: field("User's email address") };
    return elicit(context, message, fields, ["username", "email"], (answer) => `User response: ${answer}`);
  });
  server.registerTool("test_elicitation_sep1034_defaults", { description: "Asks with defaults.", inputSchema: z.object({}) }, (_, context) =>
    elicit(
      context,
      "Please confirm",
      {
        name: { type: "string", default: "John Doe" },
        age: { type: "integer", default: 30 },
        score: { type: "number", default: 95.5 },
        status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
        verified: { type: "boolean", default: true },
      },
      [],
      (answer) => `Elicitation completed: ${answer}`,
    ),
  );
  const [options, titled] = [
    ["option1", "option2", "option3"],
    (of: string) => [1, 2, 3].map((n) => ({ const: `value${n}`, title: `${["First", "Second", "Third"][n - 1]} ${of}` })),
  ];
  server.registerTool("test_elicitation_sep1330_enums", { description: "Asks with choices.", inputSchema: z.object({}) }, (_, context) =>
    elicit(
      context,
      "Please choose",
      {
        untitledSingle: { type: "string", enum: options },
        titledSingle: { type: "string", oneOf: titled("Option") },
        legacyEnum: { type: "string", enum: ["opt1", "opt2", "opt3"], enumNames: ["Option One", "Option Two", "Option Three"] },
        untitledMulti: { type: "array", items: { type: "string", enum: options } },
        titledMulti: { type: "array", items: { anyOf: titled("Choice") } },
      },
      [],
      (answer) => `Elicitation completed: ${answer}`,
    ),
  );
}

/** Tools that need another round. */
function asking(server: McpServer): void {
  const tool = (called: string, run: (context: ServerContext) => unknown): unknown =>
    server.registerTool(called, { description: "Needs more.", inputSchema: z.object({}) }, (_, context) => run(context) as never);
  const ask = (message: string, properties: object, required: string[]) =>
    inputRequired.elicit({ message, requestedSchema: { type: "object", properties, required } as never });
  const whoAreYou = () => inputRequired.elicit({ message: "What is your name?", requestedSchema: name as never });
  const sample = (question: string, maxTokens: number) =>
    inputRequired.createMessage({ messages: [{ role: "user", content: { type: "text", text: question } }], maxTokens });
  const answersOf = ({ mcpReq }: ServerContext): Record<string, unknown> => (mcpReq.inputResponses ?? {}) as Record<string, unknown>;

  tool("test_input_required_result_elicitation", (context) => {
    const answer = acceptedContent<{ readonly name: string }>(context.mcpReq.inputResponses, "user_name");
    return typeof answer?.name === "string" ? text(`Hello, ${answer.name}!`) : inputRequired({ inputRequests: { user_name: whoAreYou() } });
  });
  tool("test_input_required_result_sampling", (context) => {
    const { capital_question: answer } = answersOf(context);
    return answer === undefined
      ? inputRequired({ inputRequests: { capital_question: sample("What is the capital of France?", 100) } })
      : text(JSON.stringify(answer));
  });
  tool("test_input_required_result_list_roots", (context) => {
    const { client_roots: answer } = answersOf(context);
    return answer === undefined ? inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } }) : text(JSON.stringify(answer));
  });
  tool("test_input_required_result_request_state", async (context) =>
    answersOf(context)["confirm"] === undefined
      ? inputRequired({ inputRequests: { confirm: ask("Please confirm", { ok: { type: "boolean" } }, ["ok"]) }, requestState: await states.mint({ step: 1 }) })
      : text("state-ok"),
  );
  tool("test_input_required_result_tampered_state", async (context) =>
    answersOf(context)["confirm"] === undefined
      ? inputRequired({ inputRequests: { confirm: ask("Please confirm", { ok: { type: "boolean" } }, ["ok"]) }, requestState: await states.mint({ step: 1 }) })
      : text("state-ok"),
  );
  tool("test_input_required_result_multiple_inputs", async (context) => {
    const { user_name, greeting, client_roots } = answersOf(context);
    if (user_name !== undefined && greeting !== undefined && client_roots !== undefined) return text("all of it");
    const inputRequests = { user_name: whoAreYou(), greeting: sample("Generate a greeting", 50), client_roots: inputRequired.listRoots() };
    return inputRequired({ inputRequests, requestState: await states.mint({ step: 1 }) });
  });
  tool("test_input_required_result_multi_round", async (context) => {
    const { step1, step2 } = answersOf(context);
    if (step2 !== undefined) return text("after two rounds");
    if (step1 === undefined)
      return inputRequired({
        inputRequests: { step1: inputRequired.elicit({ message: "Step 1: What is your name?", requestedSchema: name as never }) },
        requestState: await states.mint({ step: 1 }),
      });
    const step2Request = ask("Step 2: What is your favorite color?", { color: { type: "string" } }, ["color"]);
    return inputRequired({ inputRequests: { step2: step2Request }, requestState: await states.mint({ step: 2 }) });
  });
  tool("test_input_required_result_capabilities", (context) => {
    const declared = ((context.mcpReq.envelope as Record<string, unknown> | undefined)?.["io.modelcontextprotocol/clientCapabilities"] ?? {}) as Record<
      string,
      unknown
    >;
    const inputRequests = {
      ...(declared["elicitation"] === undefined ? {} : { user_name: whoAreYou() }),
      ...(declared["sampling"] === undefined ? {} : { greeting: sample("Generate a greeting", 50) }),
    };
    return Object.keys(inputRequests).length === 0 ? text("nobody to ask") : inputRequired({ inputRequests });
  });
  tool("test_missing_capability", () => inputRequired({ inputRequests: { greeting: sample("Generate a greeting", 50) } }));
}

/** What must not be said or asked on the stream of a request. */
function silent(server: McpServer): void {
  const logging = { description: "Logs where the request says so.", inputSchema: z.object({}) };
  server.registerTool("test_logging_tool", logging, async (_, { mcpReq }) => {
    await mcpReq.log("info", "a line");
    return text("logged");
  });
  const streaming = { description: "Asks in its answer.", inputSchema: z.object({}) };
  server.registerTool("test_streaming_elicitation", streaming, (_, { mcpReq }) =>
    mcpReq.inputResponses?.["name"] === undefined
      ? inputRequired({ inputRequests: { name: inputRequired.elicit({ message: "What is your name?", requestedSchema: name as never }) } })
      : text("thank you"),
  );
}

function resourcesAndPrompts(server: McpServer): void {
  const said = (uri: string, body: string, mimeType = "text/plain") => ({ contents: [{ uri, mimeType, text: body }] });
  const about = (description: string, mimeType: string) => ({ description, mimeType });
  server.registerResource("static-text", "test://static-text", about("A text.", "text/plain"), ({ href }) =>
    said(href, "This is the content of the static text resource."),
  );
  server.registerResource("static-binary", "test://static-binary", about("An image.", "image/png"), ({ href }) => ({
    contents: [{ uri: href, mimeType: "image/png", blob: PNG }],
  }));
  server.registerResource("watched", "test://watched-resource", about("Watched.", "text/plain"), ({ href }) => said(href, "watched"));
  const template = new ResourceTemplate("test://template/{id}/data", { list: undefined });
  server.registerResource("template", template, about("By id.", "application/json"), ({ href }, { id }) =>
    said(href, JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }), "application/json"),
  );
  const subscription = z.looseObject({ uri: z.string() });
  for (const method of ["resources/subscribe", "resources/unsubscribe"] as const)
    server.server.setRequestHandler(method, { params: subscription, result: z.looseObject({}) } as never, (() => ({})) as never);

  const user = (content: object) => ({ role: "user" as const, content: content as never });
  server.registerPrompt("test_simple_prompt", { description: "Simple." }, () => ({
    messages: [user({ type: "text", text: "This is a simple prompt for testing." })],
  }));
  const cities = (value: string): string[] => ["paris", "park", "party"].filter((city) => city.startsWith(value));
  server.registerPrompt(
    "test_prompt_with_arguments",
    { description: "With arguments.", argsSchema: z.object({ arg1: completable(z.string(), cities), arg2: z.string() }) },
    ({ arg1, arg2 }) => ({ messages: [user({ type: "text", text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` })] }),
  );
  server.registerPrompt(
    "test_prompt_with_embedded_resource",
    { description: "With a resource.", argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        user({ type: "resource", resource: { uri: resourceUri, mimeType: "text/plain", text: "Embedded resource content for testing." } }),
        user({ type: "text", text: "Please process the embedded resource above." }),
      ],
    }),
  );
  server.registerPrompt("test_prompt_with_image", { description: "With an image." }, () => ({
    messages: [user({ type: "image", data: PNG, mimeType: "image/png" }), user({ type: "text", text: "Please analyze the image above." })],
  }));
  server.registerPrompt("test_input_required_result_prompt", { description: "Needs more." }, ((context: ServerContext) => {
    const answer = acceptedContent<{ readonly context: string }>(context.mcpReq.inputResponses, "user_context");
    const schema = { type: "object", properties: { context: { type: "string" } }, required: ["context"] };
    return answer === undefined
      ? inputRequired({
          inputRequests: { user_context: inputRequired.elicit({ message: "What context should the prompt use?", requestedSchema: schema as never }) },
        })
      : { messages: [user({ type: "text", text: `In the context of ${answer.context}` })] };
  }) as never);
}

/** Serves it over HTTP in both revisions: in sessions, and without. */
export async function startEverything() {
  const stateless = createMcpHandler(everything, { legacy: "reject" });
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();
  const inSession = async (request: Request): Promise<Response> => {
    const known = sessions.get(request.headers.get("mcp-session-id") ?? "");
    if (known !== undefined) return known.handleRequest(request);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await everything().connect(transport);
    return transport.handleRequest(request);
  };
  const http = createServer(
    getRequestListener(
      async (request) =>
        hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
        ((await isLegacyRequest(request)) ? inSession(request) : stateless.fetch(request)),
      { overrideGlobalObjects: false },
    ),
  );
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    await Promise.all([stateless.close(), ...[...sessions.values()].map((transport) => transport.close())]);
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  };
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, close };
}
