import { isMemberName, isPointer, isToolId, type JsonObject, type Pointer } from "@ambit/core";
import { Reader } from "../config/reader.ts";
import { checkInputSchema } from "./input-schema.ts";
import type { ConstraintMapping, Manifest, MoneyRule, RecordsRule, ToolEntry, ToolName } from "./manifest.ts";

const POINTER = "a JSON pointer, as `/records/*/customer_id`";
const SINGLE = "a JSON pointer to one value, as `/contract_id`; `*` could name several";
const OPTIONAL = ["description", "resource", "constraints", "records", "data_classes", "output", "sends_outside", "risk", "money"];
const MOST_RISK = 100;

/**
 * Reads a tool manifest. Refuses (`manifest_invalid`) unknown members, a name that two tools go by, an input schema that is not closed or that
 * has `pattern` or `$ref`, and pointers that would check something else than was meant. Members that are left out are taken in the strictest sense.
 */
export function parseManifest(data: unknown, file = "the manifest"): Manifest {
  const tools = new Reader("manifest_invalid", file, data).members(["tools"]).at("tools");
  const entries = new Map<string, ToolEntry>();
  const names = new Map<string, { readonly entry: ToolEntry; readonly pin: string }>();
  for (const [id, reader] of tools.entries()) {
    if (!isToolId(id)) reader.fail("is not a tool id: letters, digits, _ . -, at most 128");
    const entry = parseEntry(id, reader);
    entries.set(id, entry);
    for (const { name, server, pin } of entry.names) {
      const key = nameKey(name, server);
      const other = names.get(key);
      if (other !== undefined)
        reader.at("names").fail(`has the name \`${name}\`${server === undefined ? "" : ` at \`${server}\``}, which \`${other.entry.id}\` has already`);
      names.set(key, { entry, pin });
    }
  }
  return Object.freeze({ tools: entries, resolve: (name: string, server: string | undefined) => names.get(nameKey(name, server)) });
}

/** INVARIANT I14: no two pairs have the same key, whatever characters they consist of. */
function nameKey(name: string, server: string | undefined): string {
  return JSON.stringify([name, server ?? null]);
}

function parseEntry(id: string, reader: Reader): ToolEntry {
  reader.members(["names", "input_schema", "effect"], OPTIONAL);
  const [resource, records, dataClasses, money] = [reader.at("resource"), reader.at("records"), reader.at("data_classes"), reader.at("money")];
  const recordsRule = records.value === "none" ? "none" : records.isAbsent ? undefined : parseRecords(records);
  return Object.freeze({
    id,
    names: parseNames(reader.at("names")),
    inputSchema: checkInputSchema(reader.at("input_schema")),
    effect: reader.at("effect").oneOf("read", "write", "destructive"),
    constraints: parseConstraints(reader.at("constraints"), recordsRule),
    output: reader.at("output").isAbsent ? "untrusted" : reader.at("output").oneOf("trusted", "untrusted"),
    sendsOutside: reader.at("sends_outside").isAbsent ? true : reader.at("sends_outside").flag(),
    risk: reader.at("risk").isAbsent ? MOST_RISK : parseRisk(reader.at("risk")),
    ...(resource.isAbsent ? {} : { resource: parseResource(resource) }),
    ...(recordsRule === undefined ? {} : { records: recordsRule }),
    ...(dataClasses.isAbsent ? {} : { dataClasses: parseDataClasses(dataClasses) }),
    ...(money.isAbsent ? {} : { money: money.value === "none" ? ("none" as const) : parseMoney(money) }),
  });
}

function parseRisk(reader: Reader): number {
  const risk = reader.count();
  return risk <= MOST_RISK ? risk : reader.fail(`must be at most ${MOST_RISK}`);
}

function parseNames(reader: Reader): readonly ToolName[] {
  const names = reader.elements().map((element): ToolName => {
    element.members(["name", "pin"], ["server"]);
    const server = element.at("server");
    const pin = element.at("pin").textThat(isPin, "`none` or a digest, as `sha-256:…`");
    return Object.freeze({ name: element.at("name").text(), pin, ...(server.isAbsent ? {} : { server: server.text() }) });
  });
  return names.length > 0 ? Object.freeze(names) : reader.fail("must have at least one name");
}

function isPin(value: unknown): value is string {
  return value === "none" || (typeof value === "string" && /^sha-256:[A-Za-z0-9_-]{43}$/.test(value));
}

function parseResource(reader: Reader): { readonly type: string; readonly id: Pointer } {
  reader.members(["type", "id"]);
  const type = reader.at("type").textThat(isEntityType, "a type name, as `Contract`, other than User, Agent, Tool, Purpose and Action");
  return Object.freeze({ type, id: reader.at("id").textThat(isSinglePointer, SINGLE) });
}

