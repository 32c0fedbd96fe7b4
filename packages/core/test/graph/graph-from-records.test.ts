import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogRecord } from "../../src/audit/record.ts";
import { graphFromRecords, type ExecutionGraph, type GraphNode } from "../../src/graph/index.ts";
import { recordsOf } from "../support/records.ts";
import { STORY } from "../support/story.ts";

const nodesOf = <K extends GraphNode["kind"]>(graph: ExecutionGraph, kind: K): readonly Extract<GraphNode, { kind: K }>[] =>
  graph.nodes.filter((node): node is Extract<GraphNode, { kind: K }> => node.kind === kind);

const NAMES = { task: "task", agent: "agent", call: "tool", hand_off: "decisionId", excerpt: "label" } as const;

/** Edges by what their ends are called. */
function edgesOf(graph: ExecutionGraph): readonly string[] {
  const names = new Map(graph.nodes.map((node) => [node.id, String((node as unknown as Record<string, unknown>)[NAMES[node.kind]])]));
  return graph.edges.map(({ kind, from, to }) => `${names.get(from)} ${kind} ${names.get(to)}`);
}

describe("graphFromRecords", () => {
  it("tells who did what for whom, in the order of the log", async () => {
    const graph = graphFromRecords(await recordsOf(STORY));
    expect(graph.nodes.map(({ kind }) => kind)).toStrictEqual(["task", "agent", "call", "agent", "hand_off", "excerpt", "call", "call", "agent", "hand_off"]);
    expect(edgesOf(graph)).toStrictEqual([
      "reviewer caused_by task_8842",
      "contracts.read caused_by reviewer",
      "dec_hand caused_by reviewer",
      "dec_hand delegated_to classifier",
      "dec_hand carried renewal clause",
      "tickets.create caused_by classifier",
      "mail.send caused_by reviewer",
      "dec_out caused_by classifier",
      "dec_out delegated_to stranger",
    ]);
    expect(graph.omitted).toBe(0);
  });

  it("keeps of each what the log says", async () => {
    const graph = graphFromRecords(await recordsOf(STORY));
    expect(nodesOf(graph, "task")).toMatchObject([
      { verdict: "permit", task: "task_8842", delegator: "user_7f3a91", purpose: "review", endedAt: "2026-05-12T12:00:08.000Z" },
    ]);
    expect(nodesOf(graph, "call")).toMatchObject([
      {
        tool: "contracts.read",
        effect: "read",
        verdict: "permit",
        status: "done",
        records: 3,
        integrity: "untrusted",
        dataClasses: ["contract_metadata", "renewal_terms"],
      },
      { tool: "tickets.create", verdict: "deny", code: "tool_not_allowed", step: "constraint", message: "the tool is not in the envelope" },
      { tool: "mail.send", verdict: "approval_required", code: "approval_required" },
    ]);
    expect(nodesOf(graph, "hand_off")).toMatchObject([
      { verdict: "permit", purpose: "classify", allowedTools: ["contracts.read"] },
      { verdict: "deny", code: "hand_off_denied" },
    ]);
    expect(nodesOf(graph, "excerpt")).toMatchObject([{ label: "renewal clause", dataClasses: ["renewal_terms"] }]);
  });

  it("is plain data that nobody can change", async () => {
    const graph = graphFromRecords(await recordsOf(STORY));
    expect(JSON.parse(JSON.stringify(graph))).toStrictEqual(graph);
    const isFrozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    expect(isFrozen(graph)).toBe(true);
    expect(graphFromRecords([])).toStrictEqual({ nodes: [], edges: [], omitted: 0 });
  });

  it("takes nothing for a permit that is not recorded as one (I1)", async () => {
    const decisions = [undefined, null, true, "Permit", "permitted", 1, ["permit"], {}];
    const records = await recordsOf(decisions.map((decision, index) => ({ decision_id: `d${index}`, details: { tool: "t", decision: decision as never } })));
    expect(nodesOf(graphFromRecords(records), "call").map(({ verdict }) => verdict)).toStrictEqual(decisions.map(() => "deny"));
  });

  it("shows a permitted call without an outcome, and takes an outcome once and only for what was permitted", async () => {
    const outcome = { kind: "outcome", details: { status: "done", records: 1 } } as const;
    const graph = graphFromRecords(
      await recordsOf([
        { decision_id: "open" },
        { decision_id: "denied", details: { tool: "t", decision: "deny" } },
        { ...outcome, decision_id: "denied" },
        { ...outcome, decision_id: "nobody" },
        { decision_id: "twice" },
        { ...outcome, decision_id: "twice" },
        { ...outcome, decision_id: "twice", details: { status: "failed" } },
      ]),
    );
    expect(nodesOf(graph, "call").map(({ status }) => status)).toStrictEqual([undefined, undefined, "done"]);
    expect(graph.omitted).toBe(3);
  });

  it("shows how a call ended of which nobody knew it first, once somebody does", async () => {
    const unknown = { kind: "outcome", details: { status: "unknown" } } as const;
    const found = { kind: "reconcile", details: { status: "not_run", by: "ops" } } as const;
    const graph = graphFromRecords(
      await recordsOf([
        { decision_id: "late" },
        { ...unknown, decision_id: "late" },
        { kind: "outcome", details: { status: "done", records: 1 }, decision_id: "late" },
        { decision_id: "reconciled" },
        { ...unknown, decision_id: "reconciled" },
        { ...found, decision_id: "reconciled" },
        { ...found, decision_id: "reconciled" },
        { decision_id: "dead" },
        { ...found, decision_id: "dead" },
      ]),
    );
    expect(nodesOf(graph, "call").map(({ status }) => status)).toStrictEqual(["done", "not_run", "not_run"]);
    expect(graph.omitted).toBe(1);
  });

  it("never mixes tenants or lineages (I12)", async () => {
    const places = [{}, { tenant: "other" }, { lineage: "other" }, { tenant: 't","l', lineage: "x" }];
    const graph = graphFromRecords(
      await recordsOf(
        places.flatMap((place) => [
          { ...place, kind: "begin" as const },
          place,
          { ...place, kind: "outcome" as const, details: { status: place === places[0] ? "done" : "failed" } },
        ]),
      ),
    );
    expect(nodesOf(graph, "agent")).toHaveLength(4);
    expect(nodesOf(graph, "call").map(({ status }) => status)).toStrictEqual(["done", "failed", "failed", "failed"]);
  });

  it("keeps apart the tasks that were refused to begin", async () => {
    const refused = { kind: "begin", lineage: "none", envelope: "none", details: { decision: "deny", code: "envelope_expired" } } as const;
    const graph = graphFromRecords(
      await recordsOf([
        { ...refused, decision_id: "a" },
        { ...refused, decision_id: "b" },
      ]),
    );
    expect(nodesOf(graph, "task").map(({ code }) => code)).toStrictEqual(["envelope_expired", "envelope_expired"]);
  });

  it("is bounded, and says what it left out", async () => {
    const [record] = await recordsOf([{}]);
    const many = Array.from({ length: 6000 }, (_, index) => ({ ...record, decision_id: `d${index}` }) as LogRecord);
    const graph = graphFromRecords(many);
    expect(graph.nodes).toHaveLength(5000);
    expect(graph.omitted).toBe(1001); // one node is the agent
    expect(graph.edges.every(({ from, to }) => graph.nodes.some(({ id }) => id === from) && graph.nodes.some(({ id }) => id === to))).toBe(true);
  });

  it("reads any records without failing, and has no edge that ends nowhere", async () => {
    const kinds = fc.constantFrom("begin", "decision", "outcome", "hand_off", "end", "unknown", "toString");
    const text = fc.constantFrom("a", "b", "__proto__", "constructor", "", "\ud800");
    const details = fc.oneof(
      fc.dictionary(
        fc.constantFrom("tool", "decision", "code", "from", "to", "excerpts", "data_classes", "records", "status", "allowed_tools", "delegator", "__proto__"),
        fc.oneof(fc.constant("permit"), fc.anything()),
      ),
      fc.anything(),
    );
    const record = fc.record({ kind: kinds, tenant: text, task: text, lineage: text, envelope: text, agent: text, decision_id: text, ts: text, details });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (records) => {
        const graph = graphFromRecords(records as unknown as readonly LogRecord[]);
        const ids = new Set(graph.nodes.map(({ id }) => id));
        expect(ids.size).toBe(graph.nodes.length);
        expect(graph.edges.every(({ from, to }) => ids.has(from) && ids.has(to))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
