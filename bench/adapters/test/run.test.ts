import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { lines, type Report } from "../src/report.ts";

const RUN = fileURLToPath(new URL("../src/run.ts", import.meta.url));
const FLAGS = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

describe("npm run bench:adapters", () => {
  test("times each adapter, with calls that are permitted and frameworks that run them", { timeout: 60_000 }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...FLAGS, RUN, "--json", "--calls", "30"], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const report = JSON.parse(stdout) as Report;
    expect(report.figures.map(({ framework }) => framework)).toEqual(["langchain", "ai-sdk", "mcp"]);
    for (const { bare, decision } of report.figures) {
      expect(Math.min(bare.p50, decision.p50)).toBeGreaterThan(0);
      expect(bare.p99).toBeGreaterThanOrEqual(bare.p50);
    }
    expect(report.bytesPerEnvelope).toBeGreaterThan(0);
  });

  test("says of each target whether it was met", () => {
    const spread = { p50: 1, p99: 2 };
    const report: Report = {
      node: "v24",
      calls: 1,
      figures: [{ framework: "one", bare: spread, decision: spread, own: { p50: 20.1, p99: 100 } }],
      bytesPerEnvelope: 1000.4,
    };
    expect(lines(report).slice(-2)).toEqual(["not met one, own p50: 20.1 µs, at most 20 µs", "met     one, own p99: 100.0 µs, at most 100 µs"]);
  });

  test("refuses a number of calls that is none", () => {
    const { status, stderr } = spawnSync(process.execPath, [...FLAGS, RUN, "--calls", "none"], { encoding: "utf8" });
    expect([status === 0, stderr.includes("--calls")]).toEqual([false, true]);
  });
});
