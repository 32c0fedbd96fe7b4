import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AmbitError } from "../../src/errors.ts";
import type { AccessRequest } from "../../src/pdp/access-request.ts";
import type { Outcome } from "../../src/pdp/pdp.ts";
import { denial, NOW, permit, scene } from "../support/fake-pdp.ts";

const never = (): never => {
  throw new Error("the tool ran");
};
const throwing = (error: unknown) => (): never => {
  throw error;
};

/** What a call is refused with, when the decision point behaves as told; the tool must not run. */
async function refusalFor(answers: Parameters<typeof scene>[0]): Promise<string> {
  const { pep, call } = await scene(answers);
  const enforced = await pep.enforce(call(), never);
  return enforced.refused?.refusal.code ?? "not refused";
}

const answering =
  (answer: unknown): (() => Promise<unknown>) =>
  () =>
    Promise.resolve(answer);
const withDecision = (decision: unknown): unknown => ({ ...permit(), decision });
const withContext = (change: object): unknown => ({ decision: true, context: { ...permit().context, ...change } });
const ACCESSOR = Object.defineProperty({}, "redeemed", {
  enumerable: true,
  get: () => {
    throw new Error("trap");
  },
});

describe("a decision point that is broken is a deny (I1, I8)", () => {
  it.each([undefined, null, "true", 1, "permit", {}, [], [true], { valueOf: () => true }, "", 0, Number.NaN, new Boolean(true)])(
    "when `decision` is %j",
    async (decision) => {
      expect(await refusalFor({ decide: answering(withDecision(decision)) })).toBe("pdp_response_invalid");
    },
  );

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["`true`", true],
    ["text", '{"decision":true}'],
    ["a list", [permit()]],
    ["an object without anything", {}],
    ["no context", { decision: true }],
    ["a context that is null", { decision: true, context: null }],
    ["a context that is a list", { decision: true, context: [permit().context] }],
    ["an inherited decision", Object.create(permit())],
    [
      "a class",
      new (class Answer {
        decision = true;
        context = permit().context;
      })(),
    ],
    ["a permit without an id", withContext({ id: undefined })],
    ["a permit with an empty id", withContext({ id: "" })],
    ["a permit with an id that is no text", withContext({ id: 1 })],
    ["a permit with an id without end", withContext({ id: "a".repeat(2001) })],
    ["a permit without a grant", withContext({ grant: undefined })],
    ["a grant that is null", withContext({ grant: null })],
    ["a grant that is text", withContext({ grant: "grant_1" })],
    ["a grant without an id", withContext({ grant: { expiresAt: NOW + 1000 } })],
    ["a grant without an expiry", withContext({ grant: { id: "g" } })],
    ["a grant that never expires", withContext({ grant: { id: "g", expiresAt: Infinity } })],
    ["a grant with NaN as its expiry", withContext({ grant: { id: "g", expiresAt: Number.NaN } })],
    ["a grant with text as its expiry", withContext({ grant: { id: "g", expiresAt: "2099-01-01T00:00:00Z" } })],
    ["obligations that are null", withContext({ obligations: null })],
    ["obligations that are an object", withContext({ obligations: {} })],
    ["an obligation that is null", withContext({ obligations: [null] })],
    ["an obligation without a type", withContext({ obligations: [{ id: "o", properties: {} }] })],
    ["an obligation without properties", withContext({ obligations: [{ id: "o", type: "label_output" }] })],
    ["a deny without a refusal", { decision: false, context: { id: "d" } }],
    ["a deny without a code", { decision: false, context: { id: "d", refusal: { message: "no" } } }],
    ["a deny without an id", { decision: false, context: { refusal: { code: "policy_denied", message: "no" } } }],
    ["what cannot be copied", withContext({ extra: () => 1 })],
    ["a cycle", CYCLIC()],
  ])("when it answers %s", async (_, answer) => {
    expect(await refusalFor({ decide: answering(answer) })).toBe("pdp_response_invalid");
  });

  it("when it throws, rejects or hangs, with a code of its own for silence", async () => {
    for (const error of [new Error("secret"), "text", undefined, null, new AmbitError("policy_denied", "faked")]) {
      expect(await refusalFor({ decide: throwing(error) })).toBe("pdp_unavailable");
      expect(await refusalFor({ decide: () => Promise.reject(error) })).toBe("pdp_unavailable");
    }
    expect(await refusalFor({ decide: () => new Promise(() => {}) })).toBe("pdp_timeout");
  });

  it("and what it says of itself is passed on to nobody", async () => {
    const { pep, call } = await scene({ decide: () => Promise.reject(new Error("password=hunter2")) });
    expect(JSON.stringify(await pep.enforce(call(), never))).not.toContain("hunter2");
  });

  it("when its permit comes after the deadline", async () => {
    const late = (): Promise<unknown> => new Promise((resolve) => setTimeout(() => resolve(permit()), 80));
    expect(await refusalFor({ decide: late })).toBe("pdp_timeout");
    await new Promise((resolve) => setTimeout(resolve, 60)); // the late answer, and a rejection, must disturb nobody
  });

  it.each(["decide late", "decide when the call is aborted"])("has a permit that nobody waited for given back: %s", async (how) => {
    const controller = new AbortController();
    const decide = async (): Promise<unknown> => {
      if (how === "decide late") await new Promise((resolve) => setTimeout(resolve, 80));
      else controller.abort();
      return permit();
    };
    const { pdp, pep, call } = await scene({ decide });
    const enforced = await pep.enforce(call({ signal: controller.signal }), never);
    expect(enforced.refused?.refusal.code).toBe(how === "decide late" ? "pdp_timeout" : "call_aborted");
    await expect.poll(() => pdp.asks("settle")).toMatchObject([{ decisionId: "dec_1", status: "not_run" }]);
    const { context } = (pdp.asks("decide")[0] as AccessRequest | undefined) ?? {};
    expect(pdp.asks("settle")).toMatchObject([{ callId: context?.call_id }]);
    expect((pdp.asks("settle")[0] as Outcome | undefined)?.redeemed).toBeUndefined();
  });

  it("has nothing given back when what comes late is a deny, or nonsense", async () => {
    for (const answer of [denial(), undefined, { decision: true }]) {
      const { pdp, pep, call } = await scene({ decide: () => new Promise((resolve) => setTimeout(() => resolve(answer), 70)) });
      expect((await pep.enforce(call(), never)).refused?.refusal.code).toBe("pdp_timeout");
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(pdp.asks("settle")).toHaveLength(0);
    }
  });

  it("with a reason that is long is heard, though not to the end", async () => {
    const words = { message: `${"a".repeat(1999)}😀b`, hint: "h".repeat(5000) };
    const { pep, call } = await scene({ decide: () => Promise.resolve(denial({ code: "argument_not_allowed", retryable: true, ...words })) });
    const { refusal } = (await pep.enforce(call(), never)).refused ?? {};
    expect(refusal).toMatchObject({ code: "argument_not_allowed", message: `${"a".repeat(1999)}\uFFFD`, hint: "h".repeat(2000) });
  });

  it("takes an answer that is no promise as the answer", async () => {
    expect(await refusalFor({ decide: () => denial() })).toBe("policy_denied");
    const { pep, call } = await scene({ decide: () => permit() });
    expect(await pep.enforce(call(), () => "ran")).toMatchObject({ result: "ran" });
  });

  it("and recovers without a restart", async () => {
    let isDown = true;
    const { pep, call } = await scene({ decide: () => (isDown ? Promise.reject(new Error("down")) : Promise.resolve(permit())) });
    expect(await pep.enforce(call(), never)).toMatchObject({ refused: { refusal: { code: "pdp_unavailable", retryable: true } } });
    isDown = false;
    expect(await pep.enforce(call(), () => "ran")).toMatchObject({ result: "ran" });
  });
});

