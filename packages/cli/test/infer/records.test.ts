import { describe, expect, test } from "vitest";
import { inferRecords } from "../../src/infer/records.ts";

const object = (properties: Record<string, object>, required: readonly string[] = []) => ({ type: "object", properties, required }) as never;
const STRINGS = { type: "array", items: { type: "string" } };

describe("inferRecords", () => {
  test("counts the only list of an output, bounded by the argument that limits it", () => {
    const inputSchema = object({ limit: { type: "integer", maximum: 20 } });
    expect(inferRecords({ name: "list", inputSchema, outputSchema: object({ records: STRINGS, total: { type: "integer" } }) })).toEqual({
      result: "/records",
      limit: "/limit",
      most: 20,
    });
    expect(inferRecords({ name: "list", outputSchema: object({ "a/b": { ...STRINGS, maxItems: 5 } }) })).toEqual({ result: "/a~1b", most: 5 });
    expect(inferRecords({ name: "list", outputSchema: STRINGS as never })).toEqual({ result: "", most: 100 });
  });

  test("counts one thing with an id as one", () => {
    expect(inferRecords({ name: "get", outputSchema: object({ customer_id: { type: "string" } }, ["customer_id"]) })).toEqual({ result: "", most: 1 });
  });

  test.each([
    ["there is no schema", undefined],
    ["it could be a text with any number of records", object({ content: { type: "string" } })],
    ["there are two lists", object({ a: STRINGS, b: STRINGS })],
    ["something else could hold more", object({ a: STRINGS, b: { type: "object" } })],
  ])("says nothing when %s", (_, outputSchema) => {
    expect(inferRecords({ name: "get", outputSchema })).toBeUndefined();
  });
});
