import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Report } from "../src/run.ts";

const RUN = fileURLToPath(new URL("../src/run.ts", import.meta.url));
const FLAGS = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

describe("npm run bench:scrub", () => {
  test("times texts and values of each kind", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...FLAGS, RUN, "--json", "--rounds", "1"], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { measured } = JSON.parse(stdout) as Report;
    expect(measured).toHaveLength(8);
    expect(measured.every(({ megabytesPerSecond }) => megabytesPerSecond > 0)).toBe(true);
  });

  test("refuses a number of rounds that is none", () => {
    expect(spawnSync(process.execPath, [...FLAGS, RUN, "--rounds", "0"], { encoding: "utf8" })).toMatchObject({ status: 1, stdout: "" });
  });
});