function isSinglePointer(value: unknown): value is Pointer {
  return isPointer(value) && !isMany(value);
}

function isMany(pointer: Pointer): boolean {
  return pointer.split("/").includes("*");
}

const OWN_TYPES: ReadonlySet<string> = new Set(["User", "Agent", "Tool", "Purpose", "Action"]);

function isEntityType(value: unknown): value is string {
  return typeof value === "string" && /^[A-Z][A-Za-z0-9]{0,63}$/.test(value) && !OWN_TYPES.has(value);
}

function parseConstraints(reader: Reader, records: ToolEntry["records"]): ReadonlyMap<string, ConstraintMapping> {
  const mappings = new Map<string, ConstraintMapping>();
  if (reader.isAbsent) return mappings;
  for (const [key, mapping] of reader.entries()) {
    if (!isMemberName(key)) mapping.fail("is not a constraint key: snake_case");
    if (key === "max_records" || key === "data_classes") mapping.fail(`is said by \`${key === "max_records" ? "records" : "data_classes"}\` of the entry`);
    mappings.set(key, mapping.value === "not_applicable" ? "not_applicable" : parseMapping(mapping, records));
  }
  return mappings;
}

function parseMapping(reader: Reader, records: ToolEntry["records"]): ConstraintMapping {
  reader.members([], ["argument", "result"]);
  const [argument, result] = [reader.at("argument"), reader.at("result")];
  if (argument.isAbsent && result.isAbsent) reader.fail("must name an `argument`, a `result` field, or be `not_applicable`");
  return Object.freeze({
    ...(argument.isAbsent ? {} : { argument: argument.textThat(isPointer, POINTER) }),
    ...(result.isAbsent ? {} : { result: parseResultPointer(result, records) }),
  });
}

/**
 * What the constraint refuses is left out at the last `*`. That must be the record, and not one owner of a record that is shown all the same.
 */
function parseResultPointer(reader: Reader, records: ToolEntry["records"]): Pointer {
  const pointer = reader.textThat(isPointer, POINTER);
  if (!isMany(pointer)) return pointer;
  const segments = pointer.split("/");
  const hasRule = records !== undefined && records !== "none";
  const record = hasRule ? [...records.result.split("/"), "*"] : segments.slice(0, segments.indexOf("*") + 1);
  const isWithin = record.every((segment, index) => segments[index] === segment);
  if (!isWithin || segments.slice(record.length).includes("*"))
    reader.fail(hasRule ? `must name one field of each record, as \`${record.join("/")}/customer_id\`` : "must not have `*` more than once");
  return pointer;
}

function parseRecords(reader: Reader): RecordsRule {
  reader.members(["result", "most"], ["limit"]);
  const limit = reader.at("limit");
  return Object.freeze({
    result: reader.at("result").textThat(isPointer, POINTER),
    most: reader.at("most").count(),
    ...(limit.isAbsent ? {} : { limit: limit.textThat(isSinglePointer, SINGLE) }),
  });
}

function parseDataClasses(reader: Reader): readonly string[] | ReadonlyMap<string, readonly Pointer[]> {
  if (Array.isArray(reader.value)) return reader.texts(isMemberName, "a data class in snake_case");
  const classes = new Map<string, readonly Pointer[]>();
  for (const [name, pointers] of reader.entries()) {
    if (!isMemberName(name)) pointers.fail("is not a data class in snake_case");
    const fields = pointers.texts(isPointer, POINTER);
    if (fields.length === 0) pointers.fail('must name the fields that carry the class; where it is not known which, list the classes alone, as ["salary"]');
    classes.set(name, fields);
  }
  return classes;
}

function parseMoney(reader: Reader): MoneyRule {
  reader.members(["amount", "currency"], ["result"]);
  const result = reader.at("result");
  const currency = reader.at("currency").text();
  if (!/^[A-Z]{3}$/.test(currency) && !isSinglePointer(currency))
    reader.at("currency").fail("must be a currency code or the pointer to the one argument that names it");
  return Object.freeze({
    amount: reader.at("amount").textThat(isSinglePointer, SINGLE),
    currency,
    ...(result.isAbsent ? {} : { result: result.textThat(isSinglePointer, SINGLE) }),
  });
}

/** The entry to add for a tool that the manifest does not have, as a person would write it. */
export function entryToAdd(name: string, server: string | undefined): JsonObject {
  const id = name.replaceAll(/[^A-Za-z0-9_.-]/g, "_").slice(0, 128);
  return {
    [id === "" ? "tool" : id]: {
      names: [{ name, ...(server === undefined ? {} : { server }), pin: "none" }],
      input_schema: { type: "object", properties: {} },
      effect: "write",
    },
  };
}
