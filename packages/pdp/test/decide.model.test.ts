import { createMemoryLog } from "@ambit/core/audit";
import type { RefusalCode } from "@ambit/core";
import { expect, it } from "vitest";
import { createMemoryState } from "../src/state/memory-state.ts";
import type { PolicyAnswer } from "../src/engine/policy-engine.ts";
import { BEGIN, CONFIG, fixture, NOW } from "./support/fixture.ts";
import { createPep } from "@ambit/core";

/** Everything that can be wrong with a call, in the order in which the path looks at it. */
const FLAWS = [
  ["wrongHolder", "holder_mismatch"],
  ["expired", "envelope_expired"],
  ["ended", "envelope_revoked"],
  ["unmapped", "tool_unmapped"],
  ["notAllowed", "tool_not_allowed"],
  ["badArgument", "argument_not_allowed"],
  ["offPurpose", "purpose_mismatch"],
  ["engineError", "policy_error"],
  ["policyDenies", "policy_denied"],
  ["needsApproval", "approval_required"],
  ["noBudget", "budget_exhausted"],
  ["logDown", "log_unavailable"],
] as const satisfies readonly (readonly [string, RefusalCode])[];

type Flaw = (typeof FLAWS)[number][0];

/** The model: the first flaw decides, none permits. It shares nothing with the code but the order of docs/architecture.md */
function expected(flaws: ReadonlySet<Flaw>): string {
  return FLAWS.find(([flaw]) => flaws.has(flaw))?.[1] ?? "permit";
}

async function actual(flaws: ReadonlySet<Flaw>): Promise<{ readonly code: string; readonly runs: number }> {
  let isArmed = false;
  const has = (flaw: Flaw): boolean => isArmed && flaws.has(flaw);
  const memory = createMemoryLog();
  const answer = (): PolicyAnswer => ({ effect: has("policyDenies") ? "deny" : "permit", policies: [], errors: has("engineError") ? ["x"] : [] });
  const { pep, pdp, advance } = await fixture(
    {
      purposes: {
        purposes: {
          review: { tools: ["contracts.read", "crm.read", "tickets.create"], ...(flaws.has("offPurpose") ? { data_classes: ["contract_metadata"] } : {}) },
        },
      },
    },
    {
      state: createMemoryState(),
      log: { append: (body) => (has("logDown") ? Promise.reject(new Error("disk full")) : memory.append(body)) },
      engine: { isEmpty: false, digest: "x", evaluate: async (list) => list.map(answer) },
    },
  );
  const task = await pep.begin({
    ...BEGIN,
    allowedTools: flaws.has("notAllowed") ? ["tickets.create"] : ["crm.read"],
    resourceConstraints: { customer_id: "c1" },
    approvals: flaws.has("needsApproval") ? ["crm.read"] : [],
    budgets: flaws.has("noBudget") ? { calls: 0 } : {},
  });
  if (flaws.has("ended")) await task.end();
  if (flaws.has("expired")) advance(600_000);
  isArmed = true;
  let runs = 0;
  const asker = createPep({ pdp, agent: flaws.has("wrongHolder") ? "coordinator" : "reviewer", now: () => NOW });
  const enforced = await asker.enforce(
    { envelope: task, tool: flaws.has("unmapped") ? "unknown" : "crm_read", arguments: { customer_id: flaws.has("badArgument") ? "c2" : "c1" } },
    () => {
      runs += 1;
      isArmed = false; // the outcome is recorded in any case
      return { records: [] };
    },
  );
  return { code: enforced.refused?.refusal.code ?? "permit", runs };
}

it("agrees with a model of the path over every combination of up to three flaws, and over random larger ones", async () => {
  const names = FLAWS.map(([flaw]) => flaw);
  const sets: ReadonlySet<Flaw>[] = [new Set()];
  names.forEach((a, i) => {
    sets.push(new Set([a]));
    names.slice(i + 1).forEach((b, j) => {
      sets.push(new Set([a, b]));
      for (const c of names.slice(i + j + 2)) sets.push(new Set([a, b, c]));
    });
  });
  for (let seed = 1; seed <= 200; seed += 1) sets.push(new Set(names.filter((_, index) => ((seed * 2_654_435_761) >>> (index + 3)) & 1)));
  for (const flaws of sets) {
    const { code, runs } = await actual(flaws);
    expect([code, runs], [...flaws].join("+")).toEqual([expected(flaws), expected(flaws) === "permit" ? 1 : 0]);
  }
  expect(sets.length).toBeGreaterThan(450);
  expect(CONFIG.approvals).toBe("none");
});
