import type { BeginOptions, ToolCall } from "@ambit/core";
import { describe, expect, it } from "vitest";
import { BEGIN, codeOf, fixture, type Fixture } from "./support/fixture.ts";
import { signedFixture } from "./support/signed.ts";

const ARGS = { contract_id: "k1" };
const RESULT = { customer_id: "c1", title: "t", terms: "r" };
const PINNED = `sha-256:${"A".repeat(43)}`;

const WORLDS: readonly (readonly [string, () => Promise<Fixture>])[] = [
  ["behind handles", () => fixture()],
  ["that are signed", () => signedFixture()],
];

describe.each(WORLDS)("a call over two enforcement points, under envelopes %s", (_, create) => {
  const scene = async (begin: Partial<BeginOptions> = {}) => {
    const base = await create();
    const task = await base.pep.begin({ ...BEGIN, ...begin });
    const outer: ToolCall = { envelope: task, tool: "contracts_read", arguments: ARGS };
    const inner: ToolCall = { ...outer, server: "crm", definition: PINNED };
    const over = async (within: () => Promise<unknown>) => base.pep.enforce(outer, within);
    const enforceInner = async (call: Partial<ToolCall> = {}, pep = base.pep) => codeOf(await pep.enforce({ ...inner, ...call }, () => RESULT));
    const counts = () => {
      const kinds = base.records().map(({ kind, details }) => (kind === "decision" ? `${kind} ${details["decision"]}` : kind));
      const of = (kind: string): number => kinds.filter((one) => one === kind).length;
      return { permits: of("decision permit"), denies: of("decision deny"), outcomes: of("outcome") };
    };
    return { ...base, task, outer, over, enforceInner, counts };
  };

  it("is decided, charged and recorded once", async () => {
    const { over, enforceInner, counts } = await scene({ budgets: { calls: 1 } });
    const codes: string[] = [];
    const enforced = await over(async () => (codes.push(await enforceInner()), RESULT));
    expect([codeOf(enforced), codes]).toEqual(["permit", ["permit"]]);
    expect(counts()).toEqual({ permits: 1, denies: 0, outcomes: 1 });
  });

  it("goes along once: the same call a second time is another one", async () => {
    const { over, enforceInner, counts } = await scene({ budgets: { calls: 1 } });
    const codes: string[] = [];
    await over(async () => {
      codes.push(await enforceInner(), await enforceInner());
      return RESULT;
    });
    expect(codes).toEqual(["permit", "budget_exhausted"]);
    expect(counts()).toEqual({ permits: 1, denies: 1, outcomes: 1 });
  });

  it("goes along once, however many ask at once", async () => {
    const { over, enforceInner } = await scene({ budgets: { calls: 1 } });
    let codes: readonly string[] = [];
    await over(async () => {
      codes = await Promise.all(Array.from({ length: 20 }, () => enforceInner()));
      return RESULT;
    });
    expect(codes.filter((code) => code === "permit")).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set(["permit", "budget_exhausted"]));
  });

  it("is another call where a framework has made one of it within the body, and the same at a second point for the framework's own", async () => {
    const { outer, pep, counts } = await scene({ budgets: { calls: 2 } });
    const own = { callId: "call_1", turn: "turn_1" };
    const codes: string[] = [];
    const anew: readonly Partial<ToolCall>[] = [
      { ...own, callId: "call_2" },
      { ...own, turn: "turn_2" },
      { ...own, turn: undefined },
    ];
    const within = async (call: Partial<ToolCall>) => codes.push(codeOf(await pep.enforce({ ...outer, ...call }, () => RESULT)));
    await pep.enforce({ ...outer, ...own }, async () => {
      for (const call of anew) await within(call);
      await within(own);
      return RESULT;
    });
    expect(codes).toEqual(["permit", "budget_exhausted", "budget_exhausted", "permit"]);
    expect(counts()).toEqual({ permits: 2, denies: 2, outcomes: 2 });
  });

  const others: readonly (readonly [string, Partial<ToolCall>, string])[] = [
    ["other arguments", { arguments: { contract_id: "k2" } }, "budget_exhausted"],
    ["an argument more", { arguments: { ...ARGS, more: 1 } }, "argument_not_allowed"],
    ["arguments that are no data", { arguments: { contract_id: 1n } }, "argument_not_allowed"],
    ["another tool", { tool: "crm_read", server: undefined, definition: undefined, arguments: { customer_id: "c1" } }, "budget_exhausted"],
    ["a name that no tool has", { tool: "contracts_Read" }, "tool_unmapped"],
    ["a definition that is not the pinned one", { definition: `sha-256:${"B".repeat(43)}` }, "tool_changed"],
    ["no definition where one is pinned", { definition: undefined }, "tool_changed"],
    ["no envelope", { envelope: undefined }, "envelope_malformed"],
  ];

  it.each(others)("does not go along with %s", async (_name, call, code) => {
    const { over, enforceInner } = await scene({ budgets: { calls: 1 } });
    let inner: string | undefined;
    await over(async () => ((inner = await enforceInner(call)), RESULT));
    expect(inner).toBe(code);
  });

  it("does not go along under another envelope, nor for another agent", async () => {
    const { pep, task, over, enforceInner } = await scene({ budgets: { calls: 1 } });
    const child = await pep.handOff(task, { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] });
    const codes: string[] = [];
    await over(async () => {
      codes.push(await enforceInner({}, pep.as("classifier")), await enforceInner({ envelope: child }, pep.as("classifier")));
      return RESULT;
    });
    expect(codes).toEqual([expect.stringMatching(/^(holder_mismatch|pop_invalid)$/), "budget_exhausted"]);
  });

  it("does not go along once the body has ended, or the grant would have run out", async () => {
    const { over, enforceInner } = await scene({ budgets: { calls: 1 } });
    let leave = (): void => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    let late: Promise<string> | undefined;
    await over(async () => ((late = left.then(() => enforceInner())), RESULT));
    leave();
    expect(await late).toBe("budget_exhausted");

    const other = await scene({ budgets: { calls: 1 } });
    let slow: string | undefined;
    await other.over(async () => {
      other.advance(120_000);
      slow = await other.enforceInner();
      return RESULT;
    });
    expect(slow).toBe("budget_exhausted");
  });

  it("is not decided by the outer point where that refuses: the body does not run", async () => {
    const { pep, outer, enforceInner } = await scene({ budgets: { calls: 1 } });
    let ran = false;
    const refused = await pep.enforce({ ...outer, arguments: { contract_id: "k9" } }, async () => ((ran = true), await enforceInner()));
    expect([codeOf(refused), ran]).toEqual(["argument_not_allowed", false]);
  });

  it("has its result checked by the outer point, and its failure recorded there", async () => {
    const { over, enforceInner, records } = await scene();
    const foreign = await over(async () => (await enforceInner(), { ...RESULT, customer_id: "c2" }));
    expect(codeOf(foreign)).not.toBe("permit");
    await expect(
      over(async () => {
        await enforceInner();
        throw new Error("broken");
      }),
    ).rejects.toThrow("broken");
    const outcomes = records().flatMap(({ kind, details }) => (kind === "outcome" ? [details["status"]] : []));
    expect(outcomes).toEqual(["withheld", "failed"]);
  });
});

describe("a call within the body of the same call", () => {
  it("is decided by itself where it cannot be told that it is the same, or by another decision point", async () => {
    const base = await fixture();
    const task = await base.pep.begin({ ...BEGIN, budgets: { calls: 1 } });
    let isKnown = true;
    const pep = base.pepWith({ ...base.pdp, terms: () => (isKnown ? base.pdp.terms() : Promise.reject(new Error("away"))) });
    const outer: ToolCall = { envelope: task, tool: "contracts_read", arguments: ARGS };
    const codes: string[] = [];
    await pep.enforce(outer, async () => {
      isKnown = false;
      codes.push(codeOf(await pep.enforce(outer, () => RESULT)), codeOf(await base.pep.enforce(outer, () => RESULT)));
      return RESULT;
    });
    expect(codes).toEqual(["budget_exhausted", "budget_exhausted"]);
  });
});
