import { describe, expect, it } from "vitest";
import { AmbitError } from "../../src/errors.ts";
import { createPep, type PepOptions } from "../../src/pep/create-pep.ts";
import type { BeginOptions, HandOffOptions } from "../../src/pep/pep.ts";
import type { Task } from "../../src/pep/task.ts";
import { codeOf, rejectionOf } from "../support/codes.ts";
import { BEGIN, CLAIMS, createFakePdp, HANDLE, issue, NOW, REFUSAL, scene } from "../support/fake-pdp.ts";

describe("createPep", () => {
  it("takes only a decision point that states our capability", () => {
    const pdp = createFakePdp();
    const foreign = [undefined, null, {}, { decide: pdp.decide }, { ...pdp, capability: "urn:ambit:pdp:2" }, { ...pdp, capability: true }];
    for (const other of foreign) expect(codeOf(() => createPep({ pdp: other as never, agent: "a" }))).toBe("option_invalid");
  });

  it.each([
    { agent: "" },
    { agent: "two words" },
    { agent: undefined as never },
    { deadline: 0 },
    { deadline: -1 },
    { deadline: Number.NaN },
    { deadline: Infinity },
    { deadline: 1.5 },
    { deadline: "soon" as never },
    { deadline: "0s" as never },
    { deadline: "1 s" as never },
    { deadline: null as never },
  ])("refuses %j", (options: Partial<PepOptions>) => {
    expect(codeOf(() => createPep({ pdp: createFakePdp(), agent: "a", ...options }))).toBe("option_invalid");
  });

  it("gives an enforcement point that nobody can change", () => {
    const pep = createPep({ pdp: createFakePdp(), agent: "a" });
    expect(Object.isFrozen(pep)).toBe(true);
    expect(pep.as("b").agent).toBe("b");
    expect(codeOf(() => pep.as(""))).toBe("option_invalid");
  });
});

