import type { CedarValueJson } from "@cedar-policy/cedar-wasm/nodejs";
import { canonicalJson, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import type { RecordType, SchemaType } from "../cedar/compiled/schema.ts";

const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["decimal", "decimal"],
  ["ipaddr", "ip"],
  ["datetime", "datetime"],
  ["duration", "duration"],
]);

/** Cedar takes time that grows faster than a set does, and the process does nothing else meanwhile. */
const MAX_ELEMENTS = 1000;

const expected = (what: string): never => {
  throw new TypeError(`expected ${what}`);
};

/**
 * A value as Cedar has it, built by its declared type and never passed through: `__entity` inside somebody's value stays data, unless it is the operator's own
 * (`isOurs`). Sets are in one order, so that equal values are equal text. INVARIANT I9: throws a `TypeError` for what does not convert.
 */
function cedarValue(type: SchemaType, value: Json, isOurs: boolean): CedarValueJson {
  switch (type.kind) {
    case "boolean":
      return typeof value === "boolean" ? value : expected("true or false");
    case "long":
      return typeof value === "number" && Number.isSafeInteger(value) ? value : expected("a whole number");
    case "string":
      return typeof value === "string" ? value : expected("text");
    case "extension":
      return extensionOf(type.name, value, isOurs);
    case "entity":
      return { __entity: { type: type.name, id: idOf(type.name, value, isOurs) } };
    case "set": {
      if (!Array.isArray(value) || value.length > MAX_ELEMENTS) return expected(`a list of at most ${MAX_ELEMENTS}`);
      const elements = (value as readonly Json[]).map((element) => cedarValue(type.element, element, isOurs));
      const byText = new Map(elements.map((element) => [canonicalJson(element as Json), element]));
      return [...byText].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, element]) => element);
    }
    case "record":
      return isJsonObject(value) ? cedarRecord(type, value, isOurs) : expected("an object");
  }
}

/**
 * The declared members of an object. A member that is not declared is left out: no policy that passed the strict check reads it. One that is required and missing
 * is left to the check of the request.
 */
export function cedarRecord({ attributes }: RecordType, value: JsonObject, isOurs: boolean): Record<string, CedarValueJson> {
  const members = [...attributes].flatMap(([name, { type }]): [string, CedarValueJson][] => {
    const member = own(value, name);
    if (member === undefined || member === null) return [];
    try {
      return [[name, cedarValue(type, member, isOurs)]];
    } catch (error) {
      throw new TypeError(`\`${name}\`: ${(error as Error).message}`, { cause: error });
    }
  });
  return Object.fromEntries(members);
}

function extensionOf(name: string, value: Json, isOurs: boolean): CedarValueJson {
  const fn = FUNCTIONS.get(name) ?? expected("a type that is known");
  const written = isOurs ? (memberOf(memberOf(value, "__extn"), "arg") ?? value) : value;
  // One spelling for a decimal, so that 1.5 is what is known as "1.50". What is none is refused by Cedar.
  if (typeof written === "string") return { __extn: { fn, arg: fn === "decimal" ? written.replace(/^-?\d+\.\d{1,3}$/, inPlaces) : written } };
  if (fn !== "decimal" || typeof written !== "number" || Math.abs(written) >= 9e14) return expected(`the text of a ${name}`);
  const text = written.toFixed(4);
  return Number(text) === written ? { __extn: { fn, arg: text } } : expected("a number of at most four places");
}

function inPlaces(decimal: string): string {
  return decimal.padEnd(decimal.indexOf(".") + 5, "0");
}

function idOf(type: string, value: Json, isOurs: boolean): string {
  if (typeof value === "string") return value;
  const uid = isOurs ? (memberOf(value, "__entity") ?? value) : value;
  const id = memberOf(uid, "id");
  return memberOf(uid, "type") === type && typeof id === "string" ? id : expected(`a ${type}`);
}

function memberOf(value: Json | undefined, member: string): Json | undefined {
  return isJsonObject(value) ? own(value, member) : undefined;
}
