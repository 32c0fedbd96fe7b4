import type { CallNode, ExecutionGraph, ExcerptNode, GraphNode, HandOffNode, TaskNode } from "./execution-graph.ts";

const COLOURS = {
  permit: { color: "#2e7d32", fillcolor: "#e8f5e9", fontcolor: "#1b5e20" },
  deny: { color: "#c62828", fillcolor: "#ffebee", fontcolor: "#b71c1c" },
  approval_required: { color: "#b26a00", fillcolor: "#fff3e0", fontcolor: "#8a5200" },
  neutral: { color: "#546e7a", fillcolor: "#eceff1", fontcolor: "#263238" },
} as const;

type Attributes = Readonly<Record<string, string>>;

/**
 * The graph as Graphviz DOT: who acts for whom, every call in its order, what was refused (red, with the code) and what was permitted (green),
 * hand-offs as edges between agents, data classes in brackets.
 *
 * Names may be hostile: they appear only inside quoted labels, cut to a readable length, with control and direction characters spelled out.
 */
export function toDot(graph: ExecutionGraph): string {
  const names = new Map(graph.nodes.map((node, index) => [node.id, `n${index}`]));
  const nameOf = (id: string): string => names.get(id) ?? "unknown";
  const target = (kind: string, from: string): string | undefined => graph.edges.find((edge) => edge.kind === kind && edge.from === from)?.to;

  const lines = [
    "digraph execution {",
    '  graph [rankdir=LR, fontname="Helvetica", fontsize=11, labelloc=b, label="green: permitted    red: denied    amber: waits for an approval"];',
    '  node [fontname="Helvetica", fontsize=11, style="filled,rounded", shape=box];',
    '  edge [fontname="Helvetica", fontsize=10, color="#546e7a"];',
  ];

  let calls = 0;
  [...groupByLineage(graph.nodes)].forEach(([, members], cluster) => {
    lines.push(`  subgraph cluster_${cluster} {`, `    graph [style="rounded", color="#b0bec5", label=${quote([`tenant ${members[0]?.tenant ?? "unknown"}`])}];`);
    for (const node of members) {
      if (node.kind === "hand_off") continue;
      if (node.kind === "call") calls += 1;
      lines.push(`    ${nameOf(node.id)} [${attributes(describeNode(node, calls))}];`);
    }
    lines.push("  }");
  });

  for (const node of graph.nodes) {
    if (node.kind !== "hand_off") continue;
    const [from, to] = [target("caused_by", node.id), target("delegated_to", node.id)];
    if (from !== undefined && to !== undefined) lines.push(`  ${nameOf(from)} -> ${nameOf(to)} [${attributes(describeHandOff(node))}];`);
  }
  for (const { kind, from, to } of graph.edges) {
    const handOff = kind === "carried" ? graph.nodes.find((node) => node.id === from) : undefined;
    const isAgents = kind === "caused_by" && !graph.nodes.some((node) => node.id === from && node.kind === "hand_off");
    if (isAgents) lines.push(`  ${nameOf(to)} -> ${nameOf(from)};`);
    if (handOff === undefined) continue;
    const receiver = target("delegated_to", from);
    if (receiver !== undefined) lines.push(`  ${nameOf(to)} -> ${nameOf(receiver)} [style=dotted];`);
  }
  if (graph.omitted > 0) lines.push(`  omitted [shape=plaintext, style="", label=${quote([`${graph.omitted} records are not shown`])}];`);
  return `${lines.join("\n")}\n}\n`;
}
