import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

function ambit(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const flags = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
  return spawnSync(process.execPath, [...flags, MAIN, ...args], { encoding: "utf8" });
}

describe("ambit", () => {
  test("helps", () => {
    for (const command of [[], ["init"], ["keys"], ["mint"], ["attenuate"], ["inspect"], ["verify"], ["why"], ["report"], ["doctor"], ["vault"]]) {
      const { status, stdout, stderr } = ambit(...command, "--help");
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      const [first = "init"] = command;
      expect(stdout.slice(stdout.indexOf("Examples\n"))).toContain(`  ambit ${first} `);
      expect(stdout).toMatch(/^Exit codes: /m);
    }
  });

  test("tells its version", () => {
    expect(ambit("--version")).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/), stderr: "" });
  });

  test.each([
    [[]],
    [["frobnicate"]],
    [["constructor"]],
    [["keys", "new", "--alg", "RS256"]],
    [["mint"]],
    [["attenuate"]],
    [["inspect"]],
    [["verify"]],
    [["doctor"]],
    [["vault"]],
    [["init"]],
    [["init", "--frobnicate"]],
    [["init", "--tools"]],
    [["init", "extra", "--tools", "x"]],
    [["init", "--tools", "x", "--mcp", "y"]],
    [["init", "--tools", "x", "--env", "y"]],
    [["init", "--tools", "x", "--agent", "two words"]],
    [["init", "--mcp", " "]],
    [["init", "--mcp", 'node "server.js']],
    [["init", "--mcp-url", "file:///etc/passwd"]],
  ])("answers %j with exit code 2 and no stack trace", (args) => {
    const { status, stdout, stderr } = ambit(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^error\[usage\]: /);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test.each([
    ["tools_unreadable", ["init", "--tools", "no-such-file.json"]],
    ["tools_malformed", ["init", "--tools", MAIN]],
    ["mcp_failed", ["init", "--mcp", "no-such-command-anywhere"]],
  ])("answers %s with exit code 1 and no stack trace", (code, args) => {
    const { status, stdout, stderr } = ambit(...args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr.slice(0, code.length + 8)).toBe(`error[${code}]:`);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
