import { describeAdapter } from "@ambit/conformance";
import type { Pep } from "@ambit/core";
import type { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { expectTypeOf, test } from "vitest";
import { protect } from "../src/index.ts";
import { harnessOf } from "./support/harness.ts";

const vectors = new URL("../../../../shared/vectors/", import.meta.url);
for (const kind of ["SDK 1", "SDK 2", "@ai-sdk/mcp"] as const) {
  describeAdapter(`the adapter for MCP, with a client of ${kind}`, harnessOf(kind), { vectors });
}

test("a protected transport has the type of the one that went in", () => {
  const cover = (pep: Pep, transport: StreamableHTTPClientTransport) => protect(pep, { transport, server: "crm", envelope: undefined });
  expectTypeOf(cover).returns.toEqualTypeOf<StreamableHTTPClientTransport>();
  expectTypeOf(cover).returns.not.toBeAny();
});
