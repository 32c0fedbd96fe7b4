/**
 * The decision log: an append-only chain of records that anyone can check offline.
 *
 * @module
 */
export { openFileLog, type FileLog } from "./file-log.ts";
export { createMemoryLog, type MemoryLog } from "./memory-log.ts";
export { verifyLog, type LogVerification } from "./verify.ts";
export type { DecisionLog, LogRecord, Receipt, RecordBody, RecordKind } from "./record.ts";
