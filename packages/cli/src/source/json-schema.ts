/** What a schema library that follows Standard JSON Schema (standardschema.dev) offers. */
interface StandardJsonSchema {
  readonly jsonSchema: { readonly input: (options: { readonly target: string }) => unknown };
}

/**
 * The JSON Schema of a schema as frameworks take them: of zod 4.2 and later and others that follow Standard JSON Schema, of the AI SDK's own (`jsonSchema()`, lazy or not),
 * or JSON Schema itself. Throws for a schema that does not say what it is as JSON.
 */
export async function jsonSchemaOf(schema: unknown): Promise<unknown> {
  const given = typeof schema === "function" ? ((await (schema as () => unknown)()) as unknown) : schema;
  if (typeof given !== "object" || given === null) throw new TypeError("its schema is none");
  const standard = (given as { readonly "~standard"?: unknown })["~standard"];
  if (isStandard(standard)) return standard.jsonSchema.input({ target: "draft-2020-12" });
  const { jsonSchema } = given as { readonly jsonSchema?: unknown };
  if (jsonSchema !== undefined) return await jsonSchema;
  if (standard === undefined && isJsonSchema(given)) return given;
  throw new TypeError("its schema has no JSON form; zod has one since 4.2");
}

function isStandard(standard: unknown): standard is StandardJsonSchema {
  return typeof (standard as Partial<StandardJsonSchema> | undefined)?.jsonSchema?.input === "function";
}

function isJsonSchema(value: object): boolean {
  return ["type", "properties", "$ref", "anyOf", "oneOf", "allOf"].some((member) => Object.hasOwn(value, member));
}
