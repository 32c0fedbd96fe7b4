import { createPep } from "@ambit/core";
import { describe, expect, it } from "vitest";
import { BEGIN, codeOf, CONFIG, fixture, MANIFEST, outcomeOf } from "./support/fixture.ts";

const CONTRACT = { customer_id: "c1", title: "t", terms: "r", salary: 7 };
const list = (count: number): object => ({ records: Array.from({ length: count }, () => ({ customer_id: "c1" })) });
const READ = { customer_id: "c1", limit: 5 };

function tally(codes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

/** The manifest with another entry for one tool. */
function withTool(id: keyof typeof MANIFEST.tools, change: object): { readonly manifest: object } {
  return { manifest: { tools: { ...MANIFEST.tools, [id]: { ...MANIFEST.tools[id], ...change } } } };
}

describe("max_records", () => {
  it("lets exactly as many of twenty parallel calls through as fit", async () => {
    const { pep } = await fixture();
    const task = await pep.begin(BEGIN);
    const codes = await Promise.all(Array.from({ length: 20 }, () => outcomeOf(pep, task, "crm_read", READ, list(5))));
    expect(tally(codes)).toEqual({ permit: 5, budget_exhausted: 15 });
  });

  it("gives back what a call did not use", async () => {
    const { pep } = await fixture();
    const task = await pep.begin(BEGIN);
    for (let call = 0; call < 24; call += 1) expect(await outcomeOf(pep, task, "crm_read", READ, list(1))).toBe(call <= 20 ? "permit" : "budget_exhausted");
  });

  it("gives back what a failed call had reserved", async () => {
    const { pep } = await fixture();
    const task = await pep.begin(BEGIN);
    for (let call = 0; call < 10; call += 1) {
      const failing = pep.enforce({ envelope: task, tool: "crm_read", arguments: READ }, () => Promise.reject(new Error("upstream down")));
      await expect(failing).rejects.toThrow("upstream down");
    }
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1", limit: 25 }, list(25))).toBe("permit");
  });

  it("reserves what is left when the call names no limit, and cuts the result to that", async () => {
    const { pep } = await fixture();
    const task = await pep.begin(BEGIN);
    await outcomeOf(pep, task, "crm_read", { customer_id: "c1", limit: 22 }, list(22));
    const enforced = await pep.enforce({ envelope: task, tool: "crm_read", arguments: { customer_id: "c1" } }, () => list(50));
    expect(enforced.refused === undefined && (enforced.result as { records: unknown[] }).records).toHaveLength(3);
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1" }, list(1))).toBe("budget_exhausted");
  });

  it("never returns more than the limit that was reserved, whatever the tool answers", async () => {
    const { pep } = await fixture();
    const task = await pep.begin(BEGIN);
    const enforced = await pep.enforce({ envelope: task, tool: "crm_read", arguments: READ }, () => list(500));
    expect(enforced.refused === undefined && (enforced.result as { records: unknown[] }).records).toHaveLength(5);
  });

  it.each([0, -1000])("takes a limit of %d for no limit, also where only a budget counts records", async (limit) => {
    const { pep } = await fixture();
    const task = await pep.begin({ ...BEGIN, resourceConstraints: {}, budgets: { records: 5 } });
    const call = (stated: number): Promise<string> => outcomeOf(pep, task, "crm_read", { customer_id: "c1", limit: stated }, list(50));
    expect(await Promise.all([call(limit), call(6), call(5)])).toEqual(["argument_not_allowed", "budget_exhausted", "permit"]);
  });

  it("is shared by siblings and their parent", async () => {
    const { pep } = await fixture();
    const root = await pep.begin(BEGIN);
    const children = await Promise.all(
      [1, 2, 3].map(() => pep.handOff(root, { agentId: "classifier", allowedTools: ["crm.read"], resourceConstraints: { max_records: 10 } })),
    );
    const classifier = pep.as("classifier");
    const codes = await Promise.all([
      ...children.flatMap((child) => [outcomeOf(classifier, child, "crm_read", READ, list(5)), outcomeOf(classifier, child, "crm_read", READ, list(5))]),
      outcomeOf(pep, root, "crm_read", READ, list(5)),
    ]);
    expect(tally(codes)).toEqual({ permit: 5, budget_exhausted: 2 });
  });

  it("holds nothing for a grant that nobody redeemed in time", async () => {
    const { pep, advance } = await fixture();
    const task = await pep.begin(BEGIN);
    const admission = await pep.admit({ envelope: task, tool: "crm_read", arguments: { customer_id: "c1", limit: 25 } });
    expect(admission.admitted).toBe(true);
    advance(20_000); // this one was redeemed: it keeps what it reserved, however long it runs
    expect(await outcomeOf(pep, task, "crm_read", READ, list(5))).toBe("budget_exhausted");
    if (admission.admitted) await admission.fail(new Error("x"));
    expect(await outcomeOf(pep, task, "crm_read", READ, list(5))).toBe("permit");
  });

  it("keeps what a call reserved of which nobody knows how it ended", async () => {
    const { pep } = await fixture();
    const task = await pep.begin(BEGIN);
    const admission = await pep.admit({ envelope: task, tool: "crm_read", arguments: { customer_id: "c1", limit: 25 } });
    if (admission.admitted) await admission.abandon();
    expect(await outcomeOf(pep, task, "crm_read", READ, list(5))).toBe("budget_exhausted");
  });
});

describe("budgets", () => {
  it("count calls, in all and per tool", async () => {
    const { pep } = await fixture();
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 3, tools: { "tickets.create": { calls: 1 } } } });
    const codes: string[] = [];
    for (const tool of ["tickets_create", "tickets_create", "contracts_read", "contracts_read", "contracts_read"]) {
      codes.push(await outcomeOf(pep, task, tool, tool === "tickets_create" ? { title: "x" } : { contract_id: "k1" }, CONTRACT));
    }
    expect(codes).toEqual(["permit", "budget_exhausted", "permit", "permit", "budget_exhausted"]);
  });

  it("count money in the currency of the call, and know no other", async () => {
    const { pep } = await fixture();
    const task = await pep.begin({ ...BEGIN, budgets: { money: { EUR: 100 } } });
    expect(await outcomeOf(pep, task, "tickets_create", { title: "x", cost: 60 })).toBe("permit");
    expect(await outcomeOf(pep, task, "tickets_create", { title: "x", cost: 60 })).toBe("budget_exhausted");
    expect(await outcomeOf(pep, task, "tickets_create", { title: "x", cost: 40 })).toBe("permit");
    expect(await outcomeOf(pep, task, "tickets_create", { title: "x", cost: -40 })).toBe("argument_not_allowed");
    expect(await outcomeOf(pep, task, "tickets_create", { title: "x", cost: 0.5 })).toBe("argument_not_allowed");
    const dollars = await pep.begin({ ...BEGIN, budgets: { money: { USD: 100 } } });
    expect(await outcomeOf(pep, dollars, "tickets_create", { title: "x", cost: 1 })).toBe("budget_exhausted");
  });

  const ANY_CURRENCY = withTool("tickets.create", {
    input_schema: { type: "object", properties: { title: { type: "string" }, cost: { type: "integer" }, currency: { type: "string" } } },
    money: { amount: "/cost", currency: "/currency" },
  });
  const COST_IS_LONG = { policies: [{ name: "p.cedar", text: "permit (principal, action, resource);" }] };

  it.each([
    ["in all", { money: { EUR: 100 } }, undefined, "budget_exhausted"],
    ["per tool", { tools: { "tickets.create": { money: { EUR: 100 } } } }, undefined, "budget_exhausted"],
    ["in all, whatever a child adds for the tool", { money: { EUR: 100 } }, { tools: { "tickets.create": { money: { USD: 1_000_000 } } } }, "budget_exhausted"],
    ["in all and per tool", { money: { EUR: 100, USD: 5000 }, tools: { "tickets.create": { money: { USD: 5000 } } } }, undefined, "permit"],
    ["per another tool", { tools: { "crm.read": { money: { EUR: 100 } } } }, undefined, "permit"],
    ["of no currency", { money: {} }, undefined, "budget_exhausted"],
  ])("of money %s allow no other currency, over the whole chain", async (_, budgets, childBudgets, expected) => {
    const { pep } = await fixture({ ...ANY_CURRENCY, ...COST_IS_LONG });
    const root = await pep.begin({ ...BEGIN, budgets });
    const child = await pep.handOff(root, { agentId: "reviewer", allowedTools: ["tickets.create"], ...(childBudgets && { budgets: childBudgets }) });
    expect(await outcomeOf(pep, child, "tickets_create", { title: "x", cost: 5000, currency: "USD" })).toBe(expected);
  });

  it.each([
    ["may write and does not say what money it spends", "tickets.create", { money: undefined }, "constraint_unmapped"],
    ["may write and spends none", "tickets.create", { money: "none" }, "permit"],
    ["only reads and does not say", "tickets.create", { money: undefined, effect: "read" }, "permit"],
  ] as const)("of money: a tool that %s", async (_, id, change, expected) => {
    const { pep, records } = await fixture({ ...withTool(id, change), ...COST_IS_LONG });
    const task = await pep.begin({ ...BEGIN, budgets: { money: { EUR: 0 } } });
    expect(await outcomeOf(pep, task, "tickets_create", { title: "x", cost: 1_000_000 })).toBe(expected);
    const hint = records().find(({ kind }) => kind === "decision")?.details["hint"];
    expect(hint).toEqual(expected === "permit" ? undefined : expect.stringContaining("`money`"));
    expect(CONFIG.manifest).toBe(MANIFEST);
  });

  it.each([
    ["tickets_create", { calls: 1 }, 1],
    ["tickets_create", { money: { EUR: 100 } }, 1],
    ["tickets_create", { rate: { "60": 1 } }, 1],
    ["contracts_read", { rate: { "60": 1 } }, 1],
    ["contracts_read", { calls: 1 }, 3],
  ])("are not given back by a call of %s that failed on the way: %j", async (tool, budgets, runs) => {
    const { pep } = await fixture();
    const envelope = await pep.begin({ ...BEGIN, budgets });
    const args = tool === "tickets_create" ? { title: "x", cost: 100 } : { contract_id: "k1" };
    let ran = 0;
    for (let call = 0; call < 3; call += 1) {
      const late = (): never => {
        ran += 1;
        throw new Error("timed out after the payment was made");
      };
      await pep.enforce({ envelope, tool, arguments: args }, late).catch(() => undefined);
    }
    expect(ran).toBe(runs);
  });

  it("are given back whole by a call that was admitted and never sent to its tool", async () => {
    const { pep, records } = await fixture();
    const envelope = await pep.begin({ ...BEGIN, budgets: { calls: 1, money: { EUR: 100 }, rate: { "60": 1 } } });
    const args = { title: "x", cost: 100 };
    const admission = await pep.admit({ envelope, tool: "tickets_create", arguments: args });
    if (admission.admitted) await admission.cancel();
    expect(records().at(-1)).toMatchObject({ kind: "outcome", details: { status: "not_run" } });
    expect(await outcomeOf(pep, envelope, "tickets_create", args)).toBe("permit");
    expect(await outcomeOf(pep, envelope, "tickets_create", args)).toBe("budget_exhausted");
  });

  it("are given back whole by a call that was decided and never ran", async () => {
    const { pep, pdp } = await fixture();
    const envelope = await pep.begin({ ...BEGIN, budgets: { calls: 1, money: { EUR: 100 }, rate: { "60": 1 } } });
    const refused = { redeemed: false, refusal: { code: "grant_invalid", message: "x", retryable: true } } as const;
    const unlucky = createPep({ pdp: { ...pdp, redeem: async () => refused }, agent: "reviewer", now: () => 0 });
    const args = { title: "x", cost: 100 };
    expect(await outcomeOf(unlucky, envelope, "tickets_create", args)).toBe("grant_invalid");
    expect(await outcomeOf(pep, envelope, "tickets_create", args)).toBe("permit");
    expect(await outcomeOf(pep, envelope, "tickets_create", args)).toBe("budget_exhausted");
  });

  it("stand when the same call is asked again with arguments that do not fit", async () => {
    const { pep } = await fixture();
    const envelope = await pep.begin({ ...BEGIN, budgets: { money: { EUR: 100 } } });
    const ask = (callId: string, cost: number): Promise<string> =>
      pep.enforce({ envelope, tool: "tickets_create", arguments: { title: "x", cost }, callId, turn: "1" }, () => ({})).then(codeOf);
    expect(await Promise.all([ask("a", 100), ask("a", 101), ask("b", 100)])).toEqual(["permit", expect.any(String), "budget_exhausted"]);
  });

  it("count calls within any window", async () => {
    const { pep, advance } = await fixture();
    const task = await pep.begin({ ...BEGIN, budgets: { rate: { "60": 2 } } });
    const call = (): Promise<string> => outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, CONTRACT);
    expect([await call(), await call(), await call()]).toEqual(["permit", "permit", "budget_exhausted"]);
    advance(59_999);
    expect(await call()).toBe("budget_exhausted");
    advance(1);
    expect([await call(), await call(), await call()]).toEqual(["permit", "permit", "budget_exhausted"]);
  });

  describe("of money, where the manifest says what result field tells it,", () => {
    const REPORTED = withTool("tickets.create", { money: { amount: "/cost", currency: "EUR", result: "/charged" } });
    const spend = async (result: unknown, budgets: object = { money: { EUR: 100 } }): Promise<{ readonly left: number; readonly details: object }> => {
      const { pep, records } = await fixture(REPORTED);
      const envelope = await pep.begin({ ...BEGIN, budgets });
      expect(await outcomeOf(pep, envelope, "tickets_create", { title: "x", cost: 60 }, result)).toBe("permit");
      const { details } = records().at(-1) ?? { details: {} };
      for (let left = 100; left >= 0; left -= 20)
        if ((await outcomeOf(pep, envelope, "tickets_create", { title: "x", cost: left }, result)) === "permit") return { left, details };
      return { left: -1, details };
    };

    it.each([
      ["less", { charged: 40 }, 60],
      ["nothing", { charged: 0 }, 100],
      ["all", { charged: 60 }, 40],
      ["less, as a server of tools wraps it", { content: [{ type: "text", text: "ok" }], structuredContent: { charged: 40 } }, 60],
      ["less, as text", '{"charged": 40}', 60],
    ])("are debited with what was really spent: %s", async (_, result, left) => {
      const told = await spend(result);
      expect(told.left).toBe(left);
      expect(told.details).toMatchObject({ money: { currency: "EUR", amount: 100 - left } });
      expect(told.details).not.toHaveProperty("exceeded");
    });

    it.each([{}, { charged: "40" }, { charged: 39.5 }, { charged: -5 }, { charged: null }, { charged: 2 ** 53 }, "paid", 40, null, new Map([["charged", 40]])])(
      "are debited with what was reserved where the result says no amount: %j",
      async (result) => {
        const { left, details } = await spend(result);
        expect(left).toBe(40);
        expect(details).not.toHaveProperty("money");
      },
    );

    it("are debited with no more than was reserved, and what is more is on the record and counted", async () => {
      const { pep, pdp, records } = await fixture(REPORTED);
      const envelope = await pep.begin({ ...BEGIN, budgets: { money: { EUR: 100 } } });
      expect(await outcomeOf(pep, envelope, "tickets_create", { title: "x", cost: 60 }, { charged: 90 })).toBe("permit");
      expect(records().at(-1)).toMatchObject({ kind: "outcome", details: { money: { currency: "EUR", amount: 90 }, exceeded: ["money/EUR"] } });
      expect(await outcomeOf(pep, envelope, "tickets_create", { title: "x", cost: 41 })).toBe("budget_exhausted");
      expect(await outcomeOf(pep, envelope, "tickets_create", { title: "x", cost: 40 })).toBe("permit");
      const counter = pdp.counters().find(({ name }) => name === "ambit_pdp_exceeded_reservations_total");
      expect([...(counter?.series ?? [])]).toEqual([['unit="money"', 1]]);
    });

    it("are debited in the currency that was reserved, whatever else is told", async () => {
      const { pep, pdp } = await fixture(REPORTED);
      const envelope = await pep.begin({ ...BEGIN, budgets: { money: { EUR: 100 } } });
      const other = createPep({
        pdp: { ...pdp, settle: (outcome) => pdp.settle({ ...outcome, money: { currency: "USD", amount: 0 } }) },
        agent: "reviewer",
        now: () => 0,
      });
      const args = { title: "x", cost: 60 };
      expect([await outcomeOf(other, envelope, "tickets_create", args), await outcomeOf(pep, envelope, "tickets_create", args)]).toEqual([
        "permit",
        "budget_exhausted",
      ]);
    });

    it("ask nothing of the result where no money is reserved, and none of it is held back", async () => {
      const { pep, records } = await fixture(REPORTED);
      const envelope = await pep.begin(BEGIN);
      expect(await outcomeOf(pep, envelope, "tickets_create", { title: "x", cost: 60 }, { charged: 40 })).toBe("permit");
      expect(records().at(-1)?.details).not.toHaveProperty("money");
      const limited = await pep.begin({ ...BEGIN, budgets: { money: { EUR: 100 } } });
      const result = { charged: 40, other: 1n };
      const enforced = await pep.enforce({ envelope: limited, tool: "tickets_create", arguments: { title: "x", cost: 60 } }, () => result);
      expect(enforced.refused === undefined && enforced.result).toBe(result);
    });
  });

  it("of nothing allow nothing", async () => {
    const { pep } = await fixture();
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 0 } });
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("budget_exhausted");
  });

  it("are not spent by what was refused", async () => {
    const { pep } = await fixture();
    const envelope = await pep.begin({ ...BEGIN, budgets: { calls: 1 } });
    await Promise.all(Array.from({ length: 10 }, () => outcomeOf(pep, envelope, "contracts_read", { contract_id: "k9" })));
    const enforced = await pep.enforce({ envelope, tool: "contracts_read", arguments: { contract_id: "k1" } }, () => CONTRACT);
    expect(codeOf(enforced)).toBe("permit");
  });
});
