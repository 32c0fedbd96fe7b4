import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Outcome, Pep } from "@ambit/core";
import { describe, expect, it, vi } from "vitest";
import { protect } from "../src/index.ts";
import { refusalIn } from "./support/crm.ts";
import { deny, enforcement, fakePdp, limitRecords, permit } from "./support/fake-pdp.ts";
import { call, connectPipe, Pipe } from "./support/pipe.ts";

const RESULT = { content: [{ type: "text", text: "{}" }] };
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe("what the client sends", () => {
  it("is one message: a batch is refused whole", async () => {
    const { transport, pipe } = await connectPipe(fakePdp());
    await expect(transport.send([{ jsonrpc: "2.0", ...call(1) }])).rejects.toMatchObject({ code: "option_invalid" });
    expect(pipe.sent).toEqual([]);
  });

  it.each([
    ["nothing", undefined],
    ["text", '{"jsonrpc":"2.0","method":"ping","id":1}'],
    ["no version", { id: 1, method: "ping" }],
    ["an id that is null", { jsonrpc: "2.0", id: null, method: "tools/call" }],
    ["an id that is an object", { jsonrpc: "2.0", id: {}, method: "tools/call" }],
    ["an id that is half a number", { jsonrpc: "2.0", id: 1.5, method: "ping" }],
    ["a request that is a response as well", { jsonrpc: "2.0", id: 1, method: "ping", result: {} }],
    ["a response that is two", { jsonrpc: "2.0", id: 1, result: {}, error: {} }],
    ["a member that a careless reader takes for another", { jsonrpc: "2.0", id: 1, method: "ping", Method: "tools/call" }],
    ["what cannot be written down", { jsonrpc: "2.0", id: 1, method: "ping", params: { n: 1n } }],
  ])("is refused when it is %s", async (_, message) => {
    const { transport, pipe } = await connectPipe(fakePdp());
    await expect(transport.send(message)).rejects.toMatchObject({ code: "option_invalid" });
    expect(pipe.sent).toEqual([]);
  });

  it("is what its wire form says, once", async () => {
    const { transport, pipe, received } = await connectPipe(fakePdp({ decide: async () => deny() }));
    const asked: string[] = [];
    await transport.send({ jsonrpc: "2.0", id: 1, method: "ping", toJSON: () => ({ jsonrpc: "2.0", ...call(1) }) });
    await transport.send({
      jsonrpc: "2.0",
      id: 2,
      get method() {
        asked.push("method");
        return asked.length === 1 ? "tools/call" : "ping";
      },
      params: { name: "contracts_read" },
    });
    expect(received.map(({ result }) => refusalIn(result).code)).toEqual(["policy_denied", "policy_denied"]);
    expect(pipe.sent).toEqual([]);
  });

  it("is refused when a call hides beside its arguments", async () => {
    const pdp = fakePdp();
    const { pipe, received, send } = await connectPipe(pdp);
    const hidden = { task: { ttl: 1 }, inputResponses: { approve: { action: "accept" } }, requestState: "AAAA", Name: "contracts_delete", Arguments: {} };
    let id = 0;
    for (const [member, value] of Object.entries(hidden)) {
      await send({ id: ++id, method: "tools/call", params: { name: "contracts_read", arguments: {}, [member]: value } });
    }
    await send({ id: ++id, method: "tools/call" });
    await send({ id: ++id, method: "tools/call", params: { name: ["contracts_read"] } });
    expect(received.map(({ error }) => (error as { readonly code: number }).code)).toEqual(Array.from({ length: 7 }, () => -32010));
    expect(pipe.sent).toEqual([]);
    const names = Object.keys(hidden).map(() => "contracts_read (with more than a name and arguments)");
    expect(pdp.asked.map(({ action }) => action.name)).toEqual([...names, ...["", ""].map(() => "tools/call (without the name of a tool)")]);
    expect(pdp.settled.map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => "not_run"));
  });

  it("is no call without an id", async () => {
    const { pipe, send } = await connectPipe(fakePdp());
    await expect(send({ method: "tools/call", params: { name: "contracts_read" } })).rejects.toMatchObject({ code: "tool_unmapped" });
    await expect(send({ method: "notifications/acme" })).rejects.toMatchObject({ code: "tool_unmapped" });
    expect(pipe.sent).toEqual([]);
  });

  it("has an id that no waiting request has", async () => {
    const { pipe, send } = await connectPipe(fakePdp());
    await send(call(1));
    await expect(send({ id: 1, method: "ping" })).rejects.toMatchObject({ code: "option_invalid" });
    await send({ id: "1", method: "ping" });
    expect(pipe.sent.map(({ id }) => id)).toEqual([1, "1"]);
  });

  it("is decided again under an id that was used before", async () => {
    const pdp = fakePdp();
    const { answer, send, received } = await connectPipe(pdp);
    for (const _ of [1, 2]) {
      await send(call(1));
      answer({ id: 1, result: RESULT });
      await settle();
    }
    expect(received).toHaveLength(2);
    expect(new Set(pdp.asked.map(({ context }) => context.call_id)).size).toBe(2);
  });

  it("keeps the metadata of a call and the options of the transport", async () => {
    const { transport, pipe, send } = await connectPipe(fakePdp());
    const forwarded = vi.spyOn(pipe, "send");
    const headers = { headers: { "Mcp-Param-Id": "1" } };
    await send({ id: 1, method: "tools/call", params: { name: "contracts_read", _meta: { progressToken: 1 } } }, headers);
    const request = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "contracts_read", arguments: {}, _meta: { progressToken: 1 } } };
    expect(forwarded.mock.calls.at(-1)).toEqual([request, headers]);
    expect(transport.started).toBe(1);
  });

  it("answers the server only where the server has asked", async () => {
    const { pipe, answer, send, received } = await connectPipe(fakePdp());
    await expect(send({ id: 7, result: { stolen: true } })).rejects.toMatchObject({ code: "option_invalid" });
    answer({ id: 7, method: "ping" });
    expect(received).toEqual([{ jsonrpc: "2.0", id: 7, method: "ping" }]);
    await send({ id: 7, result: {} });
    await expect(send({ id: 7, result: {} })).rejects.toMatchObject({ code: "option_invalid" });
    answer({ id: 8, method: "ping" });
    pipe.onclose?.();
    await expect(send({ id: 8, result: {} })).rejects.toMatchObject({ code: "option_invalid" });
    expect(pipe.sent).toEqual([{ jsonrpc: "2.0", id: 7, result: {} }]);
  });

  const file = fileURLToPath(new URL("../../../../shared/vectors/hostile/mcp-abuse.json", import.meta.url));
  const ids = new Set([
    "case-method-key",
    "fold-key",
    "batch",
    "id-null",
    "id-object",
    "method-unknown",
    "response-injection",
    "requestState-tampered",
    "inputResponses-forged-approval",
  ]);
  const vectors = existsSync(file)
    ? (JSON.parse(readFileSync(file, "utf8")) as { readonly vectors: readonly { readonly id: string; readonly body: string }[] }).vectors.filter(({ id }) =>
        ids.has(id),
      )
    : [];

  it.skipIf(vectors.length === 0)("never reaches the server when it is one of the known abuses", async () => {
    const outcomes: unknown[] = [];
    for (const { id, body } of vectors) {
      const { transport, pipe, received } = await connectPipe(fakePdp());
      const wasThrown = await transport.send(JSON.parse(body)).then(
        () => false,
        () => true,
      );
      outcomes.push({ id, isRefused: wasThrown || received.some(({ error }) => error !== undefined), sent: pipe.sent });
    }
    expect(outcomes).toEqual([...ids].map((id) => ({ id, isRefused: true, sent: [] })));
  });
});

