/**
 * Ambit for the Vercel AI SDK: every tool call and every hand-off is decided before it runs.
 *
 * @module
 */
export { protect, type Protected, type ProtectOptions } from "./protect.ts";
export type { HandOff, HandOffRun, HandOffs } from "./hand-off.ts";
export { ToolRefusedError } from "./to-outcome.ts";
export { holdFor } from "./hold.ts";
export { coverage } from "./coverage.ts";
export { tripwire, type Tripwire } from "./tripwire.ts";
