import { EXTENSION_FUNCTIONS } from "./extensions/functions.ts";
import { isFailure } from "./failure.ts";
import { longOf } from "./longs.ts";
import { isNode, type Node } from "./node.ts";
import type { RecordType, Schema, SchemaType } from "./schema.ts";
import { unsupported } from "./unsupported.ts";
import { entityValue, recordValue, setValue, type EntityValue, type RecordValue, type Value } from "./values.ts";

/** A value of Cedar's JSON form as a value, checked against its type. Throws a `TypeError` for whatever does not conform. */
export type Decoder<T extends Value = Value> = (json: unknown) => T;

/** `datetime(…).offset(duration(…))` is two calls deep; nothing needs more. */
const MAX_CALLS = 4;

function refuse(what: string): never {
  throw new TypeError(`expected ${what}`);
}

/** Text that has half of a surrogate pair is no text of Cedar's. */
function text(json: unknown): string {
  return typeof json === "string" && json.isWellFormed() ? json : refuse("text");
}

function long(json: unknown): Value {
  if (typeof json === "bigint") return longInRange(json);
  return Number.isSafeInteger(json) ? (json as number) + 0 : refuse("a whole number");
}

function longInRange(json: bigint): Value {
  try {
    return longOf(json);
  } catch (error) {
    return isFailure(error) ? refuse("a number of 64 bits") : rethrow(error);
  }
}

function rethrow(error: unknown): never {
  throw error;
}

function boolean(json: unknown): boolean {
  return typeof json === "boolean" ? json : refuse("true or false");
}

export function decoderOf(type: SchemaType, schema: Schema): Decoder {
  switch (type.kind) {
    case "boolean":
      return boolean;
    case "long":
      return long;
    case "string":
      return text;
    case "set": {
      const element = decoderOf(type.element, schema);
      return (json) => (Array.isArray(json) ? setValue(json.map(element)) : refuse("a list"));
    }
    case "record":
      return recordDecoder(type, schema);
    case "entity":
      return referenceDecoder(type.name, schema);
    case "extension":
      return extensionDecoder(type.name);
    default:
      return unsupported("a type of the schema");
  }
}

/** Members by their declared types, and no others: inside a record `__entity` is a name like any other. */
export function recordDecoder(type: RecordType, schema: Schema): Decoder<RecordValue> {
  const decoders = new Map([...type.attributes].map(([name, attribute]) => [name, decoderOf(attribute.type, schema)]));
  const required = [...type.attributes].filter(([, { isRequired }]) => isRequired).map(([name]) => name);
  return (json) => {
    if (!isNode(json)) return refuse("an object");
    const members = new Map<string, Value>();
    for (const name of Object.keys(json)) {
      // As in JSON, what is `undefined` is not there.
      if (json[name] === undefined) continue;
      const decode = decoders.get(name) ?? refuse("no member that nobody declared");
      members.set(name, decode(json[name]));
    }
    for (const name of required) if (!members.has(name)) refuse(`the member \`${name}\``);
    return recordValue(members);
  };
}

/** A reference to an entity of one type; of an enumerated one only to those that there are. */
function referenceDecoder(type: string, schema: Schema): Decoder<EntityValue> {
  return (json) => {
    const reference = uidOf(json);
    if (reference.type !== type) return refuse("an entity of another type");
    checkUid(reference, schema);
    return reference;
  };
}

/** `{ type, id }`, with or without `__entity` around it, and nothing else in there. The type is not checked. */
export function uidOf(json: unknown): EntityValue {
  const uid = hasExactly(json, ["__entity"]) ? json["__entity"] : json;
  return hasExactly(uid, ["type", "id"]) ? entityValue(text(uid["type"]), text(uid["id"])) : refuse("an entity");
}

function hasExactly(json: unknown, names: readonly string[]): json is Node {
  return isNode(json) && Object.keys(json).length === names.length && names.every((name) => Object.hasOwn(json, name));
}

/** Refuses an id that an enumerated type does not have. */
export function checkUid({ type, id }: EntityValue, { entityTypes }: Schema): void {
  const ids = entityTypes.get(type)?.ids;
  if (ids !== undefined && !ids.has(id)) refuse("an entity that there is");
}

const CONSTRUCTORS: ReadonlyMap<string, string> = new Map([
  ["decimal", "decimal"],
  ["ipaddr", "ip"],
  ["datetime", "datetime"],
  ["duration", "duration"],
]);

/** A call of an extension function that makes a value of this type, or only the text that its constructor takes. */
function extensionDecoder(kind: string): Decoder {
  const constructor = CONSTRUCTORS.get(kind) ?? unsupported("an extension type");
  return (json) => {
    try {
      const value = typeof json === "string" ? call(constructor, [text(json)]) : callOf(json, 0);
      return typeof value === "object" && value.kind === kind ? value : refuse("an extension value of another type");
    } catch (error) {
      return isFailure(error) ? refuse("a well-formed extension value") : rethrow(error);
    }
  };
}

function callOf(json: unknown, depth: number): Value {
  const called = hasExactly(json, ["__extn"]) ? json["__extn"] : json;
  if (depth > MAX_CALLS || !isNode(called) || typeof called["fn"] !== "string") return refuse("an extension value");
  return call(
    called["fn"],
    argumentsOf(called).map((argument) => (typeof argument === "string" ? text(argument) : callOf(argument, depth + 1))),
  );
}

function argumentsOf(called: Node): readonly unknown[] {
  if (hasExactly(called, ["fn", "arg"])) return [called["arg"]];
  return hasExactly(called, ["fn", "args"]) && Array.isArray(called["args"]) ? called["args"] : refuse("arguments");
}

function call(name: string, values: readonly Value[]): Value {
  const known = EXTENSION_FUNCTIONS.get(name);
  return known === undefined || known.arity !== values.length ? refuse("an extension function") : known.call(...values);
}
