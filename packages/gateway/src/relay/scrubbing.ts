import type { JsonObject } from "@ambit/core";

/** Takes secrets out of what comes back from an upstream. INVARIANT I10. */
export interface Scrub {
  json(value: JsonObject): JsonObject;
  text(value: string): string;
}

/** Where no secret went along there is none to come back. */
export const UNTOUCHED: Scrub = { json: (value) => value, text: (value) => value };
