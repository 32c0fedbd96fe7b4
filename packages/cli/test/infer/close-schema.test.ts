import { parseManifest } from "@ambit/pdp";
import { describe, expect, test } from "vitest";
import type { Json } from "@ambit/core";
import { closeSchema } from "../../src/infer/close-schema.ts";

/** The manifest's own reader is the judge of what a manifest may have. */
function accept(schema: Json): Json {
  const closed = closeSchema(schema).schema;
  parseManifest({ tools: { shelf: { names: [{ name: "shelf", pin: "none" }], input_schema: closed, effect: "read" } } });
  return closed;
}

describe("closeSchema", () => {
  test("closes the list of arguments and keeps what can be checked", () => {
    const properties = { id: { type: "string", minLength: 1, enum: ["a", "b"] }, count: { type: "integer", minimum: 1, maximum: 9 } };
    expect(accept({ type: "object", properties, required: ["id"] })).toEqual({ type: "object", properties, required: ["id"], additionalProperties: false });
  });

  test("takes no arguments without a schema, and says so", () => {
    expect(closeSchema(undefined)).toMatchObject({
      schema: { properties: {}, additionalProperties: false },
      notes: [expect.stringContaining("no input schema")],
    });
  });

  test("leaves out what a manifest refuses, and says where", () => {
    const schema = { type: "object", properties: { id: { type: "string", pattern: "^(a+)+$", format: "uuid", title: "Id" } } };
    expect(accept(schema)).toMatchObject({ properties: { id: { type: "string" } } });
    const { notes } = closeSchema(schema);
    expect(notes).toHaveLength(2);
    expect(notes.join()).toMatch(/`\/properties\/id\/pattern`.*`\/properties\/id\/format`/);
    const ids = { type: "array", items: { type: "string" }, uniqueItems: true };
    expect(accept({ type: "object", properties: { ids } })).toMatchObject({ properties: { ids: { type: "array" } } });
    expect(closeSchema({ type: "object", properties: { ids } }).notes.join()).toContain("uniqueItems");
  });

  test("writes references out", () => {
    const schema = {
      type: "object",
      properties: { size: { $ref: "#/$defs/Size", description: "how large" } },
      $defs: { Size: { type: "string", enum: ["s", "l"] } },
    };
    expect(accept(schema)).toMatchObject({ properties: { size: { type: "string", enum: ["s", "l"] } } });
  });

  test("follows neither circles nor references to elsewhere", () => {
    const schema = {
      type: "object",
      properties: { tree: { $ref: "#/$defs/Tree" }, far: { $ref: "https://example.com/schema.json" } },
      $defs: { Tree: { type: "object", properties: { left: { $ref: "#/$defs/Tree" } } } },
    };
    expect(accept(schema)).toMatchObject({ properties: { tree: { properties: { left: {} } }, far: {} } });
    expect(closeSchema(schema).notes).toHaveLength(2);
  });

  test("stops writing references out before they outgrow everything", () => {
    const level = (next: string): object => ({
      type: "object",
      properties: Object.fromEntries("abcdefgh".split("").map((name) => [name, { $ref: `#/$defs/${next}` }])),
    });
    const $defs = Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((at) => [`L${at}`, at === 9 ? {} : level(`L${at + 1}`)]));
    const { notes } = closeSchema({ type: "object", properties: { top: { $ref: "#/$defs/L0" } }, $defs } as unknown as Json);
    expect(notes.length).toBeGreaterThan(0);
  });

  test("refuses nothing that the tool takes where leaving out would tighten", () => {
    const schema = {
      type: "object",
      properties: {
        id: { not: { type: "string", pattern: "^x" } },
        key: {
          oneOf: [
            { type: "string", format: "uri" },
            { type: "string", format: "uuid" },
          ],
        },
      },
    };
    expect(accept(schema)).toMatchObject({ properties: { id: {}, key: { anyOf: [{ type: "string" }, { type: "string" }] } } });
    expect(accept(schema)).not.toHaveProperty("properties.id.not");
  });

  test("names arguments that only alternatives name", () => {
    const schema = {
      type: "object",
      anyOf: [
        { properties: { a: { type: "string" } }, required: ["a"] },
        { properties: { b: { type: "string" } }, required: ["b"] },
      ],
    };
    expect(accept(schema)).toMatchObject({ properties: { a: {}, b: {} }, anyOf: [{ required: ["a"] }, { required: ["b"] }], additionalProperties: false });
    expect(accept(schema)).not.toHaveProperty("anyOf.0.additionalProperties");
  });

  test("closes objects inside unless they say themselves that they are open", () => {
    const inner = { type: "object", properties: { x: { type: "number" } } };
    const schema = { type: "object", properties: { point: inner, open: { ...inner, additionalProperties: true }, map: { type: "object" } } };
    expect(accept(schema)).toMatchObject({
      properties: { point: { additionalProperties: false }, open: { additionalProperties: true }, map: { type: "object" } },
    });
    expect(accept(schema)).not.toHaveProperty("properties.map.additionalProperties");
  });

  test("leaves out arguments with names that data must not have", () => {
    const properties = JSON.parse('{"__proto__":{"type":"string"},"constructor":{"type":"object"},"ok":{"type":"string"}}') as Json;
    const { schema, notes } = closeSchema({ type: "object", properties });
    expect(Object.keys(schema["properties"] as object)).toEqual(["ok"]);
    expect(notes).toHaveLength(1);
    accept({ type: "object", properties });
  });

  test("reads what older drafts and OpenAPI 3.0 say otherwise", () => {
    const properties = {
      price: { type: "number", minimum: 0, exclusiveMinimum: true },
      pair: { type: "array", items: [{ type: "string" }, { type: "integer" }] },
      note: { type: "string", nullable: true },
    };
    expect(accept({ type: "object", properties })).toMatchObject({
      properties: {
        price: { type: "number", minimum: 0 },
        pair: { type: "array", prefixItems: [{ type: "string" }, { type: "integer" }] },
        note: { type: ["string", "null"] },
      },
    });
  });
});
