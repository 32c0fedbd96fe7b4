import { writeFile } from "node:fs/promises";
import { graphFromRecords, toDot } from "@ambit/core/graph";
import type { LogRecord } from "@ambit/core/audit";
import { instance } from "@viz-js/viz";

/** Edges in their order, and room for fonts that are wider than those that Graphviz measured with. */
const LAYOUT = { format: "svg", graphAttributes: { ordering: "out" }, nodeAttributes: { margin: "0.3,0.08" } };

/** Draws the execution graph of a decision log as SVG. */
export async function drawGraph(records: readonly LogRecord[], path: string): Promise<void> {
  const [viz, graph] = [await instance(), graphFromRecords(records)];
  // A graph that is drawn from left to right has its first edge at the bottom; people read from the top.
  const dot = toDot({ ...graph, edges: graph.edges.toReversed() });
  await writeFile(path, viz.renderString(dot, LAYOUT));
}