describe("a call that is given up", () => {
  it("while it is decided is never sent", async () => {
    let decided = (): void => undefined;
    const pdp = fakePdp({ redeem: () => new Promise((resolve) => (decided = () => resolve({ redeemed: true, receipt: "receipt_1" }))) });
    const { pipe, received, send } = await connectPipe(pdp);
    const sending = send(call(1));
    await vi.waitFor(() => expect(pdp.asked).toHaveLength(1));
    await send({ method: "notifications/cancelled", params: { requestId: 1 } });
    decided();
    await sending;
    expect(pipe.sent.map(({ method }) => method)).toEqual(["notifications/cancelled"]);
    expect(received).toEqual([]);
    expect(pdp.settled.map(({ status }) => status)).toEqual(["not_run"]);
  });

  it("and permitted all the same is not sent, and gives back what was reserved", async () => {
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const pipe = new Pipe();
    const unhurried: Pep = { ...pep, admit: ({ signal: _, ...rest }) => pep.admit(rest) };
    const transport = protect(unhurried, { transport: pipe, server: "crm", envelope: task });
    const sending = transport.send({ jsonrpc: "2.0", ...call(1) });
    await Promise.all([transport.close(), sending]);
    expect(pipe.sent).toEqual([]);
    expect(pdp.settled.map(({ status }) => status)).toEqual(["not_run"]);
  });

  it("by closing is recorded before the transport counts as closed", async () => {
    const recorded: string[] = [];
    const settled = async ({ status }: Outcome): Promise<{ readonly recorded: true }> => {
      await settle();
      recorded.push(status);
      return { recorded: true };
    };
    const { transport, send } = await connectPipe(fakePdp({ settle: settled }));
    await send(call(1));
    await transport.close();
    expect(recorded).toEqual(["unknown"]);
  });

  it("while its envelope is looked up is not even asked about", async () => {
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const pipe = new Pipe();
    let found = (): void => undefined;
    const transport = protect(pep, { transport: pipe, server: "crm", envelope: () => new Promise((resolve) => (found = () => resolve(task))) });
    const sending = transport.send({ jsonrpc: "2.0", ...call(1) });
    await transport.close();
    found();
    await sending;
    expect(pdp.asked).toEqual([]);
    expect(pipe.sent).toEqual([]);
  });

  it.each(["requestSignal", "signal"])("by the `%s` of its transport has an unknown outcome", async (option) => {
    const pdp = fakePdp();
    const { answer, received, errors, send } = await connectPipe(pdp);
    const giveUp = new AbortController();
    await send(call(1), { [option]: giveUp.signal });
    giveUp.abort();
    await settle();
    expect(pdp.settled.map(({ status }) => status)).toEqual(["unknown"]);
    answer({ id: 1, result: RESULT });
    await settle();
    expect(received).toEqual([]);
    expect(errors).toHaveLength(1);
  });

  it("before it is sent is not sent", async () => {
    const pdp = fakePdp();
    const { pipe, send } = await connectPipe(pdp);
    await send(call(1), { signal: AbortSignal.abort() });
    expect(pdp.asked).toEqual([]);
    expect(pipe.sent).toEqual([]);
  });

  it("by a transport that fails has an unknown outcome, and the failure is the client's to see", async () => {
    const pdp = fakePdp();
    const { pipe, send } = await connectPipe(pdp);
    pipe.failure = new Error("connection reset");
    await expect(send(call(1))).rejects.toBe(pipe.failure);
    expect(pdp.settled.map(({ status }) => status)).toEqual(["unknown"]);
  });

  it("under another id than the cancelled one goes on", async () => {
    const pdp = fakePdp();
    const { answer, received, send } = await connectPipe(pdp);
    await send(call(1));
    await send({ method: "notifications/cancelled", params: { requestId: "1" } });
    answer({ id: 1, result: RESULT });
    await settle();
    expect(received).toHaveLength(1);
    expect(pdp.settled.map(({ status }) => status)).toEqual(["done"]);
  });
});

