import type { GrantUse, LogReport } from "@ambit/core/audit";
import { describe, expect, test } from "vitest";
import { proposalOf } from "../src/init/proposal.ts";

const use = (purpose: string, agent: string, calls: Readonly<Record<string, number>>, handedOn: Readonly<Record<string, number>> = {}): GrantUse => ({
  tenant: "t",
  purpose,
  agent,
  envelopes: 1,
  tools: Object.entries(calls).map(([tool, count]) => ({ tool, granted: 1, used: Math.min(1, count), calls: count })),
  neverCalled: [],
  toHandOn: Object.entries(handedOn).map(([tool, count]) => ({ tool, granted: 1, handedOn: count })),
  reserved: {},
  records: 0,
  dataClasses: [],
  life: { granted: 60, used: 1 },
});

const reportWith = (...granted: readonly GrantUse[]): LogReport => ({
  records: 1,
  policyDigests: [],
  calls: { permitted: 1, denied: 0, approvals: 0, observed: 0 },
  tasks: [],
  agents: [],
  tools: [],
  refusals: [],
  wouldBeDenied: [],
  granted,
});

const AGENTS = {
  agents: {
    coordinator: { trust_zone: "first_party", ceiling: { allowed_tools: ["a"], may_delegate: ["b", "c"], resource_constraints: { max_records: 5 } } },
    worker: { trust_zone: "first_party", ceiling: "none" },
    idle: { trust_zone: "third_party", ceiling: "none" },
  },
};
const PURPOSES = {
  purposes: {
    whole: { tools: ["a", "b", "c", "d"] },
    part: { parent: "whole", tools: ["b", "c"] },
    later: { parent: "whole", tools: ["d"] },
  },
};

describe("a proposal", () => {
  test("keeps what was called, what was handed on, and everything else of an entry as it was", () => {
    const { agents, taken, unseen } = proposalOf(
      AGENTS,
      PURPOSES,
      reportWith(use("whole", "coordinator", { a: 0 }, { b: 1, c: 0 }), use("part", "worker", { b: 3, c: 0 })),
    );
    expect(agents).toEqual({
      agents: {
        coordinator: { trust_zone: "first_party", ceiling: { allowed_tools: [], may_delegate: ["b"], resource_constraints: { max_records: 5 } } },
        worker: { trust_zone: "first_party", ceiling: { allowed_tools: ["b"] } },
        idle: AGENTS.agents.idle,
      },
    });
    expect(taken.filter(({ kind }) => kind === "agent")).toEqual([
      { kind: "agent", id: "coordinator", kept: ["b"], removed: ["a", "c"] },
      { kind: "agent", id: "worker", kept: ["b"], removed: ["c"] },
    ]);
    expect(unseen).toEqual([
      { kind: "agent", id: "idle" },
      { kind: "purpose", id: "later" },
    ]);
  });

  test("leaves a purpose what those below it need, also those that have not run yet", () => {
    const { purposes } = proposalOf(AGENTS, PURPOSES, reportWith(use("whole", "coordinator", { a: 1 }), use("part", "worker", { b: 1 })));
    expect(purposes).toMatchObject({ purposes: { whole: { tools: ["a", "b", "d"] }, part: { tools: ["b"] }, later: { tools: ["d"] } } });
  });

  test("adds nothing that the configuration does not have", () => {
    const { agents, purposes } = proposalOf(AGENTS, PURPOSES, reportWith(use("part", "coordinator", { a: 1, d: 1, z: 1 })));
    expect(agents).toMatchObject({ agents: { coordinator: { ceiling: { allowed_tools: ["a"] } } } });
    expect(purposes).toMatchObject({ purposes: { part: { tools: [] }, whole: { tools: ["a", "d"] } } });
  });

  test.each([[null], [[]], [{}], [{ agents: [] }], [{ agents: { a: 7 } }]])("is none of %j", (agents) => {
    expect(() => proposalOf(agents, PURPOSES, reportWith())).toThrow(expect.objectContaining({ code: "proposal_impossible" }));
  });
});
