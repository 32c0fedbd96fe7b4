import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Report } from "../src/report.ts";

const RUN = fileURLToPath(new URL("../src/run.ts", import.meta.url));
const FLAGS = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

describe("npm run bench:state", () => {
  test("measures every store that is there, and says of each other one why not", { timeout: 120_000 }, () => {
    const options = ["--json", "--rounds", "1", "--batch", "0.1", "--envelopes", "20", "--tuples", "200"];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...FLAGS, RUN, ...options], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { measured, notMeasured, bytes, targets } = JSON.parse(stdout) as Report;
    const stores = ["memory", "SQLite, full", "SQLite, normal", "PostgreSQL", "Redis"];
    const isKnown = (store: string): boolean => measured.some((one) => one.store === store) !== notMeasured.some((one) => one.store === store);
    expect(stores.filter((store) => !isKnown(store))).toEqual([]);
    expect(measured.every(({ ratio }) => ratio > 0)).toBe(true);
    expect(bytes.map(({ store }) => store)).toEqual(stores.filter((store) => measured.some((one) => one.store === store)));
    expect(bytes.filter(({ perTuple }) => perTuple === undefined || !(perTuple >= 0)).map(({ store }) => store)).toEqual(
      stores.filter((store) => store === "Redis" && bytes.some((one) => one.store === store)),
    );
    expect(targets).toHaveLength(stores.length * 9);
  });

  test("refuses a number of rounds that is none, and a store that there is not", () => {
    for (const options of [
      ["--rounds", "0"],
      ["--store", "files"],
    ])
      expect(spawnSync(process.execPath, [...FLAGS, RUN, ...options], { encoding: "utf8" })).toMatchObject({ status: 1, stdout: "" });
  });
});
