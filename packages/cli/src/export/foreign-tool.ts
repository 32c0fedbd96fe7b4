import { isJsonObject, own, type Json, type JsonObject, type Pointer } from "@ambit/core";
import type { ConstraintPlace, ForeignArgument, ForeignTool } from "@ambit/core/token";
import type { ConstraintMapping, ToolEntry } from "@ambit/pdp";
import { formOf, schemaLimits } from "./schema-limits.ts";

/**
 * A tool of the manifest as a verifier sees it that knows arguments alone. `server` is whose names for it count; without one it goes by its id.
 *
 * The decision point refuses every argument that `properties` does not name, whatever else the schema says of additional ones; so does this.
 */
export function foreignTool(entry: ToolEntry, server: string | undefined): ForeignTool {
  const names = server === undefined ? [entry.id] : entry.names.filter((name) => name.server === server).map(({ name }) => name);
  const places = [...entry.constraints].map(([key, mapping]): [string, ConstraintPlace] => [key, placeOf(mapping)]);
  return {
    names,
    arguments: argumentsOf(entry.inputSchema),
    constraints: new Map([...places, ["max_records", recordsPlace(entry)], ["data_classes", dataClassesPlace(entry)]]),
  };
}

function argumentsOf(schema: JsonObject): ReadonlyMap<string, ForeignArgument> {
  const properties = own(schema, "properties");
  const required = own(schema, "required");
  const needed = new Set<Json>(Array.isArray(required) ? (required as readonly Json[]) : []);
  return new Map(
    Object.entries(isJsonObject(properties) ? properties : {}).map(([name, property]) => [
      name,
      { isRequired: needed.has(name), form: formOf(property), limits: schemaLimits(property) },
    ]),
  );
}

function placeOf(mapping: ConstraintMapping): ConstraintPlace {
  if (mapping === "not_applicable") return mapping;
  if (mapping.result !== undefined) return { elsewhere: `it shows in the result, at \`${mapping.result}\`, and nobody would filter it` };
  const argument = argumentAt(mapping.argument ?? "");
  return argument === undefined
    ? { elsewhere: `it shows at \`${mapping.argument ?? ""}\`, and the draft has constraints for whole arguments alone` }
    : { argument };
}

/** The argument that a pointer of one segment names (RFC 6901). A `*` there names the elements of a list, which arguments are not. */
function argumentAt(pointer: Pointer): string | undefined {
  const [, segment, ...rest] = pointer.split("/");
  return segment === undefined || segment === "*" || rest.length > 0 ? undefined : segment.replaceAll("~1", "/").replaceAll("~0", "~");
}

function recordsPlace({ records }: ToolEntry): ConstraintPlace {
  if (records === "none") return "not_applicable";
  return { elsewhere: records === undefined ? "the manifest does not say how many records it returns" : "records are counted over all calls" };
}

/** Classes that single fields carry are classes of the result, too: whether they are allowed is known before any call. */
function dataClassesPlace({ dataClasses }: ToolEntry): ConstraintPlace {
  if (dataClasses === undefined) return { elsewhere: "the manifest does not say which data classes it returns" };
  return { always: dataClasses instanceof Map ? [...dataClasses.keys()] : (dataClasses as readonly string[]) };
}
