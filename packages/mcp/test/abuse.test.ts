import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { protect, protectServer, type McpTransport } from "../src/index.ts";
import { Pipe } from "./support/pipe.ts";
import { createServerWorld, createWorld, CRM } from "./support/world.ts";

interface Vector {
  readonly id: string;
  readonly body: string;
}

const file = fileURLToPath(new URL("../../../../shared/vectors/hostile/mcp-abuse.json", import.meta.url));
const VECTORS = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { readonly vectors: readonly Vector[] }).vectors : [];
const ALLOWED = "crm.read_contact";

/** Messages of a client that are refused whatever the envelope allows. */
const REFUSED: ReadonlySet<string> = new Set([
  "case-method-key",
  "fold-key",
  "batch",
  "id-null",
  "id-object",
  "method-unknown",
  "response-injection",
  "requestState-tampered",
  "requestState-cross-user",
  "inputResponses-forged-approval",
  "deep-meta",
]);

/** What a test of its own is about, below. */
const OWN_TEST: ReadonlySet<string> = new Set(["ok", "id-reuse", "rug-pull", "cross-tenant-cache", "x-mcp-header-secret"]);

/** What no message shows, because it is refused, or not, before there is one. */
const BELOW: Readonly<Record<string, string>> = {
  "method-mismatch": "headers: those of SDK 2 are made from the message that goes on, and a server compares them",
  "old-version-with-headers": "headers: nothing is decided by them",
  "version-mismatch": "headers: nothing is decided by them, and a server compares them",
  "name-b64-bad": "headers: nothing is decided by them, and a server compares them",
  "host-evil": "HTTP: the server's to refuse",
  get: "HTTP: the server's to refuse",
  "token-in-query": "HTTP: the server's to refuse; an envelope travels in the message",
  "chunked-oversize": "HTTP: bounded by whoever reads the body; arguments above the bounds of core are refused",
  "gzip-bomb": "HTTP: bounded by whoever reads the body",
  "te-cl": "HTTP: the server's to refuse",
  utf16: "HTTP: the server's to refuse",
};

const bodyOf = (id: string): unknown => JSON.parse(VECTORS.find((vector) => vector.id === id)?.body ?? "null");

async function client() {
  const world = await createWorld({ allowedTools: [ALLOWED] });
  const pipe = new Pipe();
  const transport = protect(world.pep, { transport: pipe, server: "crm", envelope: world.task, now: world.now });
  return { world, pipe, ...(await opened(transport)) };
}

async function opened<T extends McpTransport>(transport: T) {
  const received: Record<string, unknown>[] = [];
  const errors: Error[] = [];
  transport.onmessage = (message) => void received.push(message as Record<string, unknown>);
  transport.onerror = (error) => void errors.push(error);
  await transport.start();
  return { transport, received, errors };
}

const send = (transport: McpTransport, message: unknown): Promise<void> => (transport.send as (message: unknown) => Promise<void>)(message);

describe.skipIf(VECTORS.length === 0)("known abuses of the protocol", () => {
  it("are each refused here, have a test of their own, or are told where they are refused", () => {
    const known = [...REFUSED, ...OWN_TEST, ...Object.keys(BELOW)];
    expect(VECTORS.map(({ id }) => id).toSorted()).toEqual(known.toSorted());
  });

  it("do not keep a plain call from the server (ok)", async () => {
    const { world, pipe, transport } = await client();
    await send(transport, bodyOf("ok"));
    expect(pipe.sent).toEqual([bodyOf("ok")]);
    expect(world.decisions()).toEqual([[ALLOWED, "permit"]]);
  });

  it.each([...REFUSED])("never reach a server from a protected client: %s", async (id) => {
    const { pipe, transport, received } = await client();
    const wasThrown = await send(transport, bodyOf(id)).then(
      () => false,
      () => true,
    );
    expect(pipe.sent).toEqual([]);
    expect(wasThrown || received.some(({ error }) => error !== undefined)).toBe(true);
  });

  it.each([...REFUSED, "ok"])("never reach a protected server without an envelope: %s", async (id) => {
    const world = await createWorld({ isSigned: true });
    const { pdp } = await createServerWorld(world);
    const pipe = new Pipe();
    const { received, errors } = await opened(protectServer(pipe, { pdp, server: "crm", audience: CRM, now: world.now }));
    pipe.onmessage?.(bodyOf(id));
    if (id === "response-injection") {
      // An answer to what the server asked, which is for the server to match; it runs nothing.
      expect(received).toEqual([bodyOf(id)]);
      return;
    }
    await vi.waitFor(() => expect(pipe.sent.length + errors.length).toBe(1));
    expect(received).toEqual([]);
  });

  it("do not make two calls one by their id (id-reuse)", async () => {
    const { world, pipe, transport } = await client();
    await send(transport, bodyOf("id-reuse"));
    await expect(send(transport, bodyOf("id-reuse"))).rejects.toMatchObject({ code: "option_invalid" });
    pipe.onmessage?.({ jsonrpc: "2.0", id: 1, result: { content: [] } });
    await vi.waitFor(() => expect(world.outcomes()).toEqual(["done"]));
    await send(transport, bodyOf("id-reuse"));
    expect(world.decisions()).toHaveLength(2);
  });

  it.each(["rug-pull", "x-mcp-header-secret"])("do not show or run a tool by a definition that is not the pinned one: %s", async (id) => {
    const { tools } = (bodyOf(id) as { readonly result: { readonly tools: readonly { readonly name: string }[] } }).result;
    const world = await createWorld({ pins: { [ALLOWED]: `sha-256:${"A".repeat(43)}` }, allowedTools: [ALLOWED] });
    const pipe = new Pipe();
    const { transport, received } = await opened(protect(world.pep, { transport: pipe, server: "crm", envelope: world.task, now: world.now }));
    await send(transport, { jsonrpc: "2.0", id: 2, method: "tools/list" });
    pipe.onmessage?.({ ...(bodyOf(id) as object), id: 2 });
    await vi.waitFor(() => expect(received).toHaveLength(1));
    const [{ result }] = received as unknown as [{ readonly result: { readonly tools: readonly unknown[] } }];
    // A tool of another name is none that the envelope allows; that of the right name is refused when it is called.
    expect(result.tools).toEqual(tools.filter(({ name }) => name === ALLOWED));
    pipe.sent.length = 0;
    for (const { name } of tools) await send(transport, { jsonrpc: "2.0", id: name, method: "tools/call", params: { name, arguments: {} } });
    expect(pipe.sent).toEqual([]);
    expect(world.decisions()).toEqual(tools.map(({ name }) => (name === ALLOWED ? [ALLOWED, "tool_changed"] : [name, "tool_unmapped"])));
  });

  it("leave no list for a cache to share (cross-tenant-cache)", async () => {
    const { pipe, transport, received } = await client();
    await send(transport, { jsonrpc: "2.0", id: 1, method: "tools/list" });
    pipe.onmessage?.(bodyOf("cross-tenant-cache"));
    await vi.waitFor(() => expect(received).toMatchObject([{ id: 1, result: { cacheScope: "private", ttlMs: 0 } }]));
  });
});
