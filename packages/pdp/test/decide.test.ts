import { createPep, saltedDigestOf, type AccessRequest, type Pdp } from "@ambit/core";
import { describe, expect, it } from "vitest";
import { BEGIN, CONFIG, fixture, MANIFEST, outcomeOf } from "./support/fixture.ts";

const CONTRACT = { customer_id: "c1", title: "t", terms: "r", salary: 7 };

describe("a call inside everything", () => {
  it("is permitted, runs once and leaves a decision and an outcome", async () => {
    const { pep, records } = await fixture();
    const task = await pep.begin(BEGIN);
    let runs = 0;
    const enforced = await pep.enforce({ envelope: task, tool: "contracts_read", arguments: { contract_id: "k1" } }, () => {
      runs += 1;
      return CONTRACT;
    });
    expect(runs).toBe(1);
    expect(enforced).toMatchObject({ result: { customer_id: "c1", title: "t", terms: "r" } });
    expect(records().map(({ kind, details }) => [kind, details["decision"] ?? details["status"]])).toEqual([
      ["begin", "permit"],
      ["decision", "permit"],
      ["outcome", "done"],
    ]);
    expect(records()[1]?.details).toMatchObject({ tool: "contracts.read", effect: "read", policies: ["reads"], reserved: { records: 1 } });
  });

  it("has the fields of data classes that the envelope does not allow redacted", async () => {
    const { pep } = await fixture();
    const task = await pep.begin({ ...BEGIN, resourceConstraints: { ...BEGIN.resourceConstraints, data_classes: ["contract_metadata"] } });
    const enforced = await pep.enforce({ envelope: task, tool: "contracts_read", arguments: { contract_id: "k1" } }, () => CONTRACT);
    expect(enforced).toMatchObject({ result: { customer_id: "c1", title: "t" } });
    expect(enforced.refused === undefined && Object.keys(enforced.result)).toEqual(["customer_id", "title"]);
  });

  it("is withheld when the result belongs to another customer", async () => {
    const { pep, records } = await fixture();
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, { ...CONTRACT, customer_id: "c2" })).toBe("obligation_unsupported");
    expect(records().at(-1)).toMatchObject({ kind: "outcome", details: { status: "withheld" } });
  });

  it("has the records of other customers left out", async () => {
    const { pep } = await fixture();
    const task = await pep.begin(BEGIN);
    const enforced = await pep.enforce({ envelope: task, tool: "crm_read", arguments: { customer_id: "c1", limit: 5 } }, () => ({
      records: [{ customer_id: "c1" }, { customer_id: "c2" }, {}],
    }));
    expect(enforced).toMatchObject({ result: { records: [{ customer_id: "c1" }] } });
  });
});