describe("begin", () => {
  it("asks for the envelope of the options, in its wire form", async () => {
    const { pdp, pep } = await scene();
    const task = await pep.begin({
      ...BEGIN,
      instruction: "review the contract",
      sessionId: "s",
      taskId: "t",
      mayDelegate: ["x"],
      deniedTools: ["y"],
      approvals: ["z"],
      budgets: { calls: 1 },
      maxDepth: 2,
    });
    expect(pdp.asks("begin")[1]).toStrictEqual({
      envelope: {
        delegator_id: "user_1",
        tenant_id: "tenant_1",
        session_id: "s",
        task_id: "t",
        purpose: "review",
        agent_id: "agent",
        allowed_tools: ["contracts.read"],
        may_delegate: ["x"],
        denied_tools: ["y"],
        resource_constraints: { customer_id: "c1" },
        budgets: { calls: 1 },
        approvals: ["z"],
        max_depth: 2,
        expires_at: "2026-05-12T12:10:00.000Z",
      },
      agent: "agent",
      instruction: "review the contract",
      assertedBy: "app",
    });
    expect(task).toMatchObject({ envelopeId: "env_1", lineage: "lin_1", depth: 0, envelope: { delegatorId: "user_1", agentId: "agent" }, data: [] });
  });

  it("makes up what is not given, never twice the same", async () => {
    const { pep } = await scene();
    const [a, b] = [await pep.begin(BEGIN), await pep.begin(BEGIN)];
    expect(a.envelope.taskId).toMatch(/^task_[\w-]{12}$/);
    expect(a.envelope.sessionId).toMatch(/^sess_[\w-]{12}$/);
    expect(a.envelope.taskId).not.toBe(b.envelope.taskId);
  });

  it.each([
    [{ expiresIn: "90s" }, 90_000],
    [{ expiresIn: "2h" }, 7_200_000],
    [{ expiresIn: "1d" }, 86_400_000],
    [{ expiresIn: "5ms" }, 5],
    [{ expiresIn: 1234 }, 1234],
    [{ expiresIn: undefined, expiresAt: NOW + 1 }, 1],
    [{ expiresIn: undefined, expiresAt: "2026-05-12T12:00:01Z" }, 1000],
  ])("reads %j as a time", async (options: Partial<BeginOptions>, length) => {
    const { pep } = await scene();
    expect((await pep.begin({ ...BEGIN, ...options })).envelope.expiresAt).toBe(NOW + length);
  });

  it.each([
    [{ expiresIn: undefined }, "option_invalid"],
    [{ expiresAt: NOW }, "option_invalid"],
    [{ expiresIn: "ten minutes" }, "option_invalid"],
    [{ expiresIn: "10M" }, "option_invalid"],
    [{ expiresIn: "-1s" }, "option_invalid"],
    [{ expiresIn: "1e3s" }, "option_invalid"],
    [{ expiresIn: "" }, "option_invalid"],
    [{ expiresIn: 0 }, "option_invalid"],
    [{ expiresIn: Infinity }, "option_invalid"],
    [{ expiresIn: Number.NaN }, "option_invalid"],
    [{ expiresIn: 1.5 }, "option_invalid"],
    [{ expiresIn: 2 ** 53 - 1 }, "option_invalid"],
    [{ expiresIn: undefined, expiresAt: Number.NaN }, "option_invalid"],
    [{ expiresIn: undefined, expiresAt: 8.64e15 + 1 }, "option_invalid"],
    [{ resourceConstraints: { a: Number.NaN } }, "envelope_malformed"],
    [{ allowedTools: new Set(["a"]) as never }, "envelope_malformed"],
    [{ budgets: JSON.parse('{"__proto__":{}}') }, "envelope_malformed"],
  ])("refuses %j itself, without asking anybody", async (options: Partial<BeginOptions>, code) => {
    const { pdp, pep } = await scene();
    expect(await rejectionOf(pep.begin({ ...BEGIN, ...options }))).toBe(code);
    expect(pdp.asks("begin")).toHaveLength(1); // the scene's own
  });

  it("throws the refusal with the decision that refused", async () => {
    const pep = createPep({ pdp: createFakePdp({ begin: () => Promise.resolve({ decision: false, id: "dec_9", refusal: REFUSAL }) }), agent: "agent" });
    const error: unknown = await pep.begin(BEGIN).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "policy_denied", message: "not allowed", decisionId: "dec_9" });
    expect(AmbitError.isInstance(error)).toBe(true);
  });

  const issued = (change: object): unknown => ({ ...issue(CLAIMS), issued: { ...(issue(CLAIMS) as { issued: object }).issued, ...change } });
  it.each([
    ["nothing", undefined],
    ["null", null],
    ["an empty object", {}],
    ["a truthy decision", { ...issue(CLAIMS), decision: "true" }],
    ["no id", { ...issue(CLAIMS), id: undefined }],
    ["no envelope", { decision: true, id: "d" }],
    ["an envelope that is null", issued({ envelope: null })],
    ["an envelope without members", issued({ envelope: {} })],
    ["an envelope without tools", issued({ envelope: { ...CLAIMS, delegatorId: "u", tenantId: "t", sessionId: "s", taskId: "k", agentId: "a" } })],
    ["nothing to hold", issued({ holding: undefined })],
    ["something else to hold", issued({ holding: { kind: "token", handle: "h" } })],
    ["an empty chain", issued({ holding: { kind: "chain", chain: [] } })],
    ["a chain of something else", issued({ holding: { kind: "chain", chain: [1] } })],
    ["a chain for who has no key", issued({ holding: { kind: "chain", chain: ["a.b.c"] } })],
    ["an empty handle", issued({ holding: { kind: "handle", handle: "" } })],
    ["a depth that is none", issued({ depth: "0" })],
    ["a negative depth", issued({ depth: -1 })],
    ["no lineage", issued({ lineage: "" })],
    ["a refusal without a code", { decision: false, id: "d", refusal: {} }],
  ])("takes %s for a broken answer", async (_, answer) => {
    const pep = createPep({ pdp: createFakePdp({ begin: () => Promise.resolve(answer) }), agent: "agent", now: () => NOW });
    expect(await rejectionOf(pep.begin(BEGIN))).toBe("pdp_response_invalid");
  });

  it("throws when nobody answers", async () => {
    for (const [begin, code] of [
      [() => Promise.reject(new Error("secret")), "pdp_unavailable"],
      [() => new Promise(() => {}), "pdp_timeout"],
    ] as const) {
      const pep = createPep({ pdp: createFakePdp({ begin }), agent: "agent", deadline: 20 });
      expect(await rejectionOf(pep.begin(BEGIN))).toBe(code);
    }
  });
});

