import { describe, expect, it, vi } from "vitest";
import { protectServer } from "../src/index.ts";
import { refusalIn } from "./support/crm.ts";
import { connectPipe, Pipe } from "./support/pipe.ts";
import { fakePdp } from "./support/fake-pdp.ts";
import { both, CALL, connectRaw, presentationOf } from "./support/protected-server.ts";
import { CRM, PDP } from "./support/world.ts";

const MINUTE = 60_000;

describe("a request that comes to a protected server without an envelope", () => {
  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["text", "let me in"],
    ["a chain of nothing", { aat_chain: [], aat_pop: "" }],
    ["tokens that are none", { aat_chain: ["a.b.c"], aat_pop: "d.e.f" }],
  ])("but with %s in its place is refused and on the record, under the id that the client is told", async (_, shown) => {
    const { own, reached, call, answered } = await connectRaw();
    call(1, shown);
    const { code, decisionId } = refusalIn((await answered(1))[0]?.["result"]);
    expect(["envelope_malformed", "audience_mismatch"]).toContain(code);
    expect(own.attempts()).toEqual([{ id: decisionId, agent: "unknown", tool: "contracts.read" }]);
    expect(reached).toEqual([]);
  });

  it("but with an envelope whose proof is for somebody else is on the record of whose envelope it is", async () => {
    const { world, own, call, answered } = await connectRaw();
    call(1, await presentationOf(world, CALL, PDP));
    const { code, decisionId } = refusalIn((await answered(1))[0]?.["result"]);
    expect(code).toBe("audience_mismatch");
    expect(own.attempts()).toEqual([{ id: decisionId, agent: "reviewer", tool: "contracts.read" }]);
  });

  it("and that nobody knows is on the record by its method, and so is a notification", async () => {
    const { own, send, errors, reached, answered } = await connectRaw();
    send({ id: 1, method: "acme/anything", params: {} });
    await answered(1);
    send({ method: "tools/call", params: CALL });
    send({ method: "acme/happened", params: { text: "canary" } });
    await vi.waitFor(() => expect(own.attempts()).toHaveLength(3));
    expect(own.attempts().map(({ tool }) => tool)).toEqual([
      "acme/anything (a method that is not known)",
      "tools/call (a notification that is not known)",
      "acme/happened (a notification that is not known)",
    ]);
    expect([errors.length, reached]).toEqual([2, []]);
  });

  it("is on the record sixty times a minute and no more, over all connections, and refused every time", async () => {
    const { world, own, protection } = await both();
    const flood = async (count: number): Promise<readonly string[]> => {
      const pipe = new Pipe();
      const transport = protectServer(pipe, protection); // as a server has one for every request of a stateless client
      await transport.start();
      for (let id = 0; id < count; id++) pipe.onmessage?.({ jsonrpc: "2.0", id, method: "tools/call", params: CALL });
      await vi.waitFor(() => expect(pipe.sent).toHaveLength(count));
      return pipe.sent.map(({ result }) => refusalIn(result).decisionId);
    };
    expect((await flood(50)).filter((id) => id === "undecided")).toEqual([]);
    expect((await flood(50)).filter((id) => id === "undecided")).toHaveLength(40);
    expect(own.attempts()).toHaveLength(60);
    world.advance(MINUTE);
    await flood(1);
    expect(own.attempts()).toHaveLength(61);
  });

  it.each<[string, () => unknown]>([
    ["is down", () => Promise.reject(new Error("down"))],
    ["permits it", async () => ({ decision: true, context: { id: "dec_1", grant: { id: "g", expiresAt: Number.MAX_SAFE_INTEGER } } })],
    ["answers nothing", async () => undefined],
  ])("is refused when the decision point %s", async (_, decide) => {
    const pipe = new Pipe();
    const transport = protectServer(pipe, { pdp: fakePdp({ decide }), server: "crm", audience: CRM });
    const reached: unknown[] = [];
    transport.onmessage = (message) => void reached.push(message);
    await transport.start();
    pipe.onmessage?.({ jsonrpc: "2.0", id: 1, method: "tools/call", params: CALL });
    await vi.waitFor(() => expect(pipe.sent).toHaveLength(1));
    expect(refusalIn(pipe.sent[0]?.["result"]).code).toBe("envelope_malformed");
    expect(reached).toEqual([]);
  });
});

describe("a notification of a protected client that is not known", () => {
  it("is refused and on the record", async () => {
    const { pdp, pipe, send } = await connectPipe(fakePdp({ decide: async () => ({ decision: false, context: { id: "d" } }) }));
    await expect(send({ method: "tools/call", params: { name: "contracts_read", _meta: {} } })).rejects.toMatchObject({ code: "tool_unmapped" });
    expect(pdp.asked.map(({ action, context }) => [action.name, context.arguments])).toEqual([
      ["tools/call (a notification that is not known)", { name: "contracts_read" }],
    ]);
    expect(pipe.sent).toEqual([]);
  });

  it("is refused even where the decision point permits it", async () => {
    const { pdp, pipe, send } = await connectPipe(fakePdp());
    await expect(send({ method: "acme/run" })).rejects.toMatchObject({ code: "tool_unmapped" });
    expect(pdp.settled.map(({ status }) => status)).toEqual(["not_run"]);
    expect(pipe.sent).toEqual([]);
  });
});
