import type { JsonObject } from "@ambit/core";
import type { ForeignTool } from "@ambit/core/token";
import { parseManifest } from "@ambit/pdp";
import { describe, expect, test } from "vitest";
import { foreignTool } from "../../src/export/foreign-tool.ts";
import { formOf, schemaLimits } from "../../src/export/schema-limits.ts";

function toolOf(change: JsonObject = {}, server?: string): ForeignTool {
  const names = [
    { name: "read_contract", pin: "none" },
    { name: "contracts_read", server: "crm", pin: "none" },
    { name: "old_read", server: "crm", pin: "none" },
  ];
  const schema = { type: "object", properties: { id: { type: "string" }, tags: { type: "array" } }, required: ["id"] };
  const { tools } = parseManifest({ tools: { "contracts.read": { names, input_schema: schema, effect: "read", ...change } } });
  const entry = tools.get("contracts.read");
  if (entry === undefined) throw new Error("no entry");
  return foreignTool(entry, server);
}

const placeOf = (key: string, change: JsonObject): unknown => toolOf(change).constraints.get(key);

describe("a tool as a foreign verifier sees it", () => {
  test("goes by its id, or by the names that one server has for it", () => {
    expect(toolOf().names).toEqual(["contracts.read"]);
    expect(toolOf({}, "crm").names).toEqual(["contracts_read", "old_read"]);
    expect(toolOf({}, "other").names).toEqual([]);
  });

  test("has the arguments that its schema names", () => {
    expect([...toolOf().arguments]).toEqual([
      ["id", { isRequired: true, form: "value", limits: [] }],
      ["tags", { isRequired: false, form: "list", limits: [] }],
    ]);
    expect(toolOf({ input_schema: { type: "object" } }).arguments.size).toBe(0);
    expect(toolOf({ input_schema: { type: "object", properties: [], required: "id" } }).arguments.size).toBe(0);
  });

  test.each([
    [{ argument: "/id" }, { argument: "id" }],
    [{ argument: "/a~1b~0c" }, { argument: "a/b~c" }],
    [{ argument: "/~01" }, { argument: "~1" }],
    [{ argument: "/" }, { argument: "" }],
    ["not_applicable", "not_applicable"],
  ])("has a constraint that shows at %j as %j", (mapping, place) => {
    expect(placeOf("contract_ids", { constraints: { contract_ids: mapping } })).toEqual(place);
  });

  test.each([
    [{ argument: "" }],
    [{ argument: "/filter/id" }],
    [{ argument: "/ids/*" }],
    [{ argument: "/*" }],
    [{ argument: "/ids/0" }],
    [{ result: "/id" }],
    [{ argument: "/id", result: "/id" }],
  ])("has a constraint that shows at %j elsewhere than in an argument", (mapping) => {
    expect(placeOf("contract_ids", { constraints: { contract_ids: mapping } })).toEqual({ elsewhere: expect.any(String) });
  });

  test("says of a constraint that nobody mapped nothing", () => {
    expect(placeOf("contract_ids", {})).toBeUndefined();
  });

  test("cannot count records, unless it returns none", () => {
    expect(placeOf("max_records", { records: "none" })).toBe("not_applicable");
    expect(placeOf("max_records", {})).toEqual({ elsewhere: expect.any(String) });
    expect(placeOf("max_records", { records: { result: "/r", limit: "/id", most: 5 } })).toEqual({ elsewhere: expect.any(String) });
    expect(placeOf("max_records", { records: { result: "/r", most: 0 } })).toEqual({ elsewhere: expect.any(String) });
  });

  test("returns its data classes whatever it is called with", () => {
    expect(placeOf("data_classes", {})).toEqual({ elsewhere: expect.any(String) });
    expect(placeOf("data_classes", { data_classes: [] })).toEqual({ always: [] });
    expect(placeOf("data_classes", { data_classes: ["a", "b"] })).toEqual({ always: ["a", "b"] });
    expect(placeOf("data_classes", { data_classes: { a: ["/a"], b: ["/b"] } })).toEqual({ always: ["a", "b"] });
  });
});

describe("what a schema says of an argument", () => {
  test.each([
    [{ type: "string" }, "value"],
    [{ type: ["string", "null"] }, "value"],
    [{ type: "object" }, "value"],
    [{ type: "array" }, "list"],
    [{ type: ["array", "null"] }, "list"],
    [{ type: ["array", "string"] }, "either"],
    [{ type: [] }, "either"],
    [{}, "either"],
    [true, "either"],
  ])("%j is of the form %s", (schema, form) => expect(formOf(schema)).toBe(form));

  test.each<[unknown, readonly JsonObject[]]>([
    [{ type: "string", maxLength: 3 }, []],
    [true, []],
    [{ enum: ["a", null, 1] }, [{ constraint_type: "one_of", values: ["a", null, 1] }]],
    [{ const: null }, [{ constraint_type: "one_of", values: [null] }]],
    [{ type: "array", items: { enum: ["a"] } }, [{ constraint_type: "subset", allowed: ["a"] }]],
    [{ items: { enum: ["a"] } }, []],
    [{ type: "integer", minimum: 1, maximum: 9 }, [{ constraint_type: "range", min: 1, max: 9 }]],
    [{ type: "number", exclusiveMinimum: 0 }, [{ constraint_type: "range", min: 0, min_inclusive: false }]],
    [{ type: "number", exclusiveMaximum: 5, maximum: 5 }, [{ constraint_type: "range", max: 5, max_inclusive: false }]],
    [{ type: "number", exclusiveMaximum: 5, maximum: 4 }, [{ constraint_type: "range", max: 4 }]],
    [{ type: "number", exclusiveMinimum: 5, minimum: 6 }, [{ constraint_type: "range", min: 6 }]],
    [{ type: "number", exclusiveMinimum: 7, minimum: 6 }, [{ constraint_type: "range", min: 7, min_inclusive: false }]],
    [{ type: ["number", "string"], minimum: 1 }, []],
    [{ minimum: 1 }, []],
  ])("%j limits it to %j", (schema, limits) => expect(schemaLimits(schema as JsonObject)).toEqual(limits));
});
