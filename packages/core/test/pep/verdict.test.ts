import { describe, expect, it } from "vitest";
import { definitionDigest } from "../../src/pep/definition.ts";
import { callDigest } from "../../src/pep/tool-call.ts";
import { modelRefusal } from "../../src/pep/verdict.ts";
import { REFUSAL } from "../support/fake-pdp.ts";

describe("modelRefusal", () => {
  it("has one shape, and names no step and no policy", () => {
    expect(modelRefusal({ kind: "deny", decisionId: "d", refusal: REFUSAL })).toStrictEqual({
      error: { code: "policy_denied", message: "not allowed", decisionId: "d", retryable: false, requestable: true },
    });
    expect(modelRefusal({ kind: "deny", decisionId: "d", refusal: { ...REFUSAL, requestable: false } })).toStrictEqual({
      error: { code: "policy_denied", message: "not allowed", decisionId: "d", retryable: false },
    });
  });
});

describe("definitionDigest", () => {
  const tool = {
    name: "read",
    description: "reads",
    inputSchema: { type: "object", properties: { id: { type: "string" } } },
    annotations: { readOnlyHint: true },
  };

  it("is the same for the same definition, however it is written", () => {
    const same = {
      annotations: { readOnlyHint: true },
      inputSchema: { properties: { id: { type: "string" } }, type: "object" },
      description: "reads",
      name: "read",
      title: "more",
    };
    expect(definitionDigest(same)).toBe(definitionDigest(tool));
    expect(definitionDigest(tool)).toMatch(/^sha-256:[\w-]{43}$/);
  });

  it.each([
    { name: "Read" },
    { description: "reads " },
    { description: undefined },
    { inputSchema: { type: "object" } },
    { outputSchema: {} },
    { annotations: { readOnlyHint: false } },
    { annotations: undefined },
  ])("is another one with %j", (change) => {
    expect(definitionDigest({ ...tool, ...change })).not.toBe(definitionDigest(tool));
  });

  it("is nothing for what is not plain data", () => {
    expect(definitionDigest({ name: "a", inputSchema: { parse: () => true } })).toBeUndefined();
    expect(definitionDigest({ name: "a", inputSchema: Number.NaN })).toBeUndefined();
  });
});

describe("callDigest", () => {
  it("binds tool, server and arguments, each in its place", () => {
    const digests = [
      callDigest("a", undefined, {}),
      callDigest("a", "s", {}),
      callDigest("s", "a", {}),
      callDigest("a", undefined, { a: 1 }),
      callDigest("a", "", {}),
      callDigest("null", undefined, {}),
    ];
    expect(new Set(digests).size).toBe(6);
    expect(callDigest("a", "s", { x: 1, y: 2 })).toBe(callDigest("a", "s", { y: 2, x: 1 }));
  });
});
