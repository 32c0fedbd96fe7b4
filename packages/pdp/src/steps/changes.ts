import { valuesAt, type JsonObject } from "@ambit/core";
import type { Changes } from "../approvals/changes.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import { statedMoney } from "./money.ts";
import { callQuestion, dataClassesOf } from "./policy.ts";
import { statedLimit } from "./records.ts";

/** What a call would change. Refuses (`argument_not_allowed`) a call that states a limit of records which is none. */
export function changesOf(tool: ToolEntry, args: JsonObject): Changes {
  const { effect, sendsOutside } = tool;
  const { type, id } = callQuestion(tool, args).resource;
  return {
    effect,
    sendsOutside,
    resource: { type, id },
    touches: touchedBy(tool, args),
    dataClasses: tool.dataClasses === undefined ? "unknown" : dataClassesOf(tool),
    records: recordsOf(tool, args),
    money: moneyOf(tool, args),
  };
}

function touchedBy({ constraints }: ToolEntry, args: JsonObject): Changes["touches"] {
  const touched = [...constraints].flatMap(([key, mapping]) => {
    const values = mapping === "not_applicable" || mapping.argument === undefined ? undefined : valuesAt(args, mapping.argument);
    return values === undefined ? [] : [[key, values] as const];
  });
  return Object.fromEntries(touched);
}

function recordsOf({ records }: ToolEntry, args: JsonObject): Changes["records"] {
  if (records === undefined) return "unknown";
  return records === "none" ? records : (statedLimit(records, args) ?? records.most);
}

function moneyOf({ money }: ToolEntry, args: JsonObject): Changes["money"] {
  if (money === undefined) return "unknown";
  if (money === "none") return money;
  const { amount, currency } = statedMoney(money, args);
  return Number.isSafeInteger(amount) && typeof currency === "string" ? { amount: amount as number, currency } : "unknown";
}
