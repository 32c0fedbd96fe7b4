import { isMemberName, isPointer, isToolId, type JsonObject, type Pointer } from "@ambit/core";
import { Reader } from "../config/reader.ts";
import { checkInputSchema } from "./input-schema.ts";
import type { ConstraintMapping, Manifest, RecordsRule, ToolEntry, ToolName } from "./manifest.ts";

const POINTER = "a JSON pointer, as `/records/*/customer_id`";
const OPTIONAL = ["description", "resource", "constraints", "records", "data_classes", "output", "sends_outside", "money"];

/**
 * Reads a tool manifest. Refuses (`manifest_invalid`) unknown members, a name that two tools go by, an input schema that is not closed or that
 * has `pattern` or `$ref`. Members that are left out are taken in the strictest sense.
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
  return Object.freeze({
    id,
    names: parseNames(reader.at("names")),
    inputSchema: checkInputSchema(reader.at("input_schema")),
    effect: reader.at("effect").oneOf("read", "write", "destructive"),
    constraints: parseConstraints(reader.at("constraints")),
    output: reader.at("output").isAbsent ? "untrusted" : reader.at("output").oneOf("trusted", "untrusted"),
    sendsOutside: reader.at("sends_outside").isAbsent ? true : reader.at("sends_outside").flag(),
    ...(resource.isAbsent ? {} : { resource: parseResource(resource) }),
    ...(records.isAbsent ? {} : { records: records.value === "none" ? ("none" as const) : parseRecords(records) }),
    ...(dataClasses.isAbsent ? {} : { dataClasses: parseDataClasses(dataClasses) }),
    ...(money.isAbsent ? {} : { money: parseMoney(money) }),
  });
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
  return Object.freeze({ type, id: reader.at("id").textThat(isPointer, POINTER) });
}

const OWN_TYPES: ReadonlySet<string> = new Set(["User", "Agent", "Tool", "Purpose", "Action"]);

function isEntityType(value: unknown): value is string {
  return typeof value === "string" && /^[A-Z][A-Za-z0-9]{0,63}$/.test(value) && !OWN_TYPES.has(value);
}

function parseConstraints(reader: Reader): ReadonlyMap<string, ConstraintMapping> {
  const mappings = new Map<string, ConstraintMapping>();
  if (reader.isAbsent) return mappings;
  for (const [key, mapping] of reader.entries()) {
    if (!isMemberName(key)) mapping.fail("is not a constraint key: snake_case");
    if (key === "max_records" || key === "data_classes") mapping.fail(`is said by \`${key === "max_records" ? "records" : "data_classes"}\` of the entry`);
    mappings.set(key, mapping.value === "not_applicable" ? "not_applicable" : parseMapping(mapping));
  }
  return mappings;
}

function parseMapping(reader: Reader): ConstraintMapping {
  reader.members([], ["argument", "result"]);
  const [argument, result] = [reader.at("argument"), reader.at("result")];
  if (argument.isAbsent && result.isAbsent) reader.fail("must name an `argument`, a `result` field, or be `not_applicable`");
  return Object.freeze({
    ...(argument.isAbsent ? {} : { argument: argument.textThat(isPointer, POINTER) }),
    ...(result.isAbsent ? {} : { result: result.textThat(isPointer, POINTER) }),
  });
}

function parseRecords(reader: Reader): RecordsRule {
  reader.members(["result", "most"], ["limit"]);
  const limit = reader.at("limit");
  return Object.freeze({
    result: reader.at("result").textThat(isPointer, POINTER),
    most: reader.at("most").count(),
    ...(limit.isAbsent ? {} : { limit: limit.textThat(isPointer, POINTER) }),
  });
}

function parseDataClasses(reader: Reader): readonly string[] | ReadonlyMap<string, readonly Pointer[]> {
  if (Array.isArray(reader.value)) return reader.texts(isMemberName, "a data class in snake_case");
  const classes = new Map<string, readonly Pointer[]>();
  for (const [name, pointers] of reader.entries()) {
    if (!isMemberName(name)) pointers.fail("is not a data class in snake_case");
    classes.set(name, pointers.texts(isPointer, POINTER));
  }
  return classes;
}

function parseMoney(reader: Reader): { readonly amount: Pointer; readonly currency: string } {
  reader.members(["amount", "currency"]);
  const currency = reader.at("currency").text();
  if (!/^[A-Z]{3}$/.test(currency) && !isPointer(currency)) reader.at("currency").fail("must be a currency code or the pointer to the argument that names it");
  return Object.freeze({ amount: reader.at("amount").textThat(isPointer, POINTER), currency });
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
