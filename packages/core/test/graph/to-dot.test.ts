import { instance } from "@viz-js/viz";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogRecord } from "../../src/audit/record.ts";
import { graphFromRecords, toDot } from "../../src/graph/index.ts";
import { body, recordsOf } from "../support/records.ts";
import { STORY } from "../support/story.ts";

interface Drawn {
  readonly objects?: readonly { readonly name: string; readonly label?: string; readonly color?: string; readonly style?: string }[];
  readonly edges?: readonly { readonly tail: number; readonly head: number; readonly label?: string; readonly color?: string; readonly style?: string }[];
}

/** What Graphviz makes of it. A new instance each time: one that has seen enough drawings fails on any. */
async function rendered(dot: string, format: "json0" | "svg"): Promise<string> {
  const result = (await instance()).render(dot, { format });
  expect(result.status).toBe("success");
  // It warns of characters whose width it has to guess, and must find nothing else.
  expect(result.errors.filter(({ message }) => !message.includes("no value for width"))).toStrictEqual([]);
  return result.output ?? "";
}

const drawn = async (dot: string): Promise<Drawn> => JSON.parse(await rendered(dot, "json0")) as Drawn;

const RED = "#c62828";
const GREEN = "#2e7d32";

describe("toDot", () => {
  it("draws what a person understands at a glance", async () => {
    const { objects = [], edges = [] } = await drawn(toDot(graphFromRecords(await recordsOf(STORY))));
    const label = (index: number): string => objects[index]?.label ?? "";
    const find = (text: string) => objects.find((object) => object.label?.includes(text) === true);

    expect(find("user_7f3a91")).toMatchObject({ label: "for user_7f3a91\\nreview\\ntask_8842", color: GREEN });
    expect(find("contracts.read")).toMatchObject({
      label: "1. contracts.read (read)\\ndone, 3 records\\n[contract_metadata, renewal_terms]\\nuntrusted output",
      color: GREEN,
    });
    expect(find("tickets.create")).toMatchObject({ label: "2. tickets.create (write)\\ndenied: tool_not_allowed", color: RED });
    expect(find("mail.send")).toMatchObject({ label: "3. mail.send (destructive)\\nneeds an approval", color: "#b26a00" });
    expect(find("renewal clause")).toMatchObject({ label: "renewal clause\\n[renewal_terms]" });
    expect(find("tenant t")?.name).toBe("cluster_0");

    const arrows = edges.map(({ tail, head, label: said = "", color }) => [label(tail).split("\\n")[0], label(head).split("\\n")[0], said, color === RED]);
    expect(arrows).toStrictEqual([
      ["for user_7f3a91", "reviewer", "", false],
      ["reviewer", "1. contracts.read (read)", "", false],
      ["reviewer", "classifier", "hands off\\nclassify\\ncontracts.read", false],
      ["reviewer", "renewal clause", "", false],
      ["renewal clause", "classifier", "", false],
      ["classifier", "2. tickets.create (write)", "", false],
      ["reviewer", "3. mail.send (destructive)", "", false],
      ["classifier", "stranger", "hands off\\nreview\\nno tools\\ndenied: hand_off_denied", true],
    ]);
  });

  it("shows a permitted call whose outcome nobody recorded, and what is left out", async () => {
    const dot = toDot(graphFromRecords(await recordsOf([{}, { kind: "outcome", decision_id: "nobody" }])));
    const { objects = [] } = await drawn(dot);
    expect(objects.find((object) => object.label?.includes("no outcome recorded") === true)?.style).toContain("dashed");
    expect(objects.some((object) => object.label === "1 records are not shown")).toBe(true);
  });

  it("draws an empty graph", async () => {
    expect(await drawn(toDot(graphFromRecords([])))).toMatchObject({ name: "execution" });
  });

  const HOSTILE = [
    '"]; evil [label="pwned',
    'x"; } digraph evil { a -> b',
    "\\",
    '\\"',
    "ends with a backslash\\",
    "\\N\\G\\L\\T\\E",
    "two\nlines",
    "<b>bold</b>",
    "<<table><tr><td>x</td></tr></table>>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#0;&amp;&nbsp;&unknown;",
    "</svg><script>alert(1)</script>",
    "\u202egnp.exe",
    "zero\u200bwidth",
    "line\u2028separator",
    "\u0007bell\u001b[31m",
    "node { } -> ; // # /* */",
    "javascript:alert(1)",
    "n0",
    "😀".repeat(200),
    "a".repeat(100_000),
    "",
    " ",
  ];

  const everywhere = (name: string): readonly LogRecord[] => {
    const details = {
      tool: name,
      effect: name,
      decision: "permit",
      code: name,
      message: name,
      delegator: name,
      purpose: name,
      data_classes: [name, name],
      allowed_tools: [name],
    };
    const record = (kind: string, more: object = {}): LogRecord =>
      ({
        ...body({ tenant: name, task: name, lineage: name, envelope: name, agent: name, decision_id: name }),
        kind,
        ts: name,
        details: { ...details, ...more },
      }) as never;
    return [
      record("begin"),
      record("decision"),
      record("outcome", { status: name, integrity: name }),
      record("hand_off", { from: name, to: `${name}2`, excerpts: [{ label: name, data_classes: [name] }] }),
      record("decision", { decision: "deny" }),
    ];
  };

  it.each(HOSTILE)("keeps the name %j inside its label", async (name) => {
    const graph = graphFromRecords(everywhere(name));
    const dot = toDot(graph);
    const { objects = [], edges = [] } = await drawn(dot);
    // Task, two agents, call, excerpt and the frame; nothing that a name made up.
    expect(objects.map((object) => object.name).sort()).toStrictEqual(["cluster_0", "n0", "n1", "n2", "n3", "n5"]);
    expect(edges).toHaveLength(5);
    expect(dot.length).toBeLessThan(6000);
    expect(await rendered(dot, "svg")).not.toMatch(/<script|<table|<b>/);
    expect(dot).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/u);
  });

  it("shows a name as it is, not what Graphviz would make of it", async () => {
    const label = async (name: string): Promise<string> => {
      const [record] = everywhere(name);
      const svg = await rendered(toDot(graphFromRecords([record as LogRecord])), "svg");
      return /<text [^>]*>for (.*?)<\/text>/.exec(svg)?.[1] ?? "";
    };
    expect(await label("a\\nb")).toBe("a\\nb");
    expect(await label("\\G")).toBe("\\G");
    expect(await label("&lt;")).toBe("&amp;lt;");
    expect(await label("<i>")).toBe("&lt;i&gt;");
    expect(await label("a\u202eb")).toBe("a&lt;202e&gt;b");
    expect(await label("a".repeat(500))).toBe(`${"a".repeat(75)}…`);
  });

  it("says of a name that is empty that it is", () => {
    expect(toDot(graphFromRecords(everywhere(" ")))).toContain('label="(empty)"');
  });

  it("is accepted by Graphviz for any names at all", async () => {
    const text = fc.string({ unit: "binary", maxLength: 40 });
    const hostile = fc
      .array(fc.oneof(fc.constantFrom('"', "\\", "\n", "<", ">", "&", ";", "]", "}", "\0", "\ud800", "->"), text), { maxLength: 6 })
      .map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(hostile, async (name) => {
        const { objects = [] } = await drawn(toDot(graphFromRecords(everywhere(name))));
        expect(objects).toHaveLength(6);
      }),
      { numRuns: 60 },
    );
  });
});