describe("each step refuses with its own code", () => {
  it.each([
    ["a tool that the manifest does not have", "files_read", {}, "tool_unmapped"],
    ["a tool id that is not a name", "contracts.read", { contract_id: "k1" }, "tool_unmapped"],
    ["an inherited name", "constructor", {}, "tool_unmapped"],
    ["a tool that the envelope does not allow", "mail_send", { to: "x" }, "tool_not_allowed"],
    ["an argument outside the constraints", "contracts_read", { contract_id: "k9" }, "argument_not_allowed"],
    ["a missing argument that a constraint is about", "contracts_read", {}, "argument_not_allowed"],
    ["an argument that the schema does not have", "contracts_read", { contract_id: "k1", admin: true }, "argument_not_allowed"],
    ["an argument of another type", "contracts_read", { contract_id: ["k1"] }, "argument_not_allowed"],
    ["an entity smuggled in as an argument", "contracts_read", { contract_id: { __entity: { type: "User", id: "root" } } }, "argument_not_allowed"],
    ["a limit above max_records", "crm_read", { customer_id: "c1", limit: 26 }, "argument_not_allowed"],
    ["a limit of 0, which many services take for none", "crm_read", { customer_id: "c1", limit: 0 }, "argument_not_allowed"],
    ["a negative limit", "crm_read", { customer_id: "c1", limit: -1 }, "argument_not_allowed"],
    ["a limit given as text", "crm_read", { customer_id: "c1", limit: "5" }, "argument_not_allowed"],
    ["an amount that is not whole minor units", "tickets_create", { title: "x", cost: 0.5 }, "permit"],
    ["a number that Cedar's decimal cannot hold and a policy reads", "tickets_create", { title: "x", cost: 0.123456 }, "policy_error"],
    ["arguments that are not an object", "contracts_read", ["k1"], "argument_not_allowed"],
    ["arguments that are not plain data", "contracts_read", { contract_id: new Date(0) }, "argument_not_allowed"],
  ])("%s", async (_, tool, args, code) => {
    const { pep } = await fixture();
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, tool, args)).toBe(code);
  });

  it("a pinned tool whose definition is another one, or is not known", async () => {
    const { pep } = await fixture();
    const envelope = await pep.begin(BEGIN);
    const call = { envelope, tool: "contracts_read", server: "crm", arguments: { contract_id: "k1" } };
    const codes: unknown[] = [];
    for (const definition of [`sha-256:${"B".repeat(43)}`, undefined, "none"]) {
      codes.push((await pep.enforce({ ...call, definition }, () => CONTRACT)).refused?.refusal.code);
    }
    expect(codes).toEqual(["tool_changed", "tool_changed", "tool_changed"]);
    expect((await pep.enforce({ ...call, definition: `sha-256:${"A".repeat(43)}` }, () => CONTRACT)).refused).toBeUndefined();
  });

  it("a name at another server", async () => {
    const { pep } = await fixture();
    const envelope = await pep.begin(BEGIN);
    const enforced = await pep.enforce({ envelope, tool: "crm_read", server: "evil", arguments: { customer_id: "c1" } }, () => ({}));
    expect(enforced.refused?.refusal.code).toBe("tool_unmapped");
  });

  it("a constraint that the tool's entry does not map, with the entry as a hint that the model does not see", async () => {
    const { pep, records } = await fixture({ vocabulary: { region: "equal" } });
    const task = await pep.begin({ ...BEGIN, resourceConstraints: { ...BEGIN.resourceConstraints, region: "eu" } });
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1" })).toBe("constraint_unmapped");
    expect(records().at(-1)?.details["hint"]).toContain("constraints.region");
  });

  it.each([
    ["max_records", { max_records: 5 }],
    ["data_classes", { data_classes: ["x"] }],
  ])("a tool whose entry does not say what %s is about", async (_, resourceConstraints) => {
    const { pep } = await fixture();
    const task = await pep.begin({ ...BEGIN, allowedTools: ["mail.send"], resourceConstraints });
    expect(await outcomeOf(pep, task, "mail_send", { to: "x" })).toBe("constraint_unmapped");
  });

  it("a data class that the envelope does not allow", async () => {
    const { pep } = await fixture();
    const task = await pep.begin({ ...BEGIN, resourceConstraints: { data_classes: ["renewal_terms"] } });
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1" })).toBe("data_class_not_allowed");
  });

  it("a tool above the ceiling of the agent", async () => {
    const { pep } = await fixture({}, {}, "classifier");
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, "tickets_create", { title: "x" })).toBe("tool_not_allowed");
  });

  it("a limit above the ceiling of the agent", async () => {
    const { pep } = await fixture({}, {}, "classifier");
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1", limit: 11 })).toBe("argument_not_allowed");
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1", limit: 10 }, { records: [] })).toBe("permit");
  });

  it("a tool that is part of a purpose above but not of the declared one", async () => {
    const { pep } = await fixture();
    const parent = await pep.begin(BEGIN);
    const child = await pep.handOff(parent, { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] });
    expect(await outcomeOf(pep.as("classifier"), child, "tickets_create", { title: "x" })).toBe("tool_not_allowed");
  });

  it("a policy that forbids the delegator, whatever the agent may", async () => {
    const { pep } = await fixture();
    const task = await pep.begin({ ...BEGIN, delegatorId: "user_suspended" });
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" })).toBe("policy_denied");
  });

  it("a policy that forbids an agent further up the chain", async () => {
    const { pep } = await fixture({
      policies: [
        {
          name: "p.cedar",
          text: 'permit (principal, action, resource); forbid (principal == Agent::"reviewer", action == Action::"crm.read", resource);',
        },
      ],
    });
    const parent = await pep.begin(BEGIN);
    const child = await pep.handOff(parent, { agentId: "classifier", allowedTools: ["crm.read"] });
    expect(await outcomeOf(pep.as("classifier"), child, "crm_read", { customer_id: "c1" })).toBe("policy_denied");
  });

  it("no policy at all", async () => {
    const { pep } = await fixture({ policies: [] });
    await expect(pep.begin(BEGIN)).rejects.toMatchObject({ code: "no_policy" });
  });

  it("a call that needs an approval while nobody can give one", async () => {
    const { pep, records } = await fixture();
    const envelope = await pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
    const enforced = await pep.enforce({ envelope, tool: "tickets_create", arguments: { title: "x" } }, () => ({}));
    expect(enforced.refused).toMatchObject({ kind: "approval_required", refusal: { code: "approval_required" } });
    expect(records().at(-1)?.details["decision"]).toBe("approval_required");
  });

  it("an expired envelope, also between decision and execution", async () => {
    const { pep, pdp, advance } = await fixture();
    const task = await pep.begin(BEGIN);
    const decide = pdp.decide.bind(pdp);
    const slow: Pdp = { ...pdp, decide: (request) => decide(request).finally(() => advance(600_000)) };
    const late = createPep({ pdp: slow, agent: "reviewer", now: () => 0 });
    expect(await outcomeOf(late, task, "contracts_read", { contract_id: "k1" })).toBe("envelope_expired");
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" })).toBe("envelope_expired");
  });

  it("an ended task, also between decision and execution", async () => {
    const { pep, pdp } = await fixture();
    const task = await pep.begin(BEGIN);
    const slow = createPep({ pdp: { ...pdp, decide: (request) => pdp.decide(request).finally(() => task.end()) }, agent: "reviewer", now: () => 0 });
    expect(await outcomeOf(slow, task, "contracts_read", { contract_id: "k1" })).toBe("envelope_revoked");
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" })).toBe("envelope_revoked");
  });

  it("another agent than the holder", async () => {
    const { pep } = await fixture();
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep.as("classifier"), task, "contracts_read", { contract_id: "k1" })).toBe("holder_mismatch");
  });

  it("a handle of another decision point, a guessed one, and one that is none", async () => {
    const [a, b] = [await fixture(), await fixture()];
    const task = await a.pep.begin(BEGIN);
    expect(await outcomeOf(b.pep, task, "contracts_read", { contract_id: "k1" })).toBe("envelope_malformed");
    const request = { subject: { type: "user", id: "user_1" }, action: { name: "contracts_read" }, resource: { type: "tool", id: "x" } };
    for (const presentation of [
      undefined,
      null,
      "x",
      {},
      { kind: "handle", handle: "constructor" },
      { kind: "handle", handle: 1 },
      { kind: "chain", handle: "x" },
    ]) {
      const answer = await a.pdp.decide({ ...request, context: { presentation, agent: "reviewer", arguments: {} } } as unknown as AccessRequest);
      expect(answer).toMatchObject({ decision: false, context: { refusal: { code: "envelope_malformed" } } });
    }
  });

  it("a request that names another delegator than the envelope", async () => {
    const { pep, pdp } = await fixture();
    const lying = createPep({ pdp: { ...pdp, decide: (request) => pdp.decide({ ...request, subject: { type: "user", id: "ceo" } }) }, agent: "reviewer" });
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(lying, task, "contracts_read", { contract_id: "k1" })).toBe("holder_mismatch");
  });
});

