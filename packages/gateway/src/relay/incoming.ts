import type { JsonObject } from "@ambit/core";
import type { RequestOptions } from "../upstream/upstream.ts";
import type { Asker } from "./asker.ts";
import type { Underway } from "./unasked.ts";

/** One request of a client. */
export interface Incoming {
  readonly id: string | number;
  readonly method: string;
  readonly params: JsonObject;
  readonly signal: AbortSignal;
  readonly asker: Asker;
  /** Answers to what the upstream asked in the round before, and what it wanted back. */
  readonly inputResponses?: JsonObject | undefined;
  readonly requestState?: string | undefined;
  /** Whose connections it uses: nobody else's. */
  readonly owner: string;
  readonly asking: Underway;
  readonly onProgress?: RequestOptions["onProgress"];
}
