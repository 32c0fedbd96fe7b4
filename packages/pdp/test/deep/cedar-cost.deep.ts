import { expect, it } from "vitest";
import { say } from "../../../core/test/deep/runs.ts";
import { createCedarEngine, type CedarEngine } from "../../src/cedar/cedar-engine.ts";
import type { Evaluation } from "../../src/engine/policy-engine.ts";
import { parseManifest } from "../../src/manifest/parse-manifest.ts";

// What a decision costs, compiled and by cedar-wasm, in one run. Only ratios say something: nothing here is held to a time.

const TOOLS = 40;
const text = { type: "string" };
const input = {
  type: "object",
  properties: { customer_id: text, limit: { type: "integer" }, tags: { type: "array", items: text }, note: text, region: text },
  required: ["customer_id"],
};
const manifest = parseManifest({
  tools: Object.fromEntries(
    Array.from({ length: TOOLS }, (_, index) => [
      `crm.t${index}`,
      { names: [{ name: `t${index}`, pin: "none" }], input_schema: input, effect: "read", resource: { type: "Customer", id: "/customer_id" } },
    ]),
  ),
});

const CONDITIONS = [
  ["permit", 'context.tenant == principal.tenant && context.arguments.customer_id like "c*"'],
  ["permit", 'context.agent.trust_zone == "first_party" && context.purpose == "support"'],
  ["forbid", "context.arguments has limit && context.arguments.limit > 100"],
  ["permit", 'context.task.depth < 3 && ["eu", "us"].contains(context.arguments.region)'],
  ["forbid", 'context.arguments has tags && context.arguments.tags.containsAny(["secret", "private"])'],
] as const;

/** Twenty policies for the tool that is asked about, or so many for every action; the others are for other tools. */
function engineOf(count: number, mode: "own tool" | "every tool", evaluator: "compiled" | "cedar-wasm"): CedarEngine {
  const policies = Array.from({ length: count }, (_, index) => {
    const [effect, condition] = CONDITIONS[index % CONDITIONS.length] ?? CONDITIONS[0];
    const tool = index < 20 ? 0 : 1 + (index % (TOOLS - 1));
    const isEverywhere = mode === "every tool" && !condition.includes("context.arguments");
    const own = condition
      .replace("context.arguments has limit && ", "context.arguments has limit && ")
      .replace("contains(context.arguments.region)", "contains(context.purpose)");
    return `${effect} (principal, action${isEverywhere ? "" : ` == Action::"crm.t${mode === "every tool" ? 0 : tool}"`}, resource) when { ${own} };`;
  });
  return createCedarEngine([{ name: "p.cedar", text: policies.join("\n") }], manifest, {}, evaluator);
}

const user = { type: "user", id: "alice", properties: { tenant: "t" } };
const agent = { type: "agent", id: "bot", properties: { tenant: "t", trust_zone: "first_party" } };
const context = {
  agent,
  delegator: user,
  tenant: "t",
  purpose: "support",
  time: 0,
  task: { id: "task", calls: 3, depth: 1, tools_used: ["crm.t1", "crm.t2"], previous_tool: "crm.t2" },
  labels: { integrity: "trusted", data_classes: ["pii"] },
  tool: { effect: "read", sends_outside: false, data_classes: ["pii"] },
  arguments: { customer_id: "c42", limit: 10, tags: ["a", "b"], note: "n", region: "eu" },
};
const BATCH = [user, agent].map(
  (subject): Evaluation => ({ subject, action: { name: "crm.t0" }, resource: { type: "Customer", id: "c42" }, context }) as never,
);

/** Microseconds for a batch of the delegator and one agent: the fastest and the median of rounds that take some milliseconds each. */
async function cost(engine: CedarEngine, perRound: number): Promise<{ readonly least: number; readonly median: number }> {
  const rounds: number[] = [];
  for (let round = 0; round < 60; round++) {
    const began = performance.now();
    for (let index = 0; index < perRound; index++) await engine.evaluate(BATCH);
    rounds.push(((performance.now() - began) * 1000) / perRound);
  }
  rounds.sort((left, right) => left - right);
  return { least: rounds[0] ?? 0, median: rounds[30] ?? 0 };
}

it.each([
  [20, "own tool"],
  [200, "own tool"],
  [2000, "own tool"],
  [200, "every tool"],
  [2000, "every tool"],
] as const)("a decision about %i policies, those for %s", async (count, mode) => {
  const [compiled, wasm] = [engineOf(count, mode, "compiled"), engineOf(count, mode, "cedar-wasm")];
  const [answer, same] = [await compiled.evaluate(BATCH), await wasm.evaluate(BATCH)];
  expect(answer.map(({ effect, errors }) => [effect, errors])).toEqual(same.map(({ effect, errors }) => [effect, errors]));
  expect(compiled.evaluator).toBe("compiled");
  await cost(compiled, 200);
  const [ours, theirs] = [await cost(compiled, 200), await cost(wasm, count > 200 ? 2 : 10)];
  const shown = ({ least, median }: { readonly least: number; readonly median: number }): string => `${least.toFixed(1)} / ${median.toFixed(1)} us`;
  say(
    `${count} policies, ${mode}: compiled ${shown(ours)}, cedar-wasm ${shown(theirs)} (least / median of a batch of two): ${(theirs.median / ours.median).toFixed(0)} times`,
  );
});
