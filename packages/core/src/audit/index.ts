/**
 * The decision log: an append-only chain of records that anyone can check offline.
 *
 * @module
 */
export { openFileLog, type FileLog } from "./file-log.ts";
export { createMemoryLog, type MemoryLog } from "./memory-log.ts";
export { verifyLog, type LogVerification } from "./verify.ts";
export type { DecisionLog, LogRecord, Receipt, RecordBody, RecordKind } from "./record.ts";
export { readLog, type ReadLog } from "./read-log.ts";
export { explain, type Explanation, type StepState } from "./explain.ts";
export { reportOf, type Counts, type LogReport, type NamedCounts, type RefusalCount, type TaskCounts, type WouldBeDenied } from "./log-report.ts";
export type { GrantUse, ToolUse } from "./grant-use.ts";
export type { HeldEnvelope, OpenApproval } from "./history.ts";
export type { Asked, AskedKind, RefusalFacts } from "./refusal-facts.ts";
export type { RecordedVerdict } from "./details.ts";
export type { UnderEnvelope } from "./under-envelope.ts";
export { smallestChange } from "./smallest-change.ts";
