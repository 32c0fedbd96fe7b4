import { definitionDigest } from "@ambit/core";
import { generateText, jsonSchema, tool, type ModelMessage, type ToolSet } from "ai";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { protect } from "../src/index.ts";
import { definitionOf, toCall, turnOf } from "../src/to-call.ts";
import { enforcement, fakePdp } from "./support/fake-pdp.ts";
import { callingModel } from "./support/models.ts";

const schema = { type: "object", properties: { topic: { type: "string" } }, additionalProperties: false } as const;
const pinned = definitionDigest({ name: "search", description: "finds", inputSchema: schema });

describe("the definition of a tool", () => {
  test.each<[string, unknown]>([
    ["plain", jsonSchema(schema)],
    ["lazy", () => jsonSchema(schema)],
    ["promised", jsonSchema(Promise.resolve(schema))],
  ])("has the digest of its name, description and %s schema", async (_, inputSchema) => {
    expect(await definitionOf("search", { description: "finds", inputSchema })()).toBe(pinned);
  });

  test("has another digest when anything of it changes", async () => {
    const inputSchema = jsonSchema(schema);
    expect(await definitionOf("search", { description: "finds everything", inputSchema })()).not.toBe(pinned);
    expect(await definitionOf("find", { description: "finds", inputSchema })()).not.toBe(pinned);
    expect(await definitionOf("search", { description: "finds", inputSchema: z.object({}) })()).not.toBe(pinned);
  });

  test.each<[string, Record<string, unknown>]>([
    ["a description that is a function", { description: () => "finds", inputSchema: jsonSchema(schema) }],
    ["a schema without a JSON form", { inputSchema: z.object({ since: z.date() }) }],
    ["a schema that is none", { inputSchema: 7 }],
  ])("has no digest with %s", async (_, members) => {
    expect(await definitionOf("search", members)()).toBeUndefined();
  });

  test("goes along with the question", async () => {
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const tools: ToolSet = { search: tool({ description: "finds", inputSchema: jsonSchema(schema), execute: async () => "found" }) };
    await generateText({ model: callingModel([{ id: "call-1", name: "search", input: {} }]), prompt: "go", ...protect(pep, { tools, envelope: task }) });
    expect(pdp.asked[0]?.action).toEqual({ name: "search", properties: { definition: pinned } });
  });
});

describe("the turn of a call", () => {
  const user: ModelMessage = { role: "user", content: "go" };
  const asks = (toolCallId: string): ModelMessage => ({ role: "assistant", content: [{ type: "tool-call", toolCallId, toolName: "search", input: {} }] });
  const answers = (toolCallId: string): ModelMessage => ({
    role: "tool",
    content: [{ type: "tool-result", toolCallId, toolName: "search", output: { type: "text", value: "found" } }],
  });
  const approves: ModelMessage = { role: "tool", content: [{ type: "tool-approval-response", approvalId: "a", approved: true }] };
  const turn = (messages: ModelMessage[], callId = "call-1"): string | undefined => turnOf(messages as never, callId);

  test("is the same for all calls of the turn", () => {
    expect(turn([user], "call-1")).toBe(turn([user], "call-2"));
  });

  test("differs between turns, also for a model that counts its calls anew", () => {
    const turns = [turn([user]), turn([user, asks("call-1"), answers("call-1")]), turn([user, asks("call-1"), answers("call-1"), user])];
    expect(new Set(turns).size).toBe(3);
  });

  test("differs between conversations that begin with other words", () => {
    expect(turn([user])).not.toBe(turn([{ role: "user", content: "stop" }]));
  });

  test("is the same after the call has waited for an approval", () => {
    expect(turn([user, asks("call-1"), approves])).toBe(turn([user]));
    expect(turn([user, asks("call-1"), answers("call-1"), asks("call-1"), approves])).toBe(turn([user, asks("call-1"), answers("call-1")]));
  });

  test("does not depend on whether a text is one part or a message", () => {
    expect(turn([{ role: "user", content: [{ type: "text", text: "go" }] }])).toBe(turn([user]));
  });

  test("is made of texts and ids, whatever files the messages carry", () => {
    const file = (bytes: number): ModelMessage => ({ role: "user", content: [{ type: "file", mediaType: "image/png", data: new Uint8Array(bytes) }] });
    expect(turn([file(1)])).toBe(turn([file(2)]));
  });

  test("is unknown without messages, and a call without an id has none", async () => {
    expect(turnOf(undefined, "call-1")).toBeUndefined();
    const subject = { envelope: undefined, name: "search", definition: async () => undefined };
    expect(await toCall(subject, {}, undefined)).toMatchObject({ callId: undefined, turn: undefined, signal: undefined });
  });
});
