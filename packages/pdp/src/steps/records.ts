import { valuesAt, type JsonObject } from "@ambit/core";
import type { RecordsRule, ToolEntry } from "../manifest/manifest.ts";
import { Refused } from "../refusal.ts";

/** How many records a tool returns. Refuses (`constraint_unmapped`) a tool of which nobody said it. */
export function recordsOf(tool: ToolEntry): RecordsRule | "none" {
  if (tool.records !== undefined) return tool.records;
  throw new Refused(
    "constraint",
    "constraint_unmapped",
    `it is not known how many records \`${tool.id}\` returns`,
    'add `records` to its entry in the manifest, as {"result": "/…", "most": 50} or "none"',
  );
}

/**
 * The limit that a call states, where it states one. Refuses (`argument_not_allowed`) anything but a whole number from 1 to `max`: 0 and negative numbers mean
 * "without limit" to many services, and would be a debit of nothing or of less.
 */
export function statedLimit(rule: RecordsRule, args: JsonObject, max: number = Number.MAX_SAFE_INTEGER): number | undefined {
  const limit = rule.limit === undefined ? undefined : valuesAt(args, rule.limit)?.[0];
  if (limit === undefined || limit === null) return undefined;
  if (typeof limit === "number" && Number.isSafeInteger(limit) && limit >= 1 && limit <= max) return limit;
  const range = max === Number.MAX_SAFE_INTEGER ? "a whole number of at least 1" : `from 1 to ${max}`;
  throw new Refused("constraint", "argument_not_allowed", `the argument \`${rule.limit ?? ""}\` must be ${range}`);
}
