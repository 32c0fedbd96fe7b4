import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { describe, expect, it } from "vitest";
import { startEverything } from "./support/everything.ts";
import { startEverythingWorld } from "./support/everything-world.ts";

const SUITE = fileURLToPath(import.meta.resolve("@modelcontextprotocol/conformance/dist/index.js"));

/** Runs what the suite requires of servers of a revision. */
async function run(url: string, revision: string): Promise<{ readonly code: number | null; readonly failed: readonly string[]; readonly passed: number }> {
  const child = spawn(process.execPath, [SUITE, "server", "--url", url, "--requirements", revision], { stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const summary = output.slice(output.lastIndexOf("=== SUMMARY ==="));
  // What is not required of the revision is listed once more, below.
  const notRequired = new Set([...summary.matchAll(/^ {2}[✓✗] (\S+) \(/gmu)].map(([, name]) => name));
  const scenarios = [...summary.matchAll(/^([✓✗]) (\S+): /gmu)].filter(([, , name]) => !notRequired.has(name));
  const failed = scenarios.flatMap(([, mark, name]) => (mark === "✗" ? [name ?? ""] : []));
  return { code, failed, passed: scenarios.length - failed.length };
}

async function toolsOfEverything(): Promise<readonly string[]> {
  const everything = await startEverything();
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(new StreamableHTTPClientTransport(new URL(everything.url)));
  const { tools } = await client.listTools();
  await client.close();
  await everything.close();
  return tools.map(({ name }) => name);
}

/** The suite counts its required scenarios itself, for each revision. */
const REQUIRED = [
  ["2025-11-25", 30],
  ["2026-07-28", 37],
] as const;

describe("what the conformance suite of MCP requires of a server", () => {
  it.each(REQUIRED)("of revision %s, all %i scenarios, passes through the gateway", { timeout: 240_000 }, async (revision, count) => {
    const world = await startEverythingWorld(await toolsOfEverything());
    try {
      expect(await run(world.url, revision)).toEqual({ code: 0, failed: [], passed: count });
    } finally {
      await world.close();
    }
  });
});
