import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";

/** A schema as a manifest may have it, and what had to go. */
export interface ClosedSchema {
  readonly schema: JsonObject;
  /** In plain words, each with where. */
  readonly notes: readonly string[];
}

const DATA = new Set(
  "type enum const required minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains dependentRequired".split(
    " ",
  ),
);
const NESTED = new Set("items contains additionalProperties propertyNames not if then else".split(" "));
const LISTED = new Set("anyOf oneOf allOf prefixItems".split(" "));
const NAMED = new Set("properties dependentSchemas".split(" "));
/** These say something of the same value, so none of them may close it alone. */
const APPLICATORS = ["anyOf", "oneOf", "allOf", "not", "if", "then", "else", "dependentSchemas"] as const;
/** Say nothing that a check needs. */
const SILENT = new Set(
  "$schema $id $anchor $comment $defs definitions $vocabulary title description default examples example deprecated readOnly writeOnly nullable discriminator xml externalDocs".split(
    " ",
  ),
);
const MAX_DEPTH = 16;
const MAX_NODES = 5_000;

/**
 * Makes a tool's input schema closed: arguments that it does not name are refused. References within the document are written out; `pattern`,
 * `format` and everything else that the manifest refuses is left out and noted. A tool without a schema takes no arguments.
 */
export function closeSchema(schema: Json | undefined, document?: JsonObject): ClosedSchema {
  const notes = new Set<string>();
  if (!isJsonObject(schema)) {
    return { schema: { type: "object", properties: {}, additionalProperties: false }, notes: ["it has no input schema, so calls with arguments are refused"] };
  }
  const closer = createCloser(document ?? schema, (note) => void notes.add(note));
  const closed = closer(schema, "");
  const properties = { ...namedInBranches(closed), ...asObject(own(closed, "properties")) };
  if (own(schema, "additionalProperties") !== false && own(schema, "additionalProperties") !== undefined) {
    notes.add("it takes arguments that its schema does not name; those are refused");
  }
  const { type: _, additionalProperties: __, ...rest } = closed;
  return { schema: { type: "object", ...rest, properties, additionalProperties: false }, notes: [...notes] };
}

