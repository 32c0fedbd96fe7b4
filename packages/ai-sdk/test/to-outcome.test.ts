import { AmbitError, type Refused } from "@ambit/core";
import { describe, expect, test } from "vitest";
import { ToolRefusedError } from "../src/index.ts";
import { toOutcome } from "../src/to-outcome.ts";

const refused: Refused = {
  kind: "approval_required",
  decisionId: "dec_1",
  refusal: { code: "approval_required", message: "needs an approval", step: "approval", retryable: false, requestable: true },
};
const text = '{"error":{"code":"approval_required","message":"needs an approval","decisionId":"dec_1","retryable":false,"requestable":true}}';

describe("a refusal", () => {
  test("is thrown, and reads the same in every way in which the SDK reads an error", () => {
    const error = new ToolRefusedError(refused);
    expect(() => toOutcome({ refused })).toThrow(error);
    expect([error.message, error.toString(), String(error)]).toEqual([text, text, text]);
    expect(error.refusal).toEqual(JSON.parse(text));
  });

  test("is known by its brand, whichever copy of the package made it", () => {
    const foreign = Object.defineProperty(new Error("x"), Symbol.for("ambit.tool-refused"), { value: true });
    expect([new ToolRefusedError(refused), foreign].map(ToolRefusedError.isInstance)).toEqual([true, true]);
    const inheriting: unknown = Object.create(foreign);
    expect([new Error(text), new AmbitError("policy_denied", text), inheriting, null, undefined, text].some(ToolRefusedError.isInstance)).toBe(false);
  });
});

test("a result is returned as it is", () => {
  const result = { rows: [] };
  expect(toOutcome({ result, decisionId: "dec_1" })).toBe(result);
});