it.each([
  ["a tool's name that is cut inside a character", `${"x".repeat(255)}😀`, undefined],
  ["a tool's name without end", "x".repeat(300_000), undefined],
  ["a call id with a NUL", "nope", "a\0"],
  ["a call id with half a character", "nope", "a\ud800"],
])("leaves a record of a refusal, whatever the call is called: %s", async (_, tool, callId) => {
  const { pep, records } = await fixture();
  const envelope = await pep.begin(BEGIN);
  const enforced = await pep.enforce({ envelope, tool, arguments: {}, callId, turn: "1" }, () => ({}));
  expect(enforced.refused?.refusal.code).toBe("tool_unmapped");
  expect(records().at(-1)).toMatchObject({ kind: "decision", details: { decision: "deny", code: "tool_unmapped" } });
});

it("keeps nothing in the log that a guess of the arguments could be tried against", async () => {
  const { pep, records } = await fixture();
  const task = await pep.begin({ ...BEGIN, resourceConstraints: {} });
  await outcomeOf(pep, task, "tickets_create", { title: "4711" });
  const { arguments_digest: digest, ...rest } = records().find(({ kind }) => kind === "decision")?.details ?? {};
  const texts = [...JSON.stringify(rest).matchAll(/"([^"]*)"/g)].map(([, text = ""]) => text);
  expect(digest).toMatch(/^hmac-sha-256:/);
  expect(texts.map((salt) => saltedDigestOf({ title: "4711" }, salt))).not.toContain(digest);
  expect(rest).not.toHaveProperty("arguments_salt");
});

it("keeps arguments and results out of the log", async () => {
  const { pep, log } = await fixture();
  const task = await pep.begin({ ...BEGIN, resourceConstraints: {} });
  await outcomeOf(pep, task, "tickets_create", { title: "canary-4711" }, { answer: "canary-4712" });
  expect(log.text()).not.toContain("canary");
  expect(JSON.stringify([CONFIG, MANIFEST])).not.toContain("canary");
});