describe("handOff", () => {
  const hand = async (options: HandOffOptions): Promise<{ readonly request: Record<string, unknown>; readonly child: Task }> => {
    const { pdp, pep, task } = await scene();
    const child = await pep.handOff(task, options);
    return { request: pdp.asks("handOff")[0] as unknown as Record<string, unknown>, child };
  };

  it("asks with the parent's presentation for exactly what is wanted; no tools when none are named", async () => {
    const data = [{ data: { clause: "…" }, dataClasses: ["renewal_terms"], label: "renewal clause" }];
    const { request, child } = await hand({ agentId: "other", purpose: "classify", expiresIn: "1m", data });
    expect(request).toStrictEqual({
      parent: { kind: "handle", handle: HANDLE },
      agent: "agent",
      narrowing: { agentId: "other", purpose: "classify", allowedTools: [], expiresAt: NOW + 60_000 },
      excerpts: [{ label: "renewal clause", dataClasses: ["renewal_terms"] }],
    });
    expect(child).toMatchObject({ envelopeId: "env_2", depth: 1, data });
  });

  it("keeps the data of excerpts in the process", async () => {
    const { request } = await hand({ agentId: "other", data: [{ data: "secret clause", dataClasses: ["a"], label: "l" }] });
    expect(JSON.stringify(request)).not.toContain("secret clause");
  });

  it("needs a task, not something that looks like one", async () => {
    const { pdp, pep, task } = await scene();
    const forgeries = [
      undefined,
      null,
      {},
      { ...task },
      JSON.parse(JSON.stringify(task)),
      Object.create(task),
      { envelope: task.envelope, presentation: { kind: "handle", handle: HANDLE } },
    ];
    for (const forgery of forgeries) expect(await rejectionOf(pep.handOff(forgery as Task, { agentId: "other" }))).toBe("envelope_malformed");
    expect(pdp.asks("handOff")).toHaveLength(0);
  });

  it("refuses a time that is none itself", async () => {
    const { pep, task } = await scene();
    expect(await rejectionOf(pep.handOff(task, { agentId: "other", expiresIn: "soon" }))).toBe("option_invalid");
  });

  it("throws the refusal", async () => {
    const { pep, task } = await scene({ handOff: () => Promise.resolve({ decision: false, id: "d", refusal: { ...REFUSAL, code: "not_narrower" } }) });
    expect(await rejectionOf(pep.handOff(task, { agentId: "other" }))).toBe("not_narrower");
  });
});

describe("end", () => {
  it("revokes the envelope, by name or by leaving the scope", async () => {
    const { pdp, pep } = await scene();
    {
      await using task = await pep.begin(BEGIN);
      expect(task.depth).toBe(0);
    }
    expect(pdp.asks("end")).toStrictEqual([{ presentation: { kind: "handle", handle: HANDLE }, agent: "agent" }]);
    const task = await pep.begin(BEGIN);
    await task.end();
    await task.end();
    expect(pdp.asks("end")).toHaveLength(3);
  });

  it("throws when nobody can tell that it ended", async () => {
    for (const end of [
      () => Promise.reject(new Error("e")),
      () => new Promise(() => {}),
      () => Promise.resolve(undefined),
      () => Promise.resolve({ ended: false }),
      () => Promise.resolve({ ended: "true" }),
    ]) {
      const { task } = await scene({ end });
      expect(await rejectionOf(task.end())).toMatch(/^pdp_(unavailable|timeout|response_invalid)$/);
    }
  });
});
