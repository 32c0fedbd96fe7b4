import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import type { ForeignArgument } from "@ambit/core/token";

/** What the schema of an argument says of its values, as far as the draft has constraints for it: listed values, and bounds of numbers. */
export function schemaLimits(schema: Json): readonly JsonObject[] {
  if (!isJsonObject(schema)) return [];
  const items = own(schema, "items");
  const listed = formOf(schema) === "list" && isJsonObject(items) ? valuesOf(items) : undefined;
  const values = valuesOf(schema);
  const range = rangeOf(schema);
  return [
    ...(values === undefined ? [] : [{ constraint_type: "one_of", values }]),
    ...(listed === undefined ? [] : [{ constraint_type: "subset", allowed: listed }]),
    ...(range === undefined ? [] : [range]),
  ];
}

/** Whether the schema lets an argument be a list, one value, or both. */
export function formOf(schema: Json): ForeignArgument["form"] {
  const types = isJsonObject(schema) ? typesOf(schema) : [];
  if (types.length === 0) return "either";
  const others = types.filter((type) => type !== "array" && type !== "null");
  return !types.includes("array") ? "value" : others.length === 0 ? "list" : "either";
}

function typesOf(schema: JsonObject): readonly Json[] {
  const type = own(schema, "type");
  return type === undefined ? [] : Array.isArray(type) ? (type as readonly Json[]) : [type];
}

function valuesOf(schema: JsonObject): readonly Json[] | undefined {
  const [constant, list] = [own(schema, "const"), own(schema, "enum")];
  if (constant !== undefined) return [constant];
  return Array.isArray(list) && list.length > 0 ? (list as readonly Json[]) : undefined;
}

/** Only where the argument must be a number: to other values a schema's bounds say nothing, and a `range` would refuse them. */
function rangeOf(schema: JsonObject): JsonObject | undefined {
  const types = typesOf(schema);
  if (types.length === 0 || !types.every((type) => type === "number" || type === "integer")) return undefined;
  const bound = (inclusive: string, exclusive: string, isTighter: (a: number, b: number) => boolean): readonly [value?: number, isInclusive?: boolean] => {
    const [closed, open] = [own(schema, inclusive), own(schema, exclusive)];
    if (typeof open === "number" && (typeof closed !== "number" || !isTighter(closed, open))) return [open, false];
    return typeof closed === "number" ? [closed, true] : [];
  };
  const [min, hasMin] = bound("minimum", "exclusiveMinimum", (a, b) => a > b);
  const [max, hasMax] = bound("maximum", "exclusiveMaximum", (a, b) => a < b);
  if (min === undefined && max === undefined) return undefined;
  return {
    constraint_type: "range",
    ...(min === undefined ? {} : { min }),
    ...(hasMin === false ? { min_inclusive: false } : {}),
    ...(max === undefined ? {} : { max }),
    ...(hasMax === false ? { max_inclusive: false } : {}),
  };
}
