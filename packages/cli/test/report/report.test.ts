import type { LogReport } from "@ambit/core/audit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openScene, type Scene } from "../why/scene.ts";

let scene: Scene;
beforeEach(async () => {
  scene = await openScene();
});
afterEach(() => scene.end());

async function report(): Promise<LogReport> {
  const { exitCode, out } = await scene.ambit(["report", "--json"]);
  expect(exitCode).toBe(0);
  return JSON.parse(out) as LogReport;
}

describe("ambit report", () => {
  test("counts calls by task, agent and tool, and refusals by code with a decision to ask about", async () => {
    const [one, two] = [await scene.begin(), await scene.begin({ taskId: "task_2", approvals: ["tickets.create"] })];
    for (const id of ["k1", "k2"]) await scene.call(scene.pep, one, "contracts_read", { id });
    await scene.call(scene.pep, two, "tickets_create", {});
    const mails = [await scene.call(scene.pep, two, "mail_send", {}), await scene.call(scene.pep, one, "mail_send", {})];
    const found = await report();
    expect(found.calls).toEqual({ permitted: 1, denied: 3, approvals: 1, observed: 0 });
    expect(found.tasks).toMatchObject([
      { task: "task_1", delegator: "user_1", purpose: "review", permitted: 1, denied: 2 },
      { task: "task_2", denied: 1, approvals: 1 },
    ]);
    expect(found.agents).toEqual([{ name: "reviewer", permitted: 1, denied: 3, approvals: 1, observed: 0 }]);
    expect(found.tools.map(({ name, permitted, denied }) => [name, permitted, denied])).toEqual([
      ["contracts.read", 1, 1],
      ["mail.send", 0, 2],
      ["tickets.create", 0, 0],
    ]);
    expect(found.refusals.map(({ code, count }) => [code, count])).toEqual([
      ["policy_denied", 2],
      ["approval_required", 1],
      ["argument_not_allowed", 1],
    ]);
    expect(found.refusals[0]).toMatchObject({ tools: ["mail.send"], example: mails[0] });
    expect((await scene.ambit(["why", found.refusals[0]?.example ?? ""])).exitCode).toBe(0);
  });

  test("sets what was granted beside what was used, over all envelopes of a purpose", async () => {
    const tasks = [await scene.begin({ mayDelegate: ["crm.read"] }), await scene.begin({ taskId: "task_2", allowedTools: ["contracts.read"] })];
    const [first] = tasks as [(typeof tasks)[0], ...typeof tasks];
    await scene.call(scene.pep, first, "contracts_read", { id: "k1" });
    await scene.call(scene.pep, first, "contracts_read", { id: "k1" });
    const child = await scene.pep.handOff(first, { agentId: "classifier", purpose: "classify", allowedTools: ["crm.read"] });
    await scene.call(scene.pep.as("classifier"), child, "crm_read", {});
    expect((await report()).granted).toMatchObject([
      {
        tenant: "tenant_1",
        purpose: "review",
        agent: "reviewer",
        envelopes: 2,
        tools: [
          { tool: "contracts.read", granted: 2, used: 1, calls: 2 },
          { tool: "mail.send", granted: 1, used: 0, calls: 0 },
          { tool: "tickets.create", granted: 1, used: 0, calls: 0 },
        ],
        neverCalled: ["mail.send", "tickets.create"],
        toHandOn: [{ tool: "crm.read", granted: 1, handedOn: 1 }],
        reserved: { records: 2 },
        records: 2,
        dataClasses: ["terms"],
      },
      { purpose: "classify", agent: "classifier", envelopes: 1, neverCalled: [] },
    ]);
    const { out } = await scene.ambit(["report"]);
    expect(out).toMatch(/^ {4}contracts\.read +called 2 times, under 1$/m);
    expect(out).toMatch(/^ {4}to narrow +leave mail\.send, tickets\.create out of `allowedTools`$/m);
  });

  test("lists what would be refused of an observed run by code and tool, with what makes it legal, and counts none of it as refused", async () => {
    const task = await scene.begin();
    const first = await scene.call(scene.observer, task, "crm_read", {});
    await scene.call(scene.observer, task, "crm_read", {});
    await scene.call(scene.observer, task, "mail_send", {});
    await scene.call(scene.observer, task, "contracts_read", { id: "k1" });
    await scene.call(scene.pep, task, "mail_send", {});
    const found = await report();
    expect(found.calls).toEqual({ permitted: 1, denied: 1, approvals: 0, observed: 3 });
    expect(found.refusals).toMatchObject([{ code: "policy_denied", count: 1 }]);
    expect(found.wouldBeDenied).toMatchObject([
      { code: "tool_not_allowed", tool: "crm.read", count: 2, agents: ["reviewer"], example: first, changes: [{ count: 2, example: first }], others: 0 },
      { code: "policy_denied", tool: "mail.send", count: 1 },
    ]);
    const { out } = await scene.ambit(["report"]);
    expect(out).toMatch(
      /Would have been refused[^]*tool_not_allowed: crm\.read, 2 times, by reviewer; ambit why dec_[^]*→ begin the task with `crm\.read` in `allowedTools`/,
    );
  });

  test("proposes a change that lets the call through once it is made", async () => {
    await scene.call(scene.observer, await scene.begin(), "crm_read", {});
    const before = await report();
    expect(before.wouldBeDenied[0]?.changes[0]?.change).toContain("`crm.read` in `allowedTools`");
    const wider = await scene.begin({ taskId: "task_2", allowedTools: ["crm.read"] });
    await scene.call(scene.observer, wider, "crm_read", {});
    expect((await report()).wouldBeDenied[0]?.count).toBe(1);
  });

  test("shows the first of many, and fits a narrow screen", async () => {
    for (let index = 0; index < 12; index++) await scene.call(scene.pep, await scene.begin({ taskId: `task_${index}` }), `tool_${index}`, {});
    const { out } = await scene.ambit(["report"], { columns: 44 });
    expect(out).toContain("and 2 more; --json has them all");
    expect(out.split("\n").filter((line) => line.length > 44 && !line.includes("{"))).toEqual([]);
    expect((await report()).tasks).toHaveLength(12);
  });

  test("of a log that is broken says so and answers 1", async () => {
    await scene.begin();
    await scene.begin({ taskId: "task_2" });
    await scene.edit((log) => log.replace("user_1", "user_2"));
    const { exitCode, out } = await scene.ambit(["report"]);
    expect({ exitCode, first: out.slice(0, 42) }).toEqual({ exitCode: 1, first: "the log decisions.jsonl is BROKEN at line 2".slice(0, 42) });
  });

  test("of an empty log is empty", async () => {
    const { exitCode, out } = await scene.ambit(["report"]);
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: "0 records in decisions.jsonl\n  calls          0 permitted\n" });
  });

  test.each([
    ["usage", ["extra"]],
    ["usage", ["--log", ""]],
    ["file_unreadable", ["--log", "no-such-file"]],
  ])("answers %s with exit code 2 to %j", async (code, args) => {
    const ran = await scene.ambit(["report", ...args]);
    expect(ran).toMatchObject({ exitCode: 2, out: "" });
    expect(ran.err.slice(0, code.length + 8)).toBe(`error[${code}]:`);
  });
});
