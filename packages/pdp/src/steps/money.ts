import { valuesAt, type Json, type JsonObject } from "@ambit/core";
import type { MoneyRule } from "../manifest/manifest.ts";

/** What a call says that it spends. Either may be anything, or nothing. */
export function statedMoney(rule: MoneyRule, args: JsonObject): { readonly amount: Json | undefined; readonly currency: Json | undefined } {
  const { amount, currency } = rule;
  return { amount: valuesAt(args, amount)?.[0], currency: currency[0] === "/" ? valuesAt(args, currency)?.[0] : currency };
}
