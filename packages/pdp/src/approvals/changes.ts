import type { Json, JsonObject } from "@ambit/core";
import type { Reader } from "../config/reader.ts";
import type { Effect } from "../manifest/manifest.ts";

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
  return { amount: reader.at("amount").integer(), currency: reader.at("currency").string() };
}