describe("obligations that cannot be carried out are a deny before the tool runs", () => {
  it.each([
    ["of an unknown type", "encrypt_output", {}],
    ["of an inherited type", "toString", {}],
    ["that need an approval", "require_approval", {}],
    ["to limit by no pointer", "limit_records", { max: 1 }],
    ["to limit by a pointer that is none", "limit_records", { pointer: "records", max: 1 }],
    ["to limit to no number", "limit_records", { pointer: "/records", max: "1" }],
    ["to limit to less than nothing", "limit_records", { pointer: "/records", max: -1 }],
    ["to limit to a fraction", "limit_records", { pointer: "/records", max: 1.5 }],
    ["to filter by an unknown kind", "filter_records", { pointer: "/records/*/a", kind: "regex", constraint: "a" }],
    ["to filter by an inherited kind", "filter_records", { pointer: "/records/*/a", kind: "constructor", constraint: "a" }],
    ["to filter by no constraint", "filter_records", { pointer: "/records/*/a", kind: "equal" }],
    ["to filter by a constraint of another kind", "filter_records", { pointer: "/records/*/a", kind: "subset", constraint: "a" }],
    ["to filter by a constraint that is not canonical", "filter_records", { pointer: "/records/*/a", kind: "path_prefix", constraint: "/a" }],
    ["to filter by a list that is not in order", "filter_records", { pointer: "/records/*/a", kind: "subset", constraint: ["b", "a"] }],
    ["to redact nothing that is named", "redact_fields", {}],
    ["to redact by text", "redact_fields", { pointers: "/a" }],
    ["to redact by what is no pointer", "redact_fields", { pointers: ["/a", "b"] }],
  ])("%s", async (_, type, properties) => {
    const label = { id: "o1", type: "label_output", properties: { integrity: "trusted", data_classes: [] } } as const;
    const { pdp, pep, call } = await scene({ decide: answering(permit([label, { id: "o2", type, properties } as never])) });
    expect(await pep.enforce(call(), never)).toMatchObject({ refused: { kind: "deny", decisionId: "dec_1", refusal: { code: "obligation_unsupported" } } });
    expect(pdp.asks("redeem")).toHaveLength(0);
    expect(pdp.asks("settle").map(({ status }: Outcome) => status)).toStrictEqual(["not_run"]);
  });
});

