/**
 * What an execution did, as a graph: from the records of the decision log, and as a picture.
 *
 * @module
 */
export type { AgentNode, CallNode, ExcerptNode, ExecutionGraph, GraphEdge, GraphNode, HandOffNode, TaskNode } from "./execution-graph.ts";
export { graphFromRecords } from "./graph-from-records.ts";
export { toDot } from "./to-dot.ts";
