import { describe, expect, test } from "vitest";
import { createMemoryLog, explain, readLog, reportOf, verifyLog, type LogRecord, type RecordBody, type RecordKind } from "../../src/audit/index.ts";
import type { JsonObject } from "../../src/data/json.ts";

function body(kind: RecordKind, id: string, details: JsonObject, more: Partial<RecordBody> = {}): RecordBody {
  return { kind, tenant: "t1", task: "task_1", lineage: "env_1", envelope: "env_1", agent: "a1", decision_id: id, details, ...more };
}

async function logOf(...bodies: readonly RecordBody[]): Promise<string> {
  const log = createMemoryLog({ now: () => Date.parse("2026-05-12T18:00:00Z") });
  for (const record of bodies) await log.append(record);
  return log.text();
}

const recordsOf = async (...bodies: readonly RecordBody[]): Promise<readonly LogRecord[]> => readLog(Buffer.from(await logOf(...bodies))).records;

const BEGIN = body("begin", "dec_1", { decision: "permit", delegator: "user_1", purpose: "review", allowed_tools: ["x.read"], may_delegate: [] });
const denied = (details: JsonObject = {}, more: Partial<RecordBody> = {}): RecordBody =>
  body("decision", "dec_2", { decision: "deny", code: "tool_not_allowed", step: "constraint", tool: "y.read", call_id: "env_1/t1/call_1", ...details }, more);

describe("reading a log", () => {
  test("that holds is reading what the verifier verified", async () => {
    const text = await logOf(BEGIN, denied());
    const verified = verifyLog(text);
    expect(readLog(Buffer.from(text))).toEqual({ records: verified.intact ? verified.records : [], verified: 2, unreadable: 0, isTorn: false });
  });

  test("that was edited believes nothing from the edited record on, and reads all of it", async () => {
    const text = await logOf(BEGIN, body("end", "end_0", {}), denied(), body("end", "end_1", {}), body("end", "end_2", {}));
    const edited = readLog(Buffer.from(text.replace('"y.read"', '"z.read"')));
    expect(edited).toMatchObject({ verified: 2, flaw: { at: 4 }, unreadable: 0 });
    expect(edited.records).toHaveLength(5);
  });

  test("passes over lines that are no records, and one that is half written", async () => {
    const lines = (await logOf(BEGIN, denied(), body("end", "end_1", {}))).split("\n");
    expect(readLog(Buffer.from([lines[0], "{}", "\ufffd[[", lines[1], lines[2]?.slice(0, 9)].join("\n")))).toMatchObject({
      records: [{ decision_id: "dec_1" }, { decision_id: "dec_2" }],
      verified: 0,
      unreadable: 2,
      isTorn: true,
    });
    expect(readLog(Buffer.from(lines.slice(0, 2).join("\n")))).toMatchObject({ verified: 1, isTorn: true });
    expect(readLog(Buffer.from(""))).toMatchObject({ records: [], verified: 0, isTorn: false });
  });
});

describe("an explanation", () => {
  test("ends where hand-offs go in a circle", async () => {
    const circle = (from: string, to: string): RecordBody =>
      body("hand_off", `dec_${to}`, { decision: "permit", to: "a2", child_envelope: to, parent_envelope: from, allowed_tools: [] }, { envelope: from });
    const records = await recordsOf(circle("env_b", "env_a"), circle("env_a", "env_b"), denied({}, { envelope: "env_a" }));
    expect(explain(records, "dec_2")?.asked?.chain.length).toBeLessThan(100);
    expect(reportOf(records).calls.denied).toBe(1);
  });

  test("takes nothing of another tenant for its own", async () => {
    const other = { tenant: "t2" };
    const records = await recordsOf(
      { ...BEGIN, ...other },
      denied({ code: "envelope_revoked" }),
      body("outcome", "dec_2", { status: "done" }, other),
      body("revoke", "rev_1", { scope: "tenant", by: "ops" }, other),
      body("end", "end_1", {}, other),
    );
    expect(explain(records, "dec_2")).toMatchObject({ asked: { delegator: undefined, chain: [] }, because: [], afterwards: [] });
  });

  test("takes part of a task's id, or other names beneath it, for no revocation of it", async () => {
    const revoked = (id: string, scope = "task"): RecordBody => body("revoke", "rev_1", { scope, id, by: "ops" });
    const follows = async (task: string, record: RecordBody): Promise<number | undefined> =>
      explain(await recordsOf(BEGIN, denied({}, { task }), record), "dec_2")?.afterwards.length;
    expect(await follows("task_10", revoked("task_1"))).toBe(0);
    expect(await follows("task_1/sub", revoked("task_1"))).toBe(1);
    expect(await follows("task_1", revoked("task_1/sub"))).toBe(0);
    expect(await follows("task_1", revoked("user_1", "delegator"))).toBe(1);
    expect(await follows("task_1", revoked("user_1", "agent"))).toBe(0);
    expect(await follows("task_1", revoked("env_1", "envelope"))).toBe(1);
  });

  test.each([
    [{ decision: "deny", step: "policy" }, "passed passed passed passed failed not_reached not_reached not_reached"],
    [{ decision: "deny", step: "constructor" }, "not_reached not_reached not_reached not_reached not_reached not_reached not_reached not_reached"],
    [{ decision: "Permit" }, "not_reached not_reached not_reached not_reached not_reached not_reached not_reached not_reached"],
    [{ decision: "permit" }, "passed passed passed passed passed passed passed passed"],
  ])("of %j says that the steps are: %s", async (details, states) => {
    const record = body("decision", "dec_2", details);
    expect(
      explain(await recordsOf(record), "dec_2")
        ?.steps.map(({ state }) => state)
        .join(" "),
    ).toBe(states);
  });

  test("finds a call by its whole id, and never by a part of a name", async () => {
    const records = await recordsOf(BEGIN, denied(), denied({ call_id: "env_1/t2/call_1", decision: "permit" }, { decision_id: "dec_3" }));
    expect(explain(records, "call_1")).toMatchObject({ about: "call", record: { decision_id: "dec_3" }, sameCall: [{ decision_id: "dec_2" }] });
    expect(explain(records, "t1/call_1")).toMatchObject({ record: { decision_id: "dec_2" }, sameCall: [] });
    for (const id of ["all_1", "env_1/t1", "dec_", "DEC_2", "constructor", "1"]) expect(explain(records, id)).toBeUndefined();
  });
});
