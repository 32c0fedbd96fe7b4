import { describe, expect, test } from "vitest";
import { lines, type Report } from "../src/report.ts";
import { SCALES } from "../src/scale.ts";
import { judge } from "../src/targets.ts";

const scale = { ...SCALES.tiny, concurrencies: [1, 8] };
const decision: Report["service"]["decision"] = {
  throughput: [
    { peer: "bare handler", concurrency: 1, ratio: 0.5, processor: 0.4 },
    { peer: "bare handler", concurrency: 8, ratio: 0.49, processor: 0.3 },
    { peer: "bare handler that verifies one signature", concurrency: 8, ratio: 0.9, processor: 0.9 },
  ],
  rates: [{ server: "service", concurrency: 8, perSecond: 2000, asking: 0.41 }],
  halfLoad: [
    { server: "bare handler", perSecond: 1000, p50: 0.1, p99: 9 },
    { server: "service", perSecond: 1000, p50: 1, p99: 5 },
  ],
};
const evaluation: Report["service"]["evaluation"] = {
  throughput: [{ peer: "bare handler", concurrency: 1, ratio: 0.625, processor: 0.5 }],
  rates: [{ server: "service", concurrency: 1, perSecond: 9000, asking: 0.5 }],
  halfLoad: [{ server: "service", perSecond: 4500, p50: 0.25, p99: 0.75 }],
};
const service: Report["service"] = {
  decision,
  evaluation,
  clients: [{ concurrency: 8, ratio: 0.75, processor: 0.5, p50: 4, p99: 6, plain: { p50: 3, p99: 5 } }],
};

describe("the targets", () => {
  test("are met at the limit itself, the throughput not below it and the time not above", () => {
    expect(judge("decision", decision, scale.concurrencies).map(({ isMet }) => isMet)).toEqual([true, false, true]);
    const late = decision.halfLoad.map((one) => ({ ...one, p99: 5.01 }));
    expect(judge("decision", { ...decision, halfLoad: late }, [1]).map(({ isMet }) => isMet)).toEqual([true, false]);
  });

  test("are about the bare handler and the service, and not met where nothing of these was measured", () => {
    const others = {
      throughput: [{ peer: "bare handler that verifies one signature", concurrency: 1, ratio: 2, processor: 2 }],
      halfLoad: [{ server: "bare handler", perSecond: 1, p50: 1, p99: 1 }],
    } as const;
    expect(judge("decision", others, [1]).map(({ isMet }) => isMet)).toEqual([false, false]);
  });
});

describe("the report", () => {
  const report: Report = {
    node: "v24.0.0",
    machine: { processors: 2, load: [3.25, 4.75] },
    scale,
    embedded: {
      measured: [{ name: "decision, handle", base: "policy call, compiled", ratio: 9.5 }],
      bases: [{ name: "policy call, compiled", microseconds: 10 }],
    },
    steps: [
      { kind: "handle", step: "log", isPart: false, share: 0.5, microseconds: 43.7 },
      { kind: "signed", step: "log", isPart: false, share: 0.25, microseconds: 50 },
      { kind: "handle", step: "log port", isPart: true, share: 0.15, microseconds: 13.1 },
    ],
    enforce: [{ kind: "handle", p50: 175, p99: 330 }],
    service,
    envelopes: [{ kind: "handle", envelopes: 50, begun: 1800, used: 5000, text: 500 }],
    tuples: { tuples: 100_000, bytes: 300, plain: 150 },
    targets: [...judge("decision", decision, scale.concurrencies), ...judge("evaluation", evaluation, [1])],
  };
  const text = lines(report).join("\n");

  test("prints ratios, steps, rates, bytes, the load of the machine and what was met", () => {
    expect(text).toContain("load of the machine 3.3 before, 4.8 after");
    expect(text).toMatch(/decision, handle +9\.50 +of policy call, compiled\n/);
    expect(text).toMatch(/ {2}log +50 % +43\.7 +25 % +50\.0\n {4}of which log port +15 % +13\.1 +– +–\n/);
    expect(text).toMatch(/ {2}handle +175 +330 +17\.5\n/);
    expect(text).toMatch(/ {2}service +– \(–\) +2000 \(41 %\)\n/);
    expect(text).toMatch(/of a bare handler +50 % +49 %\n/);
    expect(text).toMatch(/relations +300 +30\.0 +2\.00\n/);
    expect(text).toContain("met     decisions, throughput of the service, 1 at a time, of a bare handler's: 50 %, at least 50 %");
    expect(text).toContain("not met decisions, throughput of the service, 8 at a time, of a bare handler's: 49 %, at least 50 %");
    expect(text).toContain("met     decisions, p99 of the service at half load: 5.00 ms, at most 5.00 ms");
    expect(text).toContain("met     evaluations, throughput of the service, 1 at a time, of a bare handler's: 63 %, at least 50 %");
    expect(text).toMatch(/evaluations, 4500 a second, half of the most +p50, ms +p99, ms\n {2}service +0\.25 +0\.75\n/);
  });
});
