import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { smallestChange, type HeldEnvelope, type RefusalFacts } from "../../src/audit/index.ts";

const source = readFileSync(new URL("../../src/errors.ts", import.meta.url), "utf8");
const union = source.slice(source.indexOf("export type RefusalCode ="), source.indexOf(";", source.indexOf("export type RefusalCode =")));
const CODES = Array.from(union.matchAll(/"([a-z_]+)"/g), ([, code]) => code as string);

const FACTS: RefusalFacts = {
  code: "tool_not_allowed",
  kind: "call",
  agent: "reviewer",
  tool: "crm.read",
  delegator: "user_1",
  purpose: "review",
  hint: undefined,
  chain: [],
  hasReadUntrusted: false,
};

function held(agent: string, allowedTools: readonly string[], mayDelegate?: readonly string[]): HeldEnvelope {
  return {
    envelope: `env_${agent}`,
    agent,
    purpose: "review",
    allowedTools,
    mayDelegate,
    decisionId: "dec_1",
    issuedAt: "2026-05-12T18:00:00Z",
    expiresAt: undefined,
  };
}

const HOSTILE = ["", "__proto__", "constructor", "a`b", "x\ny", "\u001b[2J", "\ud800", "a b", "é".repeat(600), "NaN"];
const name = fc.oneof(fc.constantFrom(...HOSTILE, "crm.read", "reviewer"), fc.string({ unit: "binary", maxLength: 20 }));
const facts = fc.record({
  code: fc.constantFrom(...CODES),
  kind: fc.constantFrom("call" as const, "begin" as const, "hand_off" as const),
  agent: name,
  tool: fc.option(name, { nil: undefined }),
  delegator: fc.option(name, { nil: undefined }),
  purpose: fc.option(name, { nil: undefined }),
  hint: fc.constant(undefined),
  chain: fc.array(
    fc.tuple(name, fc.array(name, { maxLength: 2 })).map(([agent, tools]) => held(agent, tools)),
    { maxLength: 3 },
  ),
  hasReadUntrusted: fc.boolean(),
  approvals: fc.option(
    fc.array(fc.record({ id: name, by: fc.array(name, { maxLength: 2 }), needed: fc.integer({ min: 1, max: 3 }), expiresAt: fc.constant(undefined) }), {
      maxLength: 4,
    }),
    {
      nil: undefined,
    },
  ),
});

describe("the smallest change", () => {
  test("is told for every code that there is", () => {
    expect(CODES.length).toBeGreaterThan(40);
    expect(CODES.filter((code) => smallestChange({ ...FACTS, code }) === undefined)).toEqual([]);
  });

  test.each(["frobnicated", "constructor", "__proto__", "toString", ""])("is not made up for the code `%s`", (code) => {
    expect(smallestChange({ ...FACTS, code })).toBeUndefined();
  });

  test("is one sentence, of which nothing is a line or a name of somebody else's making", () => {
    fc.assert(
      fc.property(facts, (given) => {
        const change = smallestChange(given) ?? "";
        expect(change).toMatch(/^[^\n]{20,}[^.\n]$/u);
        expect(change.isWellFormed()).toBe(true);
        expect(change).not.toContain("a`b`");
      }),
    );
  });

  test("never touches a policy where something narrower does, and never loosens one", () => {
    fc.assert(
      fc.property(facts, (given) => {
        const change = smallestChange({ ...given, agent: "a", tool: "t", delegator: "d", purpose: "p", chain: [], approvals: [] }) ?? "";
        if (/polic/.test(change)) expect(["policy_denied", "policy_error", "no_policy"]).toContain(given.code);
        if (given.code === "policy_denied") expect(change).not.toMatch(/(add|write|change|edit|loosen|extend|remove|permit).{0,40}polic/);
      }),
    );
  });

  test("of a tool is one entry, as near to the call as it goes", () => {
    const change = (chain: readonly HeldEnvelope[]): string => smallestChange({ ...FACTS, chain }) ?? "";
    const root = held("reviewer", ["tickets.create"], []);
    expect(change([])).toContain("`allowedTools`");
    expect(change([root])).toMatch(/^begin the task with `crm\.read` in `allowedTools`/);
    expect(change([held("reviewer", [], ["crm.read"])])).toMatch(/^hand `crm\.read` on to an agent/);
    expect(change([held("reviewer", [], ["crm.read"]), held("classifier", [])])).toMatch(/^hand `crm\.read` on as well: .* to `classifier`$/);
    expect(change([root, held("classifier", [])])).toMatch(/^begin the task with `crm\.read` in `mayDelegate`/);
    expect(change([held("reviewer", ["crm.read"])])).toMatch(/ceiling.*`agents\.json`/);
  });

  test("names the request that waits, who can answer it and until when", () => {
    const approval = { id: "apr_1", by: ["delegator", "role:lead"], needed: 2, expiresAt: "2026-05-12T18:15:00.000Z" };
    const change = (approvals: RefusalFacts["approvals"]): string => smallestChange({ ...FACTS, code: "approval_required", approvals }) ?? "";
    expect(change([approval])).toContain("have `apr_1` approved by 2 of `delegator` or `role:lead` until `2026-05-12T18:15:00.000Z`");
    expect(change([])).toContain("who can approve `crm.read`");
    expect(change(undefined)).toBe("have the call approved, and make the very same call again");
  });
});
