import { describeAdapter } from "@ambit/conformance";
import type { Pep } from "@ambit/core";
import { tool, type InferToolInput } from "ai";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { protect } from "../src/index.ts";
import { harnessOf } from "./support/harness.ts";
import { sdk7 } from "./support/sdks.ts";

describeAdapter("the adapter for the AI SDK 7", harnessOf(sdk7), { vectors: new URL("../../../../shared/vectors/", import.meta.url) });

test("a protected tool has the type of the one that went in", () => {
  const read = tool({ inputSchema: z.object({ id: z.string() }), execute: async ({ id }) => ({ title: id }) });
  const cover = (pep: Pep) => protect(pep, { tools: { read }, envelope: undefined }).tools.read;
  expectTypeOf(cover).returns.toEqualTypeOf<typeof read>();
  expectTypeOf<InferToolInput<ReturnType<typeof cover>>>().toEqualTypeOf<{ id: string }>();
});
