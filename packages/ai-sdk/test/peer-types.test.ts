import { fileURLToPath } from "node:url";
import * as ai7 from "ai";
import * as ai5 from "ai-5";
import * as ai6 from "ai-6";
import { expect, test } from "vitest";
import { compile } from "./support/compile.ts";

const files = [fileURLToPath(new URL("peers/inference.test-d.ts", import.meta.url))];

test.each(["ai-5/dist/index.d.mts", "ai-6/dist/index.d.mts", "ai/dist/index.d.ts"])("what the SDK infers from tools survives: %s", async (types) => {
  expect(await compile(files, types)).toBe("");
});

test("the check can fail", async () => {
  expect(await compile(files, "zod/index.d.ts")).toContain("error TS");
});

test.each([ai5, ai6, ai7])("everything that the adapter imports when it runs is in every version (%#)", (sdk) => {
  expect(sdk.asSchema).toBeTypeOf("function");
});
