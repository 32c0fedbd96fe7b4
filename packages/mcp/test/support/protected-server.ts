import type { JsonObject, Pep } from "@ambit/core";
import { expect, vi } from "vitest";
import { protect, protectServer, type McpTransport } from "../../src/index.ts";
import { Pipe } from "./pipe.ts";
import { createServerWorld, createWorld, CRM, type World } from "./world.ts";

export const CALL = { name: "contracts_read", arguments: { customer_id: "c1" } };
/** Where the envelope travels in `_meta`. */
export const KEY = "dev.ambit/presentation";

/** An agent with a signed envelope, and the server's own decision point. */
export async function both(options: Parameters<typeof createWorld>[0] = {}) {
  const world = await createWorld({ isSigned: true, ...options });
  const own = await createServerWorld(world);
  const protection = { pdp: own.pdp, server: "crm", audience: CRM, now: world.now, deadline: 5000 };
  const carrying = <T extends McpTransport>(transport: T, pep: Pep = world.pep): T =>
    protect(pep, { transport, server: "crm", envelope: world.task, carry: CRM, now: world.now });
  return { world, own, protection, carrying };
}

/** What one message carries: the envelope and a proof for it. */
export async function presentationOf(world: World, call: { readonly name: string; readonly arguments: object }, audience = CRM): Promise<JsonObject> {
  const pipe = new Pipe();
  const transport = protect(world.pep, { transport: pipe, server: "crm", envelope: world.task, carry: audience, now: world.now });
  await transport.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: call });
  const { params } = pipe.sent.at(-1) as { readonly params: { readonly _meta: JsonObject } };
  return params._meta[KEY] as JsonObject;
}

/** A protected server without an SDK at its other end: the test is the client, and may be a hostile one. */
export async function connectRaw(options: Parameters<typeof createWorld>[0] = {}) {
  const { world, own, protection } = await both(options);
  const pipe = new Pipe();
  const transport = protectServer(pipe, protection);
  const reached: Record<string, unknown>[] = [];
  const errors: Error[] = [];
  transport.onmessage = (message) => void reached.push(message as Record<string, unknown>);
  transport.onerror = (error) => void errors.push(error);
  await transport.start();
  const send = (message: object): void => pipe.onmessage?.({ jsonrpc: "2.0", ...message });
  const call = (id: unknown, presentation: unknown, params: object = CALL): void =>
    send({ id, method: "tools/call", params: { ...params, _meta: { [KEY]: presentation } } });
  const answered = async (count: number): Promise<readonly Record<string, unknown>[]> => {
    await vi.waitFor(() => expect(pipe.sent).toHaveLength(count));
    return pipe.sent;
  };
  return { world, own, pipe, transport, reached, errors, send, call, answered };
}
