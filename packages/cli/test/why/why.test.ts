import type { Task } from "@ambit/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openScene, type Scene } from "./scene.ts";

let scene: Scene;
let task: Task;
beforeEach(async () => {
  scene = await openScene();
  task = await scene.begin({ approvals: ["tickets.create"] });
});
afterEach(() => scene.end());

/** Everything that a terminal obeys or that changes how a line reads; our own line breaks aside. */
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const HOSTILE = "\u001b[2J\u001b]0;owned\u0007\u202egnp\r\n✔ permitted\u2028\u200b";

async function whyOf(id: string, options?: Parameters<Scene["ambit"]>[1]): Promise<string> {
  const { exitCode, out, err } = await scene.ambit(["why", id], options);
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
  return out;
}

async function jsonOf(id: string): Promise<{ readonly [member: string]: unknown }> {
  const { exitCode, out } = await scene.ambit(["why", id, "--json"]);
  expect(exitCode).toBe(0);
  return JSON.parse(out) as { readonly [member: string]: unknown };
}

describe("ambit why", () => {
  test("tells of a refusal what was asked, for whom, through whose hands, where it failed, and what would make it legal", async () => {
    const child = await scene.pep.handOff(task, { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] });
    const out = await whyOf(await scene.call(scene.pep.as("classifier"), child, "crm_read", {}));
    expect(out).toMatch(/^dec_\S+ denied: tool_not_allowed\n/);
    expect(out).toMatch(/^ {2}asked +to call crm\.read as read$/m);
    expect(out).toMatch(/^ {2}by +classifier$/m);
    expect(out).toMatch(/^ {2}above it +reviewer$/m);
    expect(out).toMatch(/^ {2}on behalf of +user_1 of tenant_1$/m);
    expect(out).toMatch(/^ {2}task +task_1\n {2}purpose +classify\n {2}at +2026-05-12T18:/m);
    expect(out.match(/^ {2}[✔✘·] \w+/gm)).toEqual(
      ["✔ call", "✔ envelope", "✘ constraint", "· intent", "· policy", "· approval", "· commit", "· log"].map((rung) => `  ${rung}`),
    );
    expect(out).toMatch(/^ {2}policy digest +sha-256:/m);
    expect(out).toMatch(/^ {2}record +3 of 3 in decisions\.jsonl, verified$/m);
    expect(out).toMatch(/Smallest change[^]*`crm\.read` in `mayDelegate`[^]*`classifier`/);
  });

  test("tells of a permit what determined it and how it ended", async () => {
    const out = await whyOf(await scene.call(scene.pep, task, "contracts_read", { id: "k1" }));
    expect(out).toMatch(/^dec_\S+ permitted\n/);
    expect(out).toMatch(/^ {2}policies +all$/m);
    expect(out).toMatch(/^ {2}\d\d:\d\d:\d\d\.\d{3} +it ended as done, 1 record, untrusted, data classes terms$/m);
    expect(out).not.toContain("Smallest change");
    expect(out.match(/^ {2}✔/gm)).toHaveLength(8);
  });

  test.each([
    ["mail_send", "policy_denied", "policy", /have it asked for by people and agents who may call `mail\.send`/],
    ["frobnicate", "tool_unmapped", "envelope", /add to `tools` of the manifest: \{"frobnicate"/],
    ["contracts_read", "argument_not_allowed", "constraint", /call `contracts\.read` with arguments inside what the message names/],
  ])("finds for %s that it is %s, at the step %s", async (tool, code, step, change) => {
    const json = await jsonOf(await scene.call(scene.pep, task, tool, tool === "contracts_read" ? { id: "other" } : {}));
    expect(json).toMatchObject({ about: "decision", verdict: "deny", record: { details: { code } }, log: { intact: true }, verified: true });
    expect(json["steps"]).toContainEqual({ step, state: "failed" });
    expect(json["change"]).toMatch(change);
  });

  test("follows a call that waits for an approval, from the request to the outcome, by any of its ids", async () => {
    const id = await scene.call(scene.pep, task, "tickets_create", { title: "x" }, "call_9");
    const [waiting] = await scene.pdp.approvals.list("tenant_1");
    const approval = waiting?.id ?? "none";
    expect(await whyOf(id)).toMatch(/not yet: it waits for an approval\n/);
    expect((await jsonOf(id))["change"]).toContain(`have \`${approval}\` approved by \`delegator\``);
    await scene.pdp.approvals.answer({ tenantId: "tenant_1", id: approval, approver: "user_1", decision: "approve", assertedBy: "app" });
    const permitted = await scene.call(scene.pep, task, "tickets_create", { title: "x" }, "call_9");
    expect(await whyOf(id)).toMatch(
      new RegExp(`other times\\n.*${permitted}: permitted\\n\\nAfterwards\\n.*user_1 answered approve; the request is approved\\n`),
    );
    expect(await jsonOf("call_9")).toMatchObject({ about: "call", record: { decision_id: permitted }, sameCall: [{ decision_id: id }] });
    expect(await jsonOf(approval)).toMatchObject({
      about: "approval",
      afterwards: [{ decision_id: id }, { kind: "approval_answer" }, { decision_id: permitted }],
    });
    expect(await whyOf(approval)).toMatch(/^apr_\S+ request for approval\n {2}asked +tickets\.create\n/);
  });

  test("tells of an envelope who gave what to whom, and what was done under it", async () => {
    const child = await scene.pep.handOff(task, { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] });
    await scene.call(scene.pep.as("classifier"), child, "contracts_read", { id: "k1" });
    await child.end();
    const out = await whyOf(child.envelopeId);
    expect(out).toMatch(/^ {2}asked +to hand contracts\.read on to classifier\n {2}by +reviewer$/m);
    expect(out).toMatch(/^ {2}under it +1 permitted, 0 denied: contracts\.read$/m);
    expect(out).toMatch(/Afterwards\n.*env_\S+ was ended/);
    expect(await jsonOf(task.envelopeId)).toMatchObject({ about: "envelope", record: { kind: "begin" }, under: { permitted: 0, denied: 0 } });
  });

  test("says who stopped what an envelope was good for", async () => {
    await scene.pdp.revoke({ tenantId: "tenant_1", scope: "delegator", id: "user_1", by: "ops", reason: HOSTILE });
    const out = await whyOf(await scene.call(scene.pep, task, "contracts_read", { id: "k1" }));
    expect(out).toMatch(/denied: envelope_revoked\n[^]*ops revoked delegator user_1: /);
    expect(out).not.toMatch(OBEYED);
    const revocation = (await scene.records()).find(({ kind }) => kind === "revoke");
    expect(await whyOf(revocation?.decision_id ?? "none")).toMatch(/^rev_\S+ revoke\n[^]* {2}reason +"/);
  });

  test("says so too of a session, for whatever was handed on in it, and nothing of another session", async () => {
    const within = await scene.begin({ sessionId: "sess_1" });
    const child = await scene.pep.handOff(within, { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] });
    await scene.pdp.revoke({ tenantId: "tenant_1", scope: "session", id: "sess_2", by: "ops" });
    await scene.pdp.revoke({ tenantId: "tenant_1", scope: "session", id: "sess_1", by: "ops" });
    const out = await whyOf(await scene.call(scene.pep.as("classifier"), child, "contracts_read", { id: "k1" }));
    expect(out).toMatch(/denied: envelope_revoked\n[^]*ops revoked session sess_1\n/);
    expect(out).not.toContain("sess_2");
    expect(await whyOf(within.envelopeId)).toMatch(/Afterwards\n[^]*ops revoked session sess_1\n/);
  });

  test("says that what was only observed ran", async () => {
    const id = await scene.call(scene.observer, task, "mail_send", {});
    expect(await whyOf(id)).toMatch(/^dec_\S+ would be denied: policy_denied, and ran all the same: nothing was enforced\n/);
    expect(await jsonOf(id)).toMatchObject({ isObserved: true, verdict: "deny" });
  });

  test("explains a begin that was refused", async () => {
    const error = await scene.begin({ purpose: "classify" }).catch((thrown: { readonly decisionId?: string }) => thrown);
    const out = await whyOf((error as { readonly decisionId: string }).decisionId);
    expect(out).toMatch(/denied: purpose_mismatch\n {2}asked +to begin a task/);
    expect(out).toMatch(/^ {2}✘ intent/m);
  });

  test("answers from a broken log too, and says what of it holds", async () => {
    const id = await scene.call(scene.pep, task, "mail_send", {});
    await scene.call(scene.pep, task, "contracts_read", { id: "k1" });
    await scene.edit((log) => log.replace("policy_denied", "purpose_mismatch"));
    const out = await whyOf(id);
    expect(out).toMatch(/^the log decisions\.jsonl is BROKEN at line 3: .*the first 1 records hold/);
    expect(out).toMatch(/NOT verified/);
    expect(await jsonOf(id)).toMatchObject({ verified: false, log: { intact: false, verified: 1, flaw: { line: 3 } } });
    expect(await jsonOf(task.envelopeId)).toMatchObject({ verified: true });
  });

  test("takes a last line that is being written for no break", async () => {
    await scene.edit((log) => `${log}{"agent":"rev`);
    expect(await whyOf(task.envelopeId)).toMatch(/^its last line is half written/);
    expect(await jsonOf(task.envelopeId)).toMatchObject({ log: { intact: true, torn: true } });
  });

  test("lets nothing of a log reach the terminal that it would obey", async () => {
    const id = await scene.call(scene.pep, task, HOSTILE, { [HOSTILE]: HOSTILE }, HOSTILE);
    for (const options of [[], ["--json"]]) {
      const { out, err, exitCode } = await scene.ambit(["why", id, ...options]);
      expect(exitCode).toBe(0);
      expect(out + err).not.toMatch(OBEYED);
      expect(out).not.toMatch(/^ *✔ permitted/m);
    }
    const { err } = await scene.ambit(["why", HOSTILE]);
    expect(err).not.toMatch(OBEYED);
  });

  test("has colours on a terminal alone, and fits a narrow one", async () => {
    const id = await scene.call(scene.pep, task, "mail_send", {});
    expect(await whyOf(id, { hasColours: true })).toContain("\u001b[31m✘\u001b[0m");
    expect(await whyOf(id)).not.toMatch(OBEYED);
    const narrow = await whyOf(id, { columns: 40 });
    // Ids and digests stay whole, so that they can be copied.
    expect(narrow.split("\n").filter((line) => line.length > 40 && line.trim().includes(" "))).toEqual([expect.stringMatching(/^dec_/)]);
  });

  test("reads the log that it is told to, that of the configuration, or stdin", async () => {
    await scene.call(scene.pep, task, "mail_send", {});
    const { stdin, id } = { stdin: await scene.text(), id: task.envelopeId };
    await scene.write("ambit.config.json", { log: "logs.jsonl" });
    expect((await scene.ambit(["why", id])).exitCode).toBe(2);
    expect((await scene.ambit(["why", id, "--log", "decisions.jsonl"])).exitCode).toBe(0);
    expect((await scene.ambit(["why", id, "--log", "-"], { stdin })).exitCode).toBe(0);
    await scene.write("ambit.config.json", { log: "decisions.jsonl" });
    expect((await scene.ambit(["why", id])).exitCode).toBe(0);
    await scene.write("ambit.config.json", { log: "memory" });
    expect((await scene.ambit(["why", id])).err).toMatch(/^error\[usage\]/);
  });

  test.each([
    ["not_found", 1, ["dec_none"]],
    ["not_found", 1, ["constructor"]],
    ["usage", 2, []],
    ["usage", 2, [""]],
    ["usage", 2, ["dec_1", "dec_2"]],
    ["usage", 2, ["dec_1", "--frobnicate"]],
    ["usage", 2, ["dec_1", "--log", ""]],
    ["file_unreadable", 2, ["dec_1", "--log", "no-such-file"]],
    ["file_unreadable", 2, ["dec_1", "--log", "."]],
    ["file_malformed", 2, ["dec_1", "--log", "other.txt"]],
  ])("answers %s with exit code %i to %j", async (code, exitCode, args) => {
    await scene.write("other.txt", "hello\nworld\n");
    const ran = await scene.ambit(["why", ...args]);
    expect(ran).toMatchObject({ exitCode, out: "" });
    expect(ran.err.slice(0, code.length + 8)).toBe(`error[${code}]:`);
  });
});
