import { valuesAt, type Json, type JsonObject } from "@ambit/core";
import type { Reader } from "../config/reader.ts";
import type { Effect, ToolEntry } from "../manifest/manifest.ts";
import { statedMoney } from "../steps/money.ts";
import { callQuestion, dataClassesOf } from "../steps/policy.ts";
import { statedLimit } from "../steps/records.ts";

/** What a call would change, as far as the manifest tells; `unknown` where it does not. */
export interface Changes {
  readonly effect: Effect;
  readonly sendsOutside: boolean;
  /** What is acted upon. */
  readonly resource: { readonly type: string; readonly id: string };
  /** The values that resource constraints are about, by key, where arguments have them. */
  readonly touches: { readonly [key: string]: readonly Json[] };
  /** What its result can carry. */
  readonly dataClasses: readonly string[] | "unknown";
  /** How many records it returns at most. */
  readonly records: number | "none" | "unknown";
  /** What it spends, in minor units. */
  readonly money: { readonly amount: number; readonly currency: string } | "none" | "unknown";
}

/** Refuses (`argument_not_allowed`) a call that states a limit of records which is none. */
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

export function writeChanges({ effect, sendsOutside, resource, touches, dataClasses, records, money }: Changes): JsonObject {
  return { effect, sends_outside: sendsOutside, resource, touches, data_classes: dataClasses, records, money };
}

/** Reads what `writeChanges` writes, and nothing else. */
export function readChanges(reader: Reader): Changes {
  reader.members(["effect", "sends_outside", "resource", "touches", "data_classes", "records", "money"]);
  const [resource, classes, records, money] = [
    reader.at("resource").members(["type", "id"]),
    reader.at("data_classes"),
    reader.at("records"),
    reader.at("money"),
  ];
  return {
    effect: reader.at("effect").oneOf("read", "write", "destructive"),
    sendsOutside: reader.at("sends_outside").flag(),
    resource: { type: resource.at("type").text(), id: resource.at("id").string() },
    touches: Object.fromEntries(
      reader
        .at("touches")
        .entries()
        .map(([key, values]) => [key, values.elements().map(({ value }) => value)]),
    ),
    dataClasses: classes.value === "unknown" ? classes.value : classes.elements().map((each) => each.text()),
    records: records.value === "none" || records.value === "unknown" ? records.value : records.count(),
    money: money.value === "none" || money.value === "unknown" ? money.value : readMoney(money),
  };
}

function readMoney(reader: Reader): Exclude<Changes["money"], string> {
  reader.members(["amount", "currency"]);
  const { value } = reader.at("amount");
  const amount = Number.isSafeInteger(value) ? (value as number) : reader.at("amount").fail("must be a whole number");
  return { amount, currency: reader.at("currency").string() };
}
