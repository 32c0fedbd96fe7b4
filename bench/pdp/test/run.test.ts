import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { EMBEDDED } from "../src/embedded.ts";
import type { Report } from "../src/report.ts";
import { PEERS } from "../src/service/measure-service.ts";
import { STEPS } from "../src/steps.ts";

const RUN = fileURLToPath(new URL("../src/run.ts", import.meta.url));
const FLAGS = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

describe("npm run bench:pdp", () => {
  test("decides what it times, embedded and through the service, and compares it with its peers", { timeout: 180_000 }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...FLAGS, RUN, "--json", "--tiny"], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { scale, embedded, steps, enforce, service, envelopes, tuples, targets } = JSON.parse(stdout) as Report;
    const { compiled, wasm, ...compared } = EMBEDDED;
    expect(embedded.measured.map(({ name }) => name).toSorted()).toEqual(Object.values(compared).toSorted());
    expect(embedded.bases.map(({ name }) => name).toSorted()).toEqual([compiled, wasm].toSorted());
    for (const kind of ["handle", "signed"]) {
      const own = steps.filter((one) => one.kind === kind);
      const whole = own.filter(({ isPart }) => !isPart);
      expect(whole.map(({ step }) => step)).toEqual(STEPS);
      // Every step is passed, in this order; without a gap between them they are the whole.
      expect(whole.every(({ share }) => share > 0 && share < 1)).toBe(true);
      expect(whole.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
      expect(own).toHaveLength(STEPS.length + 4);
    }
    expect(enforce.every(({ p50, p99 }) => p50 > 0 && p99 >= p50)).toBe(true);

    const ratios = [...embedded.measured, ...service.decision.throughput, ...service.evaluation.throughput, ...service.clients].flatMap((one) => [
      one.ratio,
      "processor" in one ? one.processor : 1,
    ]);
    expect(ratios.filter((ratio) => !(ratio > 0 && Number.isFinite(ratio)))).toEqual([]);
    for (const [{ throughput, halfLoad }, peers] of [[service.decision, PEERS] as const, [service.evaluation, PEERS.slice(0, 2)] as const]) {
      expect(throughput).toHaveLength(peers.length * scale.concurrencies.length);
      expect(halfLoad.map(({ server }) => server)).toEqual(["service", ...peers]);
      expect(halfLoad.every(({ p50, p99 }) => p50 > 0 && p99 >= p50)).toBe(true);
    }

    expect(envelopes.map(({ kind }) => kind)).toEqual(["handle", "signed"]);
    // A call that was decided is remembered.
    expect(envelopes.every(({ used, begun, text }) => used > begun && text > 100)).toBe(true);
    expect(tuples).toMatchObject({ tuples: scale.tuples });
    expect(tuples.bytes).toBeGreaterThan(0);
    expect(targets).toHaveLength(2 * (scale.concurrencies.length + 1));
  });

  test("refuses a number of rounds that is none", () => {
    expect(spawnSync(process.execPath, [...FLAGS, RUN, "--rounds", "0"], { encoding: "utf8" })).toMatchObject({ status: 1, stdout: "" });
  });
});
