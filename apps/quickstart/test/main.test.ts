import { spawn } from "node:child_process";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const FLAGS = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], environment: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(execPath, [...FLAGS, MAIN, ...args], { env: { ...process.env, ...environment } });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => (stdout += String(data)));
  child.stderr.on("data", (data) => (stderr += String(data)));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

test("--help explains the command and does nothing", async () => {
  const { code, stdout, stderr } = await run(["--help"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("--unprotected");
});

test.each([
  [["--protected"], {}],
  [["now"], {}],
  [[], { AMBIT_MODEL_URL: "nowhere" }],
  [[], { AMBIT_MODEL_URL: "http://127.0.0.1:9/v1" }],
])("wrong usage ends with 2, a reason and no stack trace: %j %j", async (args, environment) => {
  const { code, stdout, stderr } = await run(args, environment);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr.split("\n")[0]).not.toBe("");
});

test("an endpoint that nobody listens at ends with 1, a reason and no stack trace", async () => {
  const { code, stderr } = await run(["--unprotected"], { AMBIT_MODEL_URL: "http://127.0.0.1:9/v1", AMBIT_MODEL: "none" });
  expect(code).toBe(1);
  expect(stderr).not.toBe("");
  expect(stderr).not.toMatch(/^\s+at /m);
});
