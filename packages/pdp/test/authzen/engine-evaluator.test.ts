import { createVocabulary, type JsonObject } from "@ambit/core";
import { parseAgents, parseManifest, type PolicyEngine } from "@ambit/pdp";
import { createEngineEvaluator, type EvaluatedRules, type PolicyQuestion } from "@ambit/pdp/authzen";
import { createCedarEngine } from "@ambit/pdp/cedar";
import { describe, expect, it } from "vitest";
import { CONFIG, MANIFEST } from "../support/fixture.ts";
import { post, serveAuthzen } from "./serve.ts";

const manifest = parseManifest(MANIFEST);
const agents = parseAgents(CONFIG.agents, createVocabulary({}));

const POLICIES = `
  @id("reads") permit (principal, action in Action::"effect:read", resource);
  @id("tickets") permit (principal, action == Action::"tickets.create", resource) unless { principal is Agent && principal.trust_zone == "third_party" };
  @id("once") forbid (principal, action == Action::"contracts.read", resource) when { context.task.calls > 3 };
  @id("tainted") forbid (principal, action == Action::"tickets.create", resource) when { context.labels.integrity == "untrusted" };
  @id("closed") forbid (principal, action, resource == Contract::"k9");`;

const rules = (engine: PolicyEngine = createCedarEngine([{ name: "p.cedar", text: POLICIES }], manifest)): EvaluatedRules => ({
  engine,
  manifest,
  agents,
  directory: undefined,
  relations: undefined,
  approvals: undefined,
});

const CONTEXT = { tenant: "tenant_1", purpose: "review", agent: "reviewer", arguments: { contract_id: "k1" } };
const QUESTION = {
  subject: { type: "user", id: "user_1" },
  action: { name: "contracts.read" },
  resource: { type: "Contract", id: "k1" },
  context: CONTEXT,
} satisfies PolicyQuestion;

async function ask(change: Partial<PolicyQuestion> = {}, context: JsonObject = {}, given: EvaluatedRules = rules()): Promise<unknown> {
  const question = { ...QUESTION, ...change, context: { ...CONTEXT, ...context } };
  const [answer] = await createEngineEvaluator(() => given).evaluate([question], { mayActFor: (tenant) => tenant === "tenant_1" });
  return answer?.decision === true ? "permit" : answer?.context?.["reason"];
}