describe("a grant that is not redeemed is a deny", () => {
  it.each([
    ["undefined", undefined, "pdp_response_invalid"],
    ["null", null, "pdp_response_invalid"],
    ["`true`", true, "pdp_response_invalid"],
    ["text", { redeemed: "true" }, "pdp_response_invalid"],
    ["1", { redeemed: 1 }, "pdp_response_invalid"],
    ["an inherited yes", Object.create({ redeemed: true }), "pdp_response_invalid"],
    ["a trap", ACCESSOR, "pdp_response_invalid"],
    ["no without a reason", { redeemed: false }, "pdp_response_invalid"],
    ["no with a broken reason", { redeemed: false, refusal: { code: 1 } }, "pdp_response_invalid"],
    ["no", { redeemed: false, refusal: { code: "grant_replayed", message: "spent", retryable: false } }, "grant_replayed"],
  ])("when the answer is %s", async (_, answer, code) => {
    const { pdp, pep, call } = await scene({ redeem: answering(answer) });
    expect(await pep.enforce(call(), never)).toMatchObject({ refused: { kind: "deny", decisionId: "dec_1", refusal: { code } } });
    expect(pdp.asks("settle").map(({ status }: Outcome) => status)).toStrictEqual(["not_run"]);
  });

  it("when nobody answers", async () => {
    expect(await refusalFor({ redeem: throwing(new Error("e")) })).toBe("pdp_unavailable");
    expect(await refusalFor({ redeem: () => Promise.reject(new Error("e")) })).toBe("pdp_unavailable");
    expect(await refusalFor({ redeem: () => new Promise(() => {}) })).toBe("pdp_timeout");
  });

  it("and stays one when even that cannot be recorded", async () => {
    expect(await refusalFor({ redeem: answering({ redeemed: false }), settle: throwing(new Error("e")) })).toBe("pdp_response_invalid");
  });
});

describe("for any answer at all", () => {
  const scalars = fc.constantFrom<unknown>(true, false, null, "true", 1, 0, -0, Number.NaN, Infinity, 2 ** 53, "", "__proto__", "\ud800", "dec", NOW + 1000);
  const anything = fc.oneof(scalars, fc.jsonValue(), fc.anything());
  /** Answers that come close: each part right, missing or anything. */
  const part = (right: unknown): fc.Arbitrary<unknown> => fc.oneof({ weight: 6, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: anything });
  const grants = fc.record({ id: part("g"), expiresAt: part(NOW + 1000) }, { requiredKeys: [] });
  const contexts = fc.record({ id: part("dec"), grant: fc.oneof({ weight: 6, arbitrary: grants }, anything), obligations: part([]) }, { requiredKeys: [] });
  const answers = fc.oneof(
    fc.record({ decision: part(true), context: fc.oneof({ weight: 6, arbitrary: contexts }, anything) }, { requiredKeys: [] }),
    anything,
  );

  /** A valid permit, said once more and independently: own, exact, unexpired, nothing to do that is not known. */
  const isPermit = (answer: unknown): boolean => {
    const plain = toPlain(answer) as
      { decision?: unknown; context?: { id?: unknown; grant?: { id?: unknown; expiresAt?: unknown }; obligations?: unknown } } | null | undefined;
    const { decision, context } = plain ?? {};
    const isText = (value: unknown): boolean => typeof value === "string" && value.length > 0 && value.isWellFormed() && !value.includes("\0");
    const expiresAt = context?.grant?.expiresAt;
    return (
      decision === true &&
      isText(context?.id) &&
      isText(context?.grant?.id) &&
      typeof expiresAt === "number" &&
      expiresAt > NOW &&
      isNothingToDo(context?.obligations)
    );
  };
  const isNothingToDo = (obligations: unknown): boolean => obligations === undefined || (Array.isArray(obligations) && obligations.length === 0);
  const toPlain = (answer: unknown): unknown => {
    try {
      return typeof answer === "object" && answer !== null && JSON.stringify(answer) !== undefined ? structuredClone(answer) : undefined;
    } catch {
      return undefined;
    }
  };

  it("the tool runs only for what is exactly a valid permit, and nothing is thrown", async () => {
    let permitted = 0;
    await fc.assert(
      fc.asyncProperty(answers, async (answer) => {
        const { pep, call } = await scene({ decide: answering(answer) }, { deadline: 1000 });
        const admission = await pep.admit(call());
        if (!admission.admitted) return;
        permitted += 1;
        expect(isPermit(answer)).toBe(true);
      }),
      { numRuns: 1500 },
    );
    expect(permitted).toBeGreaterThan(50);
  });

  it("to a redemption, the tool runs only for an own `redeemed: true`", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.record({ redeemed: part(true), refusal: anything }, { requiredKeys: [] }), anything), async (answer) => {
        const { pep, call } = await scene({ redeem: answering(answer) }, { deadline: 1000 });
        const admission = await pep.admit(call());
        if (admission.admitted) expect((answer as { redeemed?: unknown }).redeemed).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

function CYCLIC(): unknown {
  const answer = { ...permit(), self: {} };
  answer.self = answer;
  return answer;
}
