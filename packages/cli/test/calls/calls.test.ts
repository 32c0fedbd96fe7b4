import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { runIn } from "../fixtures/terminal.ts";

const ambit = (...args: readonly string[]): ReturnType<typeof runIn> =>
  runIn(tmpdir(), ["calls", ...args], { env: { AMBIT_PDP_SECRET: "s", AMBIT_PDP_URL: "http://127.0.0.1:9" } });

describe("ambit calls", () => {
  test("helps, with examples", async () => {
    const { exitCode, out } = await ambit("--help");
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^Examples\n {2}ambit calls list /m);
    expect(out).toMatch(/^Exit codes: /m);
  });

  test.each([
    [["list", "more", "--tenant", "t"]],
    [["list", "--used", "calls=1", "--tenant", "t"]],
    [["forget", "--tenant", "t"]],
    [["list"]],
    [["done", "env_1", "--tenant", "t"]],
    [["done", "env_1", "call_1", "more", "--tenant", "t"]],
    [["done", "env_1", "call_1"]],
    [["done", "env_1", "call_1", "--tenant", "t", "--used", "money/EUR=1.5"]],
    [["done", "env_1", "call_1", "--tenant", "t", "--used", "=1"]],
    [["done", "env_1", "call_1", "--tenant", "t", "--used", "calls"]],
    [["not_run", "env_1", "call_1", "--tenant", "t", "--used", "calls=1"]],
  ])("is called wrongly as %j", async (args) => {
    expect(await ambit(...args)).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[usage\]: /) });
  });

  test("says that nobody could be asked", async () => {
    expect(await ambit("list", "--tenant", "t")).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[pdp_unavailable\]: /) });
  });
});