describe("what the server sends", () => {
  it("under an id that nobody asked with is left out", async () => {
    const { answer, received, errors, send } = await connectPipe(fakePdp({ decide: async () => permit(limitRecords(0)) }));
    await send(call(1));
    const records = { structuredContent: { records: [{ id: "contract_1" }] }, content: [] };
    for (const id of ["1", 2, 1.5, null, [1], true]) answer({ id, result: records });
    answer({ result: records });
    await settle();
    expect(received).toEqual([]);
    expect(errors).toHaveLength(7);
  });

  it("before a call is decided is no answer to it", async () => {
    const pdp = fakePdp({ decide: () => new Promise((resolve) => setTimeout(() => resolve(deny()), 50)) });
    const { answer, received, errors, send } = await connectPipe(pdp);
    const sending = send(call(1));
    answer({ id: 1, result: { content: [{ type: "text", text: "guessed" }] } });
    await sending;
    expect(errors).toHaveLength(1);
    expect(received.map(({ result }) => refusalIn(result).code)).toEqual(["policy_denied"]);
  });

  it("a second time is left out", async () => {
    const pdp = fakePdp();
    const { answer, received, errors, send } = await connectPipe(pdp);
    await send(call(1));
    answer({ id: 1, result: RESULT });
    answer({ id: 1, result: { content: [{ type: "text", text: "again" }] } });
    await settle();
    expect(received.map(({ result }) => result)).toEqual([RESULT]);
    expect(errors).toHaveLength(1);
    expect(pdp.settled).toHaveLength(1);
  });

  it("as a batch, or as what is no JSON-RPC message, is left out", async () => {
    const { pipe, received, errors, send } = await connectPipe(fakePdp());
    await send(call(1));
    pipe.onmessage?.([{ jsonrpc: "2.0", id: 1, result: RESULT }]);
    pipe.onmessage?.({ jsonrpc: "2.0", id: 1, result: RESULT, error: {} });
    pipe.onmessage?.({ jsonrpc: "2.0", id: 1, result: RESULT, method: "sampling/createMessage" });
    pipe.onmessage?.("{}");
    await settle();
    expect(received).toEqual([]);
    expect(errors).toHaveLength(4);
  });

  it("as a demand for more instead of a result is refused, and the outcome is unknown", async () => {
    const pdp = fakePdp();
    const { answer, received, send } = await connectPipe(pdp);
    const _meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };
    await send({ id: 1, method: "tools/call", params: { name: "contracts_read", _meta } });
    answer({ id: 1, result: { resultType: "input_required", inputRequests: { a: { method: "elicitation/create", params: { message: "password?" } } } } });
    await settle();
    expect(received).toMatchObject([{ id: 1, result: { resultType: "complete", isError: true } }]);
    expect(refusalIn(received[0]?.["result"])).toMatchObject({ code: "tool_unmapped", decisionId: "dec_permit" });
    expect(JSON.stringify(received)).not.toContain("password");
    expect(pdp.settled.map(({ status }) => status)).toEqual(["unknown"]);
  });

  describe("while the result of a call must be checked", () => {
    const secret = { customer_id: "cust_2", salary: 99_999 };
    const tokens = ["checked", "open"];

    async function connectBoth() {
      const pdp = fakePdp({ decide: async ({ action }) => (action.name === "checked" ? permit(limitRecords(1)) : permit()) });
      const pipe = await connectPipe(pdp);
      for (const name of tokens) await pipe.send({ id: name, method: "tools/call", params: { name, _meta: { progressToken: name } } });
      return pipe;
    }

    it("is of its progress, and of that of any other call, no more than numbers", async () => {
      const { answer, received } = await connectBoth();
      for (const progressToken of tokens) {
        const params = { progressToken, progress: 1, total: "cust_2", message: "cust_2", data: secret, _meta: secret, salary: 99_999 };
        answer({ method: "notifications/progress", params });
      }
      expect(received).toEqual(tokens.map((progressToken) => ({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken, progress: 1 } })));
    });

    it("is no log message and nothing else that carries data; that a list has changed is told without it", async () => {
      const { answer, received } = await connectBoth();
      answer({ method: "notifications/message", params: { level: "info", data: secret } });
      answer({ method: "notifications/resources/updated", params: { uri: "crm://cust_2" } });
      answer({ method: "notifications/cust_2" });
      answer({ method: "notifications/tools/list_changed", params: { _meta: secret } });
      expect(received).toEqual([{ jsonrpc: "2.0", method: "notifications/tools/list_changed" }]);
    });

    it("is shown again when that call is over", async () => {
      const { answer, received } = await connectBoth();
      answer({ id: "checked", result: { structuredContent: { records: [] }, content: [] } });
      await settle();
      answer({ method: "notifications/progress", params: { progressToken: "open", progress: 1, message: "half" } });
      answer({ method: "notifications/message", params: { level: "info", data: "done" } });
      expect(received.slice(1)).toMatchObject([{ params: { message: "half" } }, { params: { data: "done" } }]);
    });

    it.each([
      [{ code: -32_001, message: "cust_2 earns 99999", data: secret }, -32_001],
      [{ code: "cust_2", message: "" }, -32_603],
      ["cust_2", -32_603],
    ])("is of the error %o its code alone", async (error, code) => {
      const { answer, received, pdp } = await connectBoth();
      answer({ id: "checked", error });
      await settle();
      expect(received).toEqual([{ jsonrpc: "2.0", id: "checked", error: { code, message: expect.not.stringContaining("cust_2") as string } }]);
      expect(pdp.settled.map(({ status }) => status)).toEqual(["failed"]);
    });
  });

  it("as progress of what nobody waits for is left out", async () => {
    const { answer, received, send } = await connectPipe(fakePdp());
    await send({ id: 1, method: "tools/call", params: { name: "contracts_read", _meta: { progressToken: 1 } } });
    for (const progressToken of ["1", 2, "contract_3"]) answer({ method: "notifications/progress", params: { progressToken, progress: 1 } });
    expect(received).toEqual([]);
  });

  it("before the client listens is neither lost by the transport nor shown unchecked", async () => {
    const pdp = fakePdp({ decide: async () => permit(limitRecords(1)) });
    const { pep, task } = await enforcement(pdp);
    const pipe = new Pipe();
    const seen: unknown[] = [];
    pipe.onmessage = (message) => void seen.push(message);
    const transport = protect(pep, { transport: pipe, server: "crm", envelope: task });
    expect(transport.onmessage).toBe(pipe.onmessage);
    await transport.send({ jsonrpc: "2.0", ...call(1) });
    const records = [{ id: "contract_1" }, { id: "contract_2" }];
    pipe.onmessage?.({ jsonrpc: "2.0", id: 1, result: { structuredContent: { records }, content: [] } });
    await settle();
    expect(seen).toMatchObject([{ id: 1, result: { structuredContent: { records: records.slice(0, 1) } } }]);
  });

  it("reaches a handler whose failure is reported, not thrown", async () => {
    const { transport, answer, errors } = await connectPipe(fakePdp());
    transport.onmessage = () => {
      throw new Error("the client broke");
    };
    answer({ method: "notifications/message", params: {} });
    expect(errors.map(({ message }) => message)).toEqual(["the client broke"]);
  });
});

describe("the transport that went in", () => {
  it("keeps its own members, with `this` as it was", async () => {
    const { transport } = await connectPipe(fakePdp());
    expect(transport.sessionId).toBe("session_1");
    const { terminateSession } = transport;
    await terminateSession();
    expect(transport.sessionId).toBe("");
    expect("sessionId" in transport).toBe(true);
    expect(transport.constructor).toBe(Pipe);
  });

  it("takes what is set on it, but never the client's handlers", async () => {
    const { transport, pipe } = await connectPipe(fakePdp());
    const handler = pipe.onmessage;
    Object.assign(transport, { protocolVersion: "2026-07-28", onmessage: () => undefined });
    expect(Reflect.get(pipe, "protocolVersion")).toBe("2026-07-28");
    expect(pipe.onmessage).toBe(handler);
  });

  it("tells the client when it closes", async () => {
    const { transport, pipe } = await connectPipe(fakePdp());
    const closed = vi.fn();
    transport.onclose = closed;
    pipe.onclose?.();
    expect(closed).toHaveBeenCalledOnce();
  });
});