function asObject(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** Arguments that only alternatives name have to be named at the top as well, where the list is closed. */
function namedInBranches(schema: JsonObject): JsonObject {
  const branches = APPLICATORS.flatMap((keyword) => {
    const value = own(schema, keyword);
    return Array.isArray(value) ? (value as readonly Json[]) : keyword === "dependentSchemas" ? Object.values(asObject(value)) : [value ?? null];
  }).filter(isJsonObject);
  return Object.fromEntries(
    branches.flatMap((branch) => [...Object.keys(namedInBranches(branch)), ...Object.keys(asObject(own(branch, "properties")))]).map((name) => [name, {}]),
  );
}

type Closer = (schema: Json, path: string) => JsonObject;

function createCloser(document: JsonObject, note: (note: string) => void): Closer {
  let nodes = 0;
  // Needed where leaving out does not loosen but tightens.
  const leftOut = new Set<string>();

  const visit = (schema: Json, path: string, depth: number, followed: readonly string[], inPlace: boolean): Json => {
    if (typeof schema === "boolean") return schema;
    if (!isJsonObject(schema)) return {};
    if (depth > MAX_DEPTH || ++nodes > MAX_NODES) {
      note(`\`${path}\` is too large to check; the tool checks it itself`);
      return {};
    }
    const reference = own(schema, "$ref");
    if (reference !== undefined) return follow(schema, reference, path, depth, followed, inPlace);

    const result: Record<string, Json> = {};
    for (const [keyword, value] of Object.entries(schema)) {
      const at = `${path}/${keyword}`;
      const inner = (child: Json, childPath: string): Json =>
        visit(
          child,
          childPath,
          depth + 1,
          followed,
          APPLICATORS.some((applicator) => applicator === keyword),
        );
      if (DATA.has(keyword)) {
        if (isUsable(keyword, value)) result[keyword] = value;
        else note(`\`${at}\` is left out`);
      } else if (keyword === "items" && Array.isArray(value)) {
        result["prefixItems"] = value.map((child: Json, index) => inner(child, `${at}/${index}`));
      } else if (NESTED.has(keyword)) {
        result[keyword] = inner(value, at);
      } else if (LISTED.has(keyword) && Array.isArray(value)) {
        result[keyword] = value.map((child: Json, index) => inner(child, `${at}/${index}`));
      } else if (NAMED.has(keyword) && isJsonObject(value)) {
        result[keyword] = Object.fromEntries(
          Object.entries(value).flatMap(([name, child]) => (isUsableName(name, at) ? [[name, inner(child, `${at}/${name}`)]] : [])),
        );
      } else if (!SILENT.has(keyword) && !keyword.startsWith("x-")) {
        note(`\`${at}\` is left out; the tool checks it itself`);
        leftOut.add(at);
      }
    }
    return close(withNull(loosenAround(result, path), schema), path, inPlace);
  };

  const hasLost = (path: string): boolean => [...leftOut].some((at) => at.startsWith(`${path}/`));

  /** Under `not` and `if`, and between the alternatives of `oneOf`, what is left out would refuse what the tool takes. */
  const loosenAround = (schema: Record<string, Json>, path: string): Record<string, Json> => {
    if (Object.hasOwn(schema, "not") && hasLost(`${path}/not`)) delete schema["not"];
    if (Object.hasOwn(schema, "if") && hasLost(`${path}/if`)) for (const keyword of ["if", "then", "else"]) delete schema[keyword];
    if (Object.hasOwn(schema, "oneOf") && hasLost(`${path}/oneOf`) && !Object.hasOwn(schema, "anyOf")) {
      schema["anyOf"] = schema["oneOf"] as Json;
      delete schema["oneOf"];
    }
    return schema;
  };

  const isUsableName = (name: string, path: string): boolean => {
    const isReserved = /^__|^constructor$|\0/.test(name) || !name.isWellFormed();
    if (isReserved) note(`\`${path}\` names an argument that a manifest cannot have; calls with it are refused`);
    return !isReserved;
  };

  const follow = (schema: JsonObject, reference: Json, path: string, depth: number, followed: readonly string[], inPlace: boolean): Json => {
    const target = typeof reference === "string" && !followed.includes(reference) ? resolve(document, reference) : undefined;
    const { $ref: _, ...beside } = schema;
    if (target === undefined) {
      note(`\`${path}/$ref\` is not followed; the tool checks it itself`);
      leftOut.add(`${path}/$ref`);
      return visit(beside, path, depth + 1, followed, inPlace);
    }
    const written = visit(target, path, depth + 1, [...followed, reference as string], inPlace);
    const others = visit(beside, path, depth + 1, followed, true);
    return isJsonObject(others) && Object.keys(others).length === 0 ? written : { allOf: [written, others] };
  };

  const close = (schema: Record<string, Json>, path: string, inPlace: boolean): Json => {
    const isOpen = !inPlace && path !== "" && isJsonObject(schema["properties"]) && !Object.hasOwn(schema, "additionalProperties");
    return isOpen && !APPLICATORS.some((keyword) => Object.hasOwn(schema, keyword)) ? { ...schema, additionalProperties: false } : schema;
  };

  return (schema, path) => asObject(visit(schema, path, 0, [], false));
}

/** OpenAPI 3.0 says `nullable` where JSON Schema has a type. */
function withNull(schema: Record<string, Json>, source: JsonObject): Record<string, Json> {
  return own(source, "nullable") === true && typeof schema["type"] === "string" ? { ...schema, type: [schema["type"], "null"] } : schema;
}

/** Older drafts have other types here, which a validator of today would misread. */
function isUsable(keyword: string, value: Json): boolean {
  if (keyword === "required" || keyword === "enum") return Array.isArray(value);
  if (keyword === "type") return typeof value === "string" || Array.isArray(value);
  if (keyword === "const") return true;
  if (keyword === "dependentRequired") return isJsonObject(value);
  return typeof value === "number";
}

function resolve(document: JsonObject, reference: string): Json | undefined {
  if (reference !== "#" && !reference.startsWith("#/")) return undefined;
  let current: Json | undefined = document;
  for (const segment of reference.split("/").slice(1)) {
    const name = segment.replaceAll("~1", "/").replaceAll("~0", "~");
    current = isJsonObject(current) ? own(current, name) : undefined;
  }
  return current;
}
