import { existsSync, readFileSync } from "node:fs";
import { request as ask } from "node:http";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createWorld, type World } from "./support/world.ts";

interface Vector {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly expect: string;
}

const file = fileURLToPath(new URL("../../../../shared/vectors/hostile/mcp-abuse.json", import.meta.url));
const VECTORS = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { readonly vectors: readonly Vector[] }).vectors : [];

/** Asked as they stand: what a gateway has to answer them with. */
const REFUSED: Readonly<Record<string, number>> = {
  "method-mismatch": 400,
  "old-version-with-headers": 400,
  "version-mismatch": 400,
  "name-b64-bad": 400,
  "case-method-key": 400,
  "fold-key": 400,
  batch: 400,
  "id-null": 400,
  "id-object": 400,
  "response-injection": 400,
  "host-evil": 403,
  get: 405,
  "token-in-query": 400,
  utf16: 415,
  "deep-meta": 400,
};
/** What a test of its own is about, below. */
const OWN_TEST = [
  ...["ok", "method-unknown", "id-reuse", "requestState-tampered", "requestState-cross-user", "inputResponses-forged-approval"],
  ...["x-mcp-header-secret", "rug-pull", "cross-tenant-cache", "chunked-oversize", "gzip-bomb", "te-cl"],
];

const vector = (id: string): Vector => VECTORS.find((known) => known.id === id) as Vector;

/** A world whose one client is let in, and may read contacts. */
const open = (): Promise<World> => createWorld({ allowedTools: ["crm.read_contact"], isLetIn: true });

