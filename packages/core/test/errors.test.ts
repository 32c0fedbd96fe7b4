import { describe, expect, expectTypeOf, it } from "vitest";
import { AmbitError, type ConfigCode, type ErrorCode, type RefusalCode } from "../src/errors.ts";

// Pinned by literal: codes are extended, never renamed. The types make a code that is missing here an error.
const REFUSALS = {
  envelope_malformed: 1,
  envelope_signature_invalid: 1,
  envelope_expired: 1,
  envelope_not_yet_valid: 1,
  envelope_revoked: 1,
  audience_mismatch: 1,
  tenant_mismatch: 1,
  holder_mismatch: 1,
  agent_unknown: 1,
  pop_invalid: 1,
  pop_replayed: 1,
  proof_invalid: 1,
  proof_expired: 1,
  not_narrower: 1,
  chain_broken: 1,
  depth_exceeded: 1,
  hand_off_denied: 1,
  tool_not_allowed: 1,
  tool_unmapped: 1,
  tool_changed: 1,
  argument_not_allowed: 1,
  data_class_not_allowed: 1,
  constraint_unmapped: 1,
  purpose_mismatch: 1,
  intent_drift: 1,
  policy_denied: 1,
  policy_error: 1,
  no_policy: 1,
  budget_exhausted: 1,
  approval_required: 1,
  approval_invalid: 1,
  approval_expired: 1,
  approval_denied: 1,
  obligation_unsupported: 1,
  pdp_unavailable: 1,
  pdp_timeout: 1,
  pdp_response_invalid: 1,
  state_unavailable: 1,
  log_unavailable: 1,
  grant_invalid: 1,
  grant_replayed: 1,
  credential_unavailable: 1,
  egress_refused: 1,
  upstream_unavailable: 1,
  call_aborted: 1,
  call_running: 1,
} as const;

const CONFIGURATION = { config_invalid: 1, manifest_invalid: 1, policy_invalid: 1, option_invalid: 1, log_corrupt: 1 } as const;

describe("codes", () => {
  it("are these", () => {
    expectTypeOf<keyof typeof REFUSALS>().toEqualTypeOf<RefusalCode>();
    expectTypeOf<keyof typeof CONFIGURATION>().toEqualTypeOf<ConfigCode>();
    expectTypeOf<ErrorCode>().toEqualTypeOf<RefusalCode | ConfigCode>();
    expect(Object.keys(REFUSALS)).toHaveLength(46);
    expect(Object.keys({ ...REFUSALS, ...CONFIGURATION }).every((code) => /^[a-z]+(_[a-z]+)+$/.test(code))).toBe(true);
  });
});

describe("AmbitError", () => {
  it("keeps its code, its cause and the decision that refused", () => {
    const cause = new Error("disk");
    const error = new AmbitError("log_unavailable", "no log", { cause, decisionId: "dec_1" });
    expect(error).toMatchObject({ name: "AmbitError", code: "log_unavailable", decisionId: "dec_1", cause });
    expect(new AmbitError("tool_unmapped", "no tool", { hint: "add it" })).toMatchObject({ message: "no tool; add it", summary: "no tool" });
    expect("cause" in new AmbitError("policy_denied", "no")).toBe(false);
  });

  it("is recognised across copies of the package, by an own brand", () => {
    const foreign = Object.defineProperty(new Error("other copy"), Symbol.for("ambit.error"), { value: true });
    expect(AmbitError.isInstance(foreign)).toBe(true);
    expect(AmbitError.isInstance(Object.create(foreign))).toBe(false);
    for (const value of [null, undefined, "AmbitError", new Error("e"), { code: "policy_denied" }, { name: "AmbitError" }])
      expect(AmbitError.isInstance(value)).toBe(false);
  });

  it("shows its brand nowhere", () => {
    expect(Object.keys(new AmbitError("policy_denied", "no")).sort()).toStrictEqual(["code", "decisionId", "name", "summary"]);
    expect(JSON.stringify(new AmbitError("policy_denied", "no"))).not.toContain("brand");
  });
});
