/**
 * Ambit for LangChain and LangGraph: every tool call and every hand-off is decided before it runs.
 *
 * @module
 */
export { protect, type Protected, type ProtectOptions } from "./protect.ts";
export type { ApprovalPause, Interrupt } from "./approval-pause.ts";
export { coverage } from "./coverage.ts";
export type { HandOff, HandOffRun, HandOffs } from "./hand-off.ts";
export { holdFor } from "./hold.ts";
export type { ClientTool } from "./open-tool.ts";
