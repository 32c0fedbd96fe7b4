import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { NAMES } from "../src/ambit.ts";
import type { Report } from "../src/report.ts";

const RUN = fileURLToPath(new URL("../src/run.ts", import.meta.url));
const FLAGS = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

describe("npm run bench:token", () => {
  test("verifies and derives what it times, and says of each peer that it was measured or why not", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...FLAGS, RUN, "--json", "--rounds", "1", "--batch", "0.2"], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { measured, notMeasured, sizes, targets } = JSON.parse(stdout) as Report;
    const names = new Set(measured.map(({ name }) => name));
    expect(Object.values(NAMES).filter((name) => !names.has(name))).toEqual([]);
    expect(measured.every(({ ratio }) => ratio > 0)).toBe(true);
    const isKnown = (peer: string): boolean => measured.some(({ name }) => name.split(",", 1)[0] === peer) !== notMeasured.some((one) => one.peer === peer);
    expect(["jose", "biscuit-wasm", "macaroon"].filter((peer) => !isKnown(peer))).toEqual([]);
    expect(sizes.every(({ bytes }) => bytes > 100)).toBe(true);
    expect(targets).toHaveLength(11);
  });

  test("refuses a number of rounds that is none", () => {
    expect(spawnSync(process.execPath, [...FLAGS, RUN, "--rounds", "0"], { encoding: "utf8" })).toMatchObject({ status: 1, stdout: "" });
  });
});