/** Sends a request just as the vector has it. */
function send({ url }: World, { headers, body }: Pick<Vector, "headers" | "body">): Promise<{ readonly status: number; readonly text: string }> {
  const { ":method": method = "POST", ":path": path = url.pathname, ...others } = headers;
  return new Promise((resolve, reject) => {
    const request = ask({ host: url.hostname, port: url.port, method, path, headers: { host: url.host, ...lowered(others) } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const lowered = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

describe.skipIf(VECTORS.length === 0)("known abuses of the protocol", () => {
  it("are each refused as they stand, or have a test of their own", () => {
    expect(VECTORS.map(({ id }) => id).toSorted()).toEqual([...Object.keys(REFUSED), ...OWN_TEST].toSorted());
  });

  it("do not keep a plain call from the upstream (ok)", async () => {
    await using world = await open();
    const { status, text } = await send(world, vector("ok"));
    expect([status, world.crm.reached, world.decisions()]).toEqual([200, [["crm.read_contact", 1]], [["crm.read_contact", "permit"]]]);
    expect((JSON.parse(text) as { result: { isError?: boolean } }).result.isError).toBeFalsy();
  });

  it.each(Object.entries(REFUSED))("%s is answered with %i, and reaches nobody", async (id, status) => {
    await using world = await open();
    const answer = await send(world, vector(id));
    expect(answer.status).toBe(status);
    if (vector(id).expect.includes("-32020")) expect((JSON.parse(answer.text) as { error: { code: number } }).error.code).toBe(-32020);
    expect(world.crm.reached).toEqual([]);
  });

  it("a method that is not known is refused, and on the record (method-unknown)", async () => {
    await using world = await open();
    const { status, text } = await send(world, vector("method-unknown"));
    expect([status, (JSON.parse(text) as { error: { code: number } }).error.code]).toEqual([404, -32601]);
    expect(world.decisions()).toHaveLength(1);
    expect(world.decisions()[0]?.[1]).toBe("tool_unmapped");
  });

  it("an id that the client chose makes no call the repetition of another (id-reuse)", async () => {
    await using world = await open();
    for (let n = 0; n < 3; n += 1) expect((await send(world, vector("id-reuse"))).status).toBe(200);
    expect(world.crm.reached).toHaveLength(3);
    expect(world.decisions()).toHaveLength(3);
  });

  it.each(["requestState-tampered", "requestState-cross-user"])("a state that nobody sealed goes on with nothing (%s)", async (id) => {
    await using world = await open();
    const { text } = await send(world, vector(id));
    expect((JSON.parse(text) as { error: { code: number } }).error.code).toBe(-32602);
    expect(world.crm.reached).toEqual([]);
  });

  it("an answer to what nobody asked has no effect (inputResponses-forged-approval)", async () => {
    await using world = await open();
    await send(world, vector("inputResponses-forged-approval"));
    expect(world.crm.reached).toEqual([["crm.read_contact", 1]]);
    expect(world.crm.answers).toEqual([undefined]);
  });

  it("bodies above the cap and compressed ones are refused before anything is decided (chunked-oversize, gzip-bomb)", async () => {
    await using world = await open();
    const { "Transfer-Encoding": _, ...headers } = vector("chunked-oversize").headers;
    const large = await send(world, { headers: { ...headers, "transfer-encoding": "chunked" }, body: " ".repeat(2_000_000) });
    expect(large.status).toBe(413);
    const bomb = await send(world, { headers: vector("gzip-bomb").headers, body: gzipSync(Buffer.alloc(100_000)).toString("latin1") });
    expect(bomb.status).toBe(415);
    expect([world.crm.reached, world.decisions()]).toEqual([[], []]);
  });

  it("two lengths of one request are refused (te-cl)", async () => {
    await using world = await open();
    const raw = `POST /mcp HTTP/1.1\r\nHost: ${world.url.host}\r\nContent-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    const status = await new Promise<string>((resolve) => {
      const socket = connect(Number(world.url.port), world.url.hostname, () => socket.write(raw));
      socket.once("data", (data) => resolve(data.toString("latin1").split("\r\n", 1)[0] ?? ""));
    });
    expect(status).toContain("400");
    expect(world.crm.reached).toEqual([]);
  });

  it("a tool that mirrors an argument into a header for credentials is none (x-mcp-header-secret)", async () => {
    const { tools } = (JSON.parse(vector("x-mcp-header-secret").body) as { result: { tools: { readonly name: string }[] } }).result;
    await using world = await createWorld({ allowedTools: ["t"], isLetIn: true, crmTools: () => tools });
    const { text } = await send(world, { headers: headersFor("tools/list"), body: bodyFor("tools/list", {}) });
    expect((JSON.parse(text) as { result: { tools: unknown[] } }).result.tools).toEqual([]);
    const called = await send(world, { headers: { ...headersFor("tools/call"), "mcp-name": "t" }, body: bodyFor("tools/call", { name: "t", arguments: {} }) });
    expect(called.text).toContain("isError");
    expect(world.crm.reached).toEqual([]);
  });

  it("a definition that is not the pinned one any more is not called (rug-pull)", async () => {
    const changed = (JSON.parse(vector("rug-pull").body) as { result: { tools: { readonly name: string }[] } }).result.tools;
    await using world = await createWorld({ allowedTools: ["crm.read_contact"], isLetIn: true, isPinned: true, lifetime: 0 });
    expect((await send(world, vector("ok"))).text).not.toContain("isError");
    // The SDK lists no schema without a type.
    world.crm.tools = () => changed.map((tool) => ({ ...tool, inputSchema: { type: "object" } }));
    expect((await send(world, vector("ok"))).text).toContain("tool_changed");
    expect(world.crm.reached).toHaveLength(1);
  });

  it("a list says that it is nobody else's, whatever the upstream says of it (cross-tenant-cache)", async () => {
    await using world = await createWorld({
      allowedTools: ["crm.read_contact"],
      isLetIn: true,
      crmTools: (tools) => tools,
      crmCache: { cacheScope: "public", ttlMs: 86_400_000 },
    });
    const { text } = await send(world, { headers: headersFor("tools/list"), body: bodyFor("tools/list", {}) });
    expect(JSON.parse(text)).toMatchObject({ result: { cacheScope: "private", ttlMs: 0 } });
  });
});

const VERSION = "2026-07-28";
const headersFor = (method: string): Record<string, string> => ({
  "mcp-protocol-version": VERSION,
  "mcp-method": method,
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
});
const bodyFor = (method: string, params: object): string =>
  JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method,
    params: { ...params, _meta: { "io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {} } },
  });
