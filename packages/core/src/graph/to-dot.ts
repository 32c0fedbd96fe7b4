import type { ExecutionGraph, GraphNode, HandOffNode } from "./execution-graph.ts";
import { quote } from "./dot-text.ts";

const COLOURS = {
  permit: { color: "#2e7d32", fillcolor: "#e8f5e9", fontcolor: "#1b5e20" },
  deny: { color: "#c62828", fillcolor: "#ffebee", fontcolor: "#b71c1c" },
  approval_required: { color: "#b26a00", fillcolor: "#fff3e0", fontcolor: "#8a5200" },
  neutral: { color: "#546e7a", fillcolor: "#eceff1", fontcolor: "#263238" },
} as const;

const DEFAULTS = [
  'graph [rankdir=LR, fontname="Helvetica", fontsize=11, labelloc=b, label="green: permitted    red: denied    amber: needs an approval"];',
  'node [fontname="Helvetica", fontsize=11, style="filled,rounded", shape=box, margin="0.2,0.08"];',
  'edge [fontname="Helvetica", fontsize=10, color="#546e7a"];',
];

/** Values are text, or the lines of a label. */
type Attributes = Readonly<Record<string, string | readonly (string | undefined)[]>>;

/**
 * The graph as Graphviz DOT: who acts for whom, every call in its order, what was permitted (green) and what was refused (red, with the code),
 * hand-offs as edges between agents, data classes in brackets.
 *
 * Names may be hostile: they appear only inside quoted labels, cut to a readable length, with control and direction characters spelled out.
 */
export function toDot(graph: ExecutionGraph): string {
  const names = new Map(graph.nodes.map((node, index) => [node.id, `n${index}`]));
  const lines = [...DEFAULTS];

  let calls = 0;
  lineagesOf(graph).forEach((nodes, index) => {
    lines.push(`subgraph cluster_${index} {`, `graph [style=rounded, color="#b0bec5", label=${quote([`tenant ${nodes[0]?.tenant ?? "unknown"}`])}];`);
    for (const node of nodes) {
      if (node.kind === "call") calls += 1;
      if (node.kind !== "hand_off") lines.push(`${names.get(node.id)} ${attributesOf(describe(node, calls))};`);
    }
    lines.push("}");
  });

  const draw = (from: string | undefined, to: string | undefined, attributes: Attributes = {}): void => {
    const [tail, head] = [names.get(from ?? ""), names.get(to ?? "")];
    if (tail !== undefined && head !== undefined) lines.push(`${tail} -> ${head} ${attributesOf(attributes)};`);
  };
  const handOffs = new Map(graph.nodes.flatMap((node) => (node.kind === "hand_off" ? [[node.id, node]] : [])));
  const givers = endsOf(graph, "caused_by");
  const receivers = endsOf(graph, "delegated_to");
  for (const { kind, from, to } of graph.edges) {
    const handOff = handOffs.get(from);
    if (kind === "caused_by" && handOff === undefined) draw(to, from);
    if (kind === "delegated_to" && handOff !== undefined) draw(givers.get(from), to, describeHandOff(handOff));
    if (kind === "carried") {
      draw(givers.get(from), to, { style: "dotted" });
      draw(to, receivers.get(from), { style: "dotted" });
    }
  }
  if (graph.omitted > 0) lines.push(`omitted [shape=plaintext, style="", label=${quote([`${graph.omitted} records are not shown`])}];`);
  return `digraph execution {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
}

function lineagesOf(graph: ExecutionGraph): readonly (readonly GraphNode[])[] {
  return [...Map.groupBy(graph.nodes, ({ tenant, lineage }) => JSON.stringify([tenant, lineage])).values()];
}

function endsOf(graph: ExecutionGraph, kind: string): ReadonlyMap<string, string> {
  return new Map(graph.edges.flatMap((edge) => (edge.kind === kind ? [[edge.from, edge.to]] : [])));
}

function describe(node: Exclude<GraphNode, HandOffNode>, order: number): Attributes {
  switch (node.kind) {
    case "task":
      return {
        ...COLOURS[node.verdict],
        penwidth: "2",
        label: [`for ${node.delegator}`, node.purpose, node.task, refusalOf(node)],
        tooltip: node.message ?? node.task,
      };
    case "agent":
      return { ...COLOURS.neutral, shape: "ellipse", style: "filled", label: node.agent };
    case "excerpt":
      return { ...COLOURS.neutral, shape: "note", style: "filled", label: [node.label, bracketed(node.dataClasses)] };
    case "call": {
      const { verdict, message, tool, effect, dataClasses, integrity } = node;
      const label = [
        `${order}. ${tool}${effect === undefined ? "" : ` (${effect})`}`,
        verdict === "permit" ? endingOf(node) : refusalOf(node),
        bracketed(dataClasses),
        integrity === "untrusted" ? "untrusted output" : undefined,
      ];
      return {
        ...COLOURS[verdict],
        ...(verdict === "permit" && node.status === undefined ? { style: "filled,rounded,dashed" } : {}),
        label,
        tooltip: message ?? tool,
      };
    }
  }
}

function endingOf({ status, records }: { readonly status?: string; readonly records?: number }): string {
  if (status === undefined) return "no outcome recorded";
  return records === undefined ? status : `${status}, ${records} ${records === 1 ? "record" : "records"}`;
}

/** Said in words as well: not everybody sees the colours. */
function refusalOf({ verdict, code }: Pick<HandOffNode, "verdict" | "code">): string | undefined {
  if (verdict === "approval_required") return "needs an approval";
  return verdict === "deny" ? `denied: ${code ?? "no code recorded"}` : undefined;
}

function describeHandOff(node: HandOffNode): Attributes {
  const { verdict, message, purpose, allowedTools } = node;
  const { color, fontcolor } = COLOURS[verdict];
  const label = ["hands off", purpose, allowedTools.length === 0 ? "no tools" : allowedTools.join(", "), refusalOf(node)];
  return { color, fontcolor, penwidth: "2", style: verdict === "permit" ? "solid" : "dashed", label, tooltip: message ?? purpose };
}

function bracketed(dataClasses: readonly string[]): string | undefined {
  return dataClasses.length === 0 ? undefined : `[${dataClasses.join(", ")}]`;
}

function attributesOf(attributes: Attributes): string {
  return `[${Object.entries(attributes)
    .map(([name, value]) => `${name}=${quote(typeof value === "string" ? [value] : value)}`)
    .join(", ")}]`;
}
