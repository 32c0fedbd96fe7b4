import type { CedarValueJson, Type } from "@cedar-policy/cedar-wasm/nodejs";
import { canonicalJson, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";

/**
 * What Cedar sees of a value: its type, and how a value becomes one of that type. Values are built by the declared type and never passed
 * through, so that `__entity` and `__extn` inside an argument stay data.
 */
export interface Shape {
  readonly type: Type<string>;
  /** INVARIANT I9: throws for a value that does not convert; nothing is left out. */
  encode(value: Json): CedarValueJson;
}

const expected = (what: string): never => {
  throw new TypeError(`expected ${what}`);
};

const string: Shape = { type: { type: "String" }, encode: (value) => (typeof value === "string" ? value : expected("text")) };
const boolean: Shape = { type: { type: "Boolean" }, encode: (value) => (typeof value === "boolean" ? value : expected("true or false")) };
const long: Shape = {
  type: { type: "Long" },
  encode: (value) => (typeof value === "number" && Number.isSafeInteger(value) ? value : expected("a whole number")),
};

/** Cedar's decimal has four places; a number with more has none that is equal. */
const decimal: Shape = {
  type: { type: "Extension", name: "decimal" },
  encode: (value) => {
    if (typeof value !== "number" || Math.abs(value) >= 9e14) return expected("a number below 9e14");
    const text = value.toFixed(4);
    return Number(text) === value ? { __extn: { fn: "decimal", arg: text } } : expected("a number of at most four places");
  },
};

/**
 * For what Cedar has no type for: the canonical JSON text, so that a policy can at least compare it. As a record, because as text it would type-check against the value
 * itself, `== "open"`, and never be equal to it.
 */
const text: Shape = {
  type: { type: "Record", attributes: { json: { type: "String", required: true } } },
  encode: (value) => ({ json: canonicalJson(value) }),
};

/** Cedar takes time that grows faster than a set does, once for everybody who is asked, and the process does nothing else meanwhile. */
const MAX_ELEMENTS = 1000;

function set(element: Shape): Shape {
  return {
    type: { type: "Set", element: element.type },
    encode: (value) =>
      Array.isArray(value) && value.length <= MAX_ELEMENTS
        ? (value as readonly Json[]).map((entry) => element.encode(entry))
        : expected(`a list of at most ${MAX_ELEMENTS}`),
  };
}

/** A member of a record. A nullable member is absent where it is `null`: Cedar has no null, and `has` is how a policy asks. */
export interface Member {
  readonly shape: Shape;
  readonly isRequired: boolean;
  readonly isNullable: boolean;
}

export function record(members: ReadonlyMap<string, Member>): Shape {
  const attributes = Object.fromEntries(
    [...members].map(([name, { shape, isRequired, isNullable }]) => [name, { ...shape.type, required: isRequired && !isNullable }]),
  );
  return {
    type: { type: "Record", attributes },
    encode: (value) => {
      if (!isJsonObject(value)) return expected("an object");
      const encoded: [string, CedarValueJson][] = [];
      for (const [name, member] of Object.entries(value)) {
        const known = members.get(name) ?? expected(`no member \`${name.slice(0, 64)}\``);
        if (member === null && known.isNullable) continue;
        encoded.push([name, known.shape.encode(member)]);
      }
      for (const [name, { isRequired, isNullable }] of members) {
        if (isRequired && !isNullable && own(value, name) === undefined) expected(`the member \`${name}\``);
      }
      return Object.fromEntries(encoded);
    },
  };
}

/** Shapes of what we say ourselves. */
export const SHAPES: { readonly string: Shape; readonly boolean: Shape; readonly long: Shape; readonly strings: Shape } = {
  string,
  boolean,
  long,
  strings: set(string),
};

/** The shape of values that fit a JSON schema. Unions and free-form objects have no Cedar type: `text`. */
function shapeOf(schema: Json, used: ReadonlySet<string>, depth: number): { readonly shape: Shape; readonly isNullable: boolean } {
  const anything = { shape: text, isNullable: false };
  if (depth > 16) return anything;
  const alternatives = alternativesOf(schema);
  const others = alternatives.filter((alternative) => typeOf(alternative) !== "null");
  const [shape, ...further] = new Set(others.map((alternative) => shapeOfOne(alternative, used, depth)));
  if (shape === undefined || further.length > 0) return anything;
  return { shape, isNullable: others.length < alternatives.length };
}

/**
 * A schema as its alternatives, each of one type or of any. The keyword that says the type decides: whatever stands beside it (`allOf`, `not`, `if`) can only
 * exclude values.
 */
function alternativesOf(schema: Json): readonly JsonObject[] {
  if (!isJsonObject(schema)) return [{}];
  const [type, values] = [own(schema, "type"), own(schema, "enum")];
  if (Array.isArray(type)) return type.map((one: Json) => ({ ...schema, type: one }));
  if (type !== undefined || Object.hasOwn(schema, "const")) return [schema];
  if (Array.isArray(values)) return values.map((value: Json) => ({ const: value }));
  const either = own(schema, "anyOf") ?? own(schema, "oneOf");
  return Array.isArray(either) ? either.flatMap(alternativesOf) : [{}];
}

function typeOf(schema: JsonObject): Json | undefined {
  const [type, value] = [own(schema, "type"), own(schema, "const")];
  if (type !== undefined || value === undefined) return type;
  return value === null ? "null" : Number.isSafeInteger(value) ? "integer" : typeof value;
}

function shapeOfOne(schema: JsonObject, used: ReadonlySet<string>, depth: number): Shape {
  switch (typeOf(schema)) {
    case "string":
      return string;
    case "boolean":
      return boolean;
    case "integer":
      return long;
    case "number":
      return decimal;
    case "array":
      return shapeOfList(own(schema, "items") ?? true, used, depth);
    case "object":
      return isJsonObject(own(schema, "properties")) && own(schema, "additionalProperties") === false ? shapeOfObject(schema, used, depth) : text;
    default:
      return text;
  }
}

function shapeOfList(items: Json, used: ReadonlySet<string>, depth: number): Shape {
  const { shape, isNullable } = shapeOf(items, used, depth + 1);
  return set(isNullable ? text : shape);
}

/** The shape of an object with the properties of a schema, closed. A property whose name no policy uses is `text`: it converts whatever it is. */
export function shapeOfObject(schema: JsonObject, used: ReadonlySet<string>, depth = 0): Shape {
  const properties = own(schema, "properties");
  const required = own(schema, "required");
  const requiredNames = new Set<Json>(Array.isArray(required) ? (required as readonly Json[]) : []);
  const members = Object.entries(isJsonObject(properties) ? properties : {}).map(([name, property]): [string, Member] => {
    const { shape, isNullable } = used.has(name) ? shapeOf(property, used, depth + 1) : { shape: text, isNullable: false };
    return [name, { shape, isNullable, isRequired: requiredNames.has(name) }];
  });
  return record(new Map(members));
}