describe("a plain question about a tool", () => {
  it("is answered by policy, for a user and for an agent", async () => {
    expect(await ask()).toBe("permit");
    expect(await ask({ subject: { type: "agent", id: "classifier" } }, { delegator: "user_1" })).toBe("permit");
    const ticket = { action: { name: "tickets.create" }, resource: { type: "tool", id: "tickets.create" } };
    expect(await ask({ ...ticket, subject: { type: "agent", id: "reviewer" } }, { delegator: { type: "user", id: "user_1" }, arguments: { title: "t" } })).toBe(
      "permit",
    );
    expect(await ask({ ...ticket, subject: { type: "agent", id: "classifier" } }, { delegator: "user_1", arguments: { title: "t" } })).toBe("policy_denied");
    expect(await ask({ ...ticket, resource: { type: "Tool", id: "tickets.create" } }, { arguments: { title: "t" } })).toBe("permit");
  });

  it("is about both, whichever of them is the subject", async () => {
    const ticket = { action: { name: "tickets.create" }, resource: { type: "tool", id: "tickets.create" } };
    expect(await ask(ticket, { agent: "reviewer", arguments: { title: "t" } })).toBe("permit");
    expect(await ask(ticket, { agent: "classifier", arguments: { title: "t" } })).toBe("policy_denied");
  });

  it("believes of an agent, a tool and a resource what the operator says, and nothing else", async () => {
    const ticket = { action: { name: "tickets.create" }, resource: { type: "tool", id: "tickets.create" } };
    const first = { trust_zone: "first_party" };
    expect(await ask({ ...ticket, subject: { type: "agent", id: "classifier", properties: first } }, { delegator: "user_1", arguments: { title: "t" } })).toBe(
      "policy_denied",
    );
    expect(await ask({}, { tool: { effect: "read", sends_outside: false, data_classes: [] } })).toBe("permit");
    expect(
      await ask(
        { action: { name: "mail.send" }, resource: { type: "tool", id: "mail.send" } },
        { arguments: {}, tool: { effect: "read", sends_outside: false, data_classes: [] } },
      ),
    ).toBe("policy_denied");
    expect(await ask({}, { arguments: { contract_id: "k9" } })).toBe("policy_error");
    expect(await ask({ resource: { type: "tool", id: "contracts.read" } }, { arguments: { contract_id: "k9" } })).toBe("policy_denied");
    expect(await ask({ resource: { type: "tool", id: "crm.read" } })).toBe("policy_error");
  });

  it("is of a task that has just begun, unless something else is said of it", async () => {
    expect(await ask({}, { task: { calls: 4 } })).toBe("policy_denied");
    expect(await ask({}, { task: { calls: "4" } })).toBe("policy_error");
    const ticket = { action: { name: "tickets.create" }, resource: { type: "tool", id: "tickets.create" } };
    expect(await ask(ticket, { arguments: { title: "t" }, labels: { integrity: "untrusted" } })).toBe("policy_denied");
  });

  it.each<readonly [string, Partial<PolicyQuestion>, JsonObject, string]>([
    ["another tenant", {}, { tenant: "tenant_2" }, "tenant_mismatch"],
    ["no tenant", {}, { tenant: "" }, "policy_error"],
    ["no purpose", {}, { purpose: 1 }, "policy_error"],
    ["no agent", {}, { agent: {} }, "policy_error"],
    ["an agent without a delegator", { subject: { type: "agent", id: "reviewer" } }, {}, "policy_error"],
    ["a subject of another type", { subject: { type: "Agent", id: "reviewer" } }, { delegator: "user_1" }, "policy_error"],
    ["a tool that is not in the manifest", { action: { name: "shell.exec" } }, {}, "tool_unmapped"],
    ["a tool by its inherited name", { action: { name: "constructor" } }, {}, "tool_unmapped"],
    ["arguments that are no object", {}, { arguments: "k1" }, "policy_error"],
    ["an agent that is not registered", {}, { agent: "stranger" }, "agent_unknown"],
    ["arguments that name no resource", {}, { arguments: {} }, "argument_not_allowed"],
    ["an argument of another type", { action: { name: "crm.read" }, resource: { type: "tool", id: "crm.read" } }, { arguments: { customer_id: 7 } }, "permit"],
  ])("with %s is answered as such", async (_, change, context, expected) => {
    expect(await ask(change, context)).toBe(expected);
  });

  it("is denied where the engine is empty, errs or answers nonsense", async () => {
    const engine = (more: Partial<PolicyEngine>): EvaluatedRules =>
      rules({ isEmpty: false, digest: "d", evaluate: async (asked) => asked.map(() => ({ effect: "permit", policies: [], errors: [] })), ...more });
    expect(await ask({}, {}, engine({}))).toBe("permit");
    expect(await ask({}, {}, engine({ isEmpty: true }))).toBe("no_policy");
    expect(await ask({}, {}, engine({ evaluate: async (asked) => asked.map(() => ({ effect: "permit", policies: [], errors: ["e"] })) }))).toBe("policy_error");
    expect(await ask({}, {}, engine({ evaluate: async (asked) => asked.map(() => ({ effect: "allow", policies: [], errors: [] })) as never }))).toBe(
      "policy_denied",
    );
    const half = engine({ evaluate: async () => [{ effect: "permit", policies: [], errors: [] }] });
    await expect(ask({}, {}, half)).rejects.toThrow(TypeError);
    await expect(ask({}, {}, engine({ evaluate: async () => [] }))).rejects.toThrow(TypeError);
    await expect(ask({}, {}, engine({ evaluate: () => Promise.reject(new Error("no")) }))).rejects.toThrow("no");
  });

  it("is answered over HTTP, where a failing engine denies, and nothing is granted or recorded", async () => {
    const url = await serveAuthzen(createEngineEvaluator(() => rules()));
    expect((await post(`${url}/access/v1/evaluation`, QUESTION)).json).toEqual({ decision: true });
    expect((await post(`${url}/access/v1/evaluation`, { ...QUESTION, context: { ...CONTEXT, tenant: "tenant_2" } })).json).toMatchObject({
      decision: false,
      context: { reason: "tenant_mismatch" },
    });
    const failing = await serveAuthzen(createEngineEvaluator(() => rules({ isEmpty: false, digest: "d", evaluate: () => Promise.reject(new Error("no")) })));
    expect((await post(`${failing}/access/v1/evaluation`, QUESTION)).json["decision"]).toBe(false);
  });

  it("can be which agents may make a call, and which tools may be called", async () => {
    const url = await serveAuthzen(createEngineEvaluator(() => rules()));
    const ticket = {
      subject: { type: "agent" },
      action: { name: "tickets.create" },
      resource: { type: "tool", id: "tickets.create" },
      context: { ...CONTEXT, delegator: "user_1", arguments: { title: "t" } },
    };
    const found = async (path: string, body: object) =>
      ((await post(`${url}/access/v1/search/${path}`, body)).json["results"] as unknown as readonly { readonly id?: string; readonly name?: string }[]).map(
        ({ id, name }) => id ?? name,
      );
    expect(await found("subject", ticket)).toEqual(["coordinator", "reviewer"]);
    expect(await found("subject", { ...ticket, subject: { type: "robot" } })).toEqual([]);
    expect(await found("subject", { ...ticket, context: { ...ticket.context, tenant: "tenant_2" } })).toEqual([]);
    const first = (await post(`${url}/access/v1/search/subject`, { ...ticket, page: { limit: 1 } })).json as unknown as {
      readonly results: unknown;
      readonly page: { readonly next_token: string };
    };
    expect(first.results).toEqual([{ type: "agent", id: "coordinator" }]);
    expect(await found("subject", { ...ticket, page: { token: first.page.next_token } })).toEqual(["reviewer"]);
    const { subject, resource, context } = QUESTION;
    expect(await found("action", { subject, resource, context })).toEqual(["contracts.read"]);
    expect(await found("action", { subject, resource: { type: "tool", id: "crm.read" }, context: { ...context, arguments: { customer_id: "c1" } } })).toEqual([
      "crm.read",
    ]);
    expect(await found("action", { subject, resource: { type: "tool", id: "mail.send" }, context: { ...context, arguments: {} } })).toEqual([]);
  });
});
