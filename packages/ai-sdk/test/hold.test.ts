import { createWorld } from "@ambit/conformance";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { holdFor, protect } from "../src/index.ts";
import { callingModelOf, type Call } from "./support/models.ts";
import { named, type Sdk, type StreamResult } from "./support/sdks.ts";

const call: Call = { id: "call-1", name: "search_run", input: {} };

/** A handler that returns what `answer` makes of a run, and leaves the scope of its task with that; the model is silent until `speak` is called. */
async function stage(sdk: Sdk) {
  const world = await createWorld({ holding: "handles" });
  const ran: unknown[] = [];
  const search_run = sdk.tool({ inputSchema: z.object({}), execute: async (input: unknown) => ran.push(input) });
  const gate = Promise.withResolvers<void>();
  const model = callingModelOf(sdk, [call], [{ ...call, id: "call-2" }]) as unknown as { doStream: (options: object) => Promise<unknown> };
  const { doStream } = model;
  model.doStream = async (options) => gate.promise.then(() => doStream(options));
  const tasks: Awaited<ReturnType<typeof world.begin>>[] = [];
  const handle = async <T>(answer: (task: (typeof tasks)[number], result: StreamResult) => T): Promise<T> => {
    await using task = await world.begin();
    tasks.push(task);
    const { tools } = protect(world.pep, { tools: { search_run } as never, envelope: task });
    return answer(task, sdk.streamText({ model: model as never, prompt: "go", stopWhen: sdk.stopAfter(3), tools }));
  };
  const isOver = async (): Promise<boolean> => {
    const admission = await world.pep.admit({ envelope: tasks[0], tool: "search_run", arguments: {} });
    return !admission.admitted && admission.refused.refusal.code === "envelope_revoked";
  };
  return { ...world, ran, handle, isOver, speak: () => gate.resolve() };
}

describe.each(named)("a stream of %s that is returned", (_, sdk) => {
  test("without being held has its tools refused: its task is over", async () => {
    const { handle, ran, speak } = await stage(sdk);
    const stream = await handle((_task, result) => result.toUIMessageStreamResponse());
    speak();
    await stream.text();
    expect(ran).toEqual([]);
  });

  test.each<[string, (result: StreamResult) => ReadableStream | Response]>([
    ["a response with UI messages", (result) => result.toUIMessageStreamResponse()],
    ["a stream of UI messages", (result) => result.toUIMessageStream()],
    ["a stream of everything", (result) => result.fullStream],
    ["a stream of text", (result) => result.textStream],
  ])("as %s keeps its task alive until it has ended, and no longer", async (_name, make) => {
    const { handle, ran, isOver, speak } = await stage(sdk);
    const held = await handle((task, result) => holdFor(task, make(result)));
    expect(await isOver()).toBe(false);
    speak();
    const parts: unknown[] = [];
    for await (const part of (held instanceof Response ? held.body : held) as ReadableStream) parts.push(part);
    expect([parts.length > 0, ran, await isOver()]).toEqual([true, [{}, {}], true]);
  });

  test("keeps what there is to know of a response", async () => {
    const { handle, speak } = await stage(sdk);
    const { bare, held } = await handle((task, result) => {
      const made = result.toUIMessageStreamResponse();
      return { bare: [made.status, [...made.headers]], held: holdFor(task, made) };
    });
    expect([held.status, [...held.headers]]).toEqual(bare);
    speak();
    await held.body?.cancel();
  });

  test("and is cancelled ends its task then, and its tools run no more", async () => {
    const { handle, ran, isOver, speak } = await stage(sdk);
    const held = await handle((task, result) => holdFor(task, result.toUIMessageStreamResponse()));
    await held.body?.cancel("gone");
    expect(await isOver()).toBe(true);
    speak();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ran).toEqual([]);
  });
});

describe("a held stream", () => {
  test("that fails ends its task, and fails the same way for its reader", async () => {
    const world = await createWorld({ holding: "handles" });
    const task = await world.begin();
    const failing = new ReadableStream({ pull: (controller) => controller.error(new Error("cut")) });
    const held = holdFor(task, failing);
    await task[Symbol.asyncDispose]();
    await expect(held.getReader().read()).rejects.toThrow("cut");
    expect((await world.pep.admit({ envelope: task, tool: "search_run", arguments: {} })).admitted).toBe(false);
  });

  test("ends with the envelope, whoever still reads it", async () => {
    const world = await createWorld({ holding: "handles" });
    const task = await world.begin();
    holdFor(task, new ReadableStream());
    await task[Symbol.asyncDispose]();
    const ask = () => world.pep.admit({ envelope: task, tool: "search_run", arguments: {} });
    expect((await ask()).admitted).toBe(true);
    world.advance(600_000);
    expect(await ask()).toMatchObject({ admitted: false, refused: { refusal: { code: "envelope_expired" } } });
  });

  test("that is none, as in a response without a body, holds nothing", async () => {
    const world = await createWorld({ holding: "handles" });
    const task = await world.begin();
    expect(holdFor(task, new Response(null, { status: 204 })).status).toBe(204);
    await task[Symbol.asyncDispose]();
    expect((await world.pep.admit({ envelope: task, tool: "search_run", arguments: {} })).admitted).toBe(false);
  });

  test("that somebody else reads already is not held", async () => {
    const world = await createWorld({ holding: "handles" });
    const task = await world.begin();
    const stream = new ReadableStream();
    stream.getReader();
    expect(() => holdFor(task, stream)).toThrow(TypeError);
    await task[Symbol.asyncDispose]();
    expect((await world.pep.admit({ envelope: task, tool: "search_run", arguments: {} })).admitted).toBe(false);
  });

  test("comes to its end when the task cannot be ended any more", async () => {
    const world = await createWorld({ holding: "handles" });
    const pep = world.pepBefore(() => ({ end: () => Promise.reject(new Error("away")) }));
    const task = await pep.begin({
      delegatorId: "user_1",
      tenantId: "tenant_1",
      purpose: "review",
      allowedTools: ["search.run"],
      resourceConstraints: {},
      expiresIn: "1m",
    });
    const held = holdFor(task, ReadableStream.from(["only"]));
    await task[Symbol.asyncDispose]();
    const parts: unknown[] = [];
    for await (const part of held) parts.push(part);
    expect(parts).toEqual(["only"]);
  });
});
