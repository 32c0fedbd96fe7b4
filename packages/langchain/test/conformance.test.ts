import { describeAdapter } from "@ambit/conformance";
import type { Pep } from "@ambit/core";
import { tool } from "langchain";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { protect } from "../src/index.ts";
import { harnessOf } from "./support/harness.ts";

const vectors = new URL("../../../../shared/vectors/", import.meta.url);
describeAdapter("the adapter for LangChain, in an agent", harnessOf("createAgent"), { vectors });
describeAdapter("the adapter for LangChain, in a graph with a ToolNode", harnessOf("ToolNode"), { vectors });

test("a protected tool has the type of the one that went in", () => {
  const read = tool(({ id }) => ({ title: id }), { name: "read", description: "reads", schema: z.object({ id: z.string() }) });
  const cover = (pep: Pep) => protect(pep, { tools: [read], envelope: undefined }).tools[0];
  expectTypeOf(cover).returns.toEqualTypeOf<typeof read>();
  expectTypeOf(cover).returns.not.toBeAny();
});
