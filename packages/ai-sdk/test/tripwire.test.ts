import { registerTelemetry } from "ai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { protect, tripwire } from "../src/index.ts";
import { CALL, doorsOf } from "./support/doors.ts";
import { enforcement, fakePdp } from "./support/fake-pdp.ts";
import { callingModelOf } from "./support/models.ts";
import { codes, runIn } from "./support/runs.ts";
import { sdk7 } from "./support/sdks.ts";

const registry = globalThis as { AI_SDK_TELEMETRY_INTEGRATIONS?: unknown[] | undefined };
let stopped: string[] = [];

beforeEach(() => {
  stopped = [];
  registerTelemetry(tripwire({ onRefused: (name) => stopped.push(name) }) as never);
});
afterEach(() => {
  registry.AI_SDK_TELEMETRY_INTEGRATIONS = undefined;
});

async function stage() {
  const { pep, task } = await enforcement(fakePdp());
  const ran: unknown[] = [];
  const raw = { notes_read: sdk7.tool({ inputSchema: z.object({ topic: z.string() }), execute: async (input: unknown) => (ran.push(input), "read") }) };
  return { ran, raw, tools: protect(pep, { tools: raw as never, envelope: task }).tools as unknown as Record<string, object> };
}

/** Those at which the SDK asks its integrations: not where the application runs a tool itself, or brings integrations of its own. */
const THROUGH_THE_SDK = doorsOf(sdk7).filter(({ title }) => !/execute`|telemetry|tool caller/.test(title));

describe("with the tripwire of ai 7", () => {
  test.each(THROUGH_THE_SDK.map((door) => [door.title, door] as const))("a tool that nobody protects is stopped: %s", async (_, door) => {
    const { raw, tools, ran } = await stage();
    await door.open(sdk7, raw).catch(() => undefined);
    expect([ran, stopped.length > 0]).toEqual([[], true]);
    stopped = [];
    await door.open(sdk7, tools).catch(() => undefined);
    if (!door.title.startsWith("a copy of the tool under")) expect(stopped).toEqual([]);
    expect(ran.length).toBeGreaterThan(0);
  });

  test("the model is told, and the run goes on", async () => {
    const { raw, ran } = await stage();
    const run = await runIn(sdk7, raw, [CALL]);
    expect([codes(run), run.text, ran, stopped]).toEqual([["tool_not_allowed"], "done", [], ["notes_read"]]);
  });

  test("a tool that is put in the place of a protected one is stopped", async () => {
    const { raw, tools, ran } = await stage();
    const agent = new sdk7.Agent({ model: callingModelOf(sdk7, [CALL]), tools, prepareCall: (options: object) => ({ ...options, tools: raw }) });
    await agent.generate({ prompt: "go" });
    expect([ran, stopped]).toEqual([[], ["notes_read"]]);
  });

  test("what it cannot see it stops: telemetry that records no inputs shows it no tools", async () => {
    const { tools, ran } = await stage();
    await runIn(sdk7, tools, [CALL], { telemetry: { recordInputs: false } });
    expect([ran, stopped]).toEqual([[], ["notes_read"]]);
  });

  test("an application can switch it off for a run: LIMIT", async () => {
    for (const telemetry of [{ isEnabled: false }, { integrations: [] }]) {
      const { raw, ran } = await stage();
      await runIn(sdk7, raw, [CALL], { telemetry });
      expect([ran.length, stopped]).toEqual([1, []]);
    }
  });
});

test("a run that nobody heard of is stopped, and one that has ended", async () => {
  const { tools } = await stage();
  const wire = tripwire();
  const call = { callId: "run-1", toolCall: { toolName: "notes_read" }, execute: async () => "ran" };
  await expect(wire.executeTool(call)).rejects.toMatchObject({ refusal: { error: { code: "tool_not_allowed" } } });
  wire.onStart({ callId: "run-1", tools });
  expect(await wire.executeTool(call)).toBe("ran");
  await expect(wire.executeTool({ ...call, toolCall: { toolName: "constructor" } })).rejects.toThrow("tool_not_allowed");
  await expect(wire.executeTool({ ...call, toolCall: undefined })).rejects.toThrow("tool_not_allowed");
  for (const end of ["onEnd", "onAbort", "onError"] as const) {
    wire.onStart({ callId: "run-1", tools });
    wire[end]({ callId: "run-1" });
    await expect(wire.executeTool(call)).rejects.toThrow("tool_not_allowed");
  }
  wire.onError(new Error("no run"));
});
