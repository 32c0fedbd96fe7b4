import { spawnSync } from "node:child_process";
import { existsSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { driverPath, workloadsFolder } from "../src/workloads.ts";
import { CASES, madeUpFolder, TOOLS } from "./made-up.ts";

const RUN = fileURLToPath(new URL("../src/run.ts", import.meta.url));
const DRIVER = driverPath(workloadsFolder({}));

function replay(folder: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const flags = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
  return spawnSync(process.execPath, [...flags, RUN], { encoding: "utf8", env: { ...process.env, AMBIT_WORKLOADS: folder } });
}

describe("npm run replay", () => {
  test("says that it is skipped where there are no recorded workloads", () => {
    const { folder, remove } = madeUpFolder();
    expect(replay(folder)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^replay: skipped/), stderr: "" });
    remove();
  });

  test.skipIf(!existsSync(DRIVER))("sends each call through the decision path, by the driver", () => {
    const { folder, remove } = madeUpFolder();
    symlinkSync(DRIVER, driverPath(folder));
    const { status, stdout, stderr } = replay(folder);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/made_up\/attack\/ALL +2 +50\.0 % +50\.0 % +prevented/);
    expect(stdout).toMatch(/made_up\/benign\/ALL +1 +100\.0 % +100\.0 % +goals kept/);
    expect(stdout).toContain("over 6 decisions");
    remove();
  });

  test.skipIf(!existsSync(DRIVER))("fails when the path denies what the rules do not explain", () => {
    // The recorded arguments do not fit the described ones, so reads are denied that the baseline lets run.
    const narrow = TOOLS.map((tool) => ({ ...tool, parameters: { type: "object", properties: {} } }));
    const { folder, remove } = madeUpFolder(CASES, narrow);
    symlinkSync(DRIVER, driverPath(folder));
    const { status, stdout } = replay(folder);
    expect(status).toBe(1);
    expect(stdout).toContain("made_up/parts get_part: argument_not_allowed (3)");
    expect(stdout).toContain("not explained by them");
    remove();
  });
});
