import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { definitionDigest, isToolId, type JsonObject } from "@ambit/core";
import { createPdp, type PdpConfig } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { manifestOf } from "../../src/index.ts";
import { CONTRACTS } from "../support/contracts-api.ts";
import { codeOf } from "../support/outcome.ts";
import { connectApi, documentOf } from "./calls.ts";

const toolOf = async (document: object): Promise<Tool> => {
  const [tool] = await (await connectApi({ document })).tools();
  if (tool === undefined) throw new Error("there is no tool");
  return tool as Tool;
};
interface Tool extends JsonObject {
  readonly name: string;
  readonly inputSchema: JsonObject & { readonly properties: JsonObject };
}
const schemaOf = async (schema: object, more: object = {}) => {
  const requestBody = { required: true, content: { "application/json": { schema } } };
  const { inputSchema } = await toolOf({ ...documentOf("/it", [], { requestBody }, "post"), ...more });
  return inputSchema.properties["body"];
};

describe("the tools of a document", () => {
  it("are its operations, with what goes into the path, the query, headers and the body for arguments", async () => {
    const tools = await (await connectApi({ document: CONTRACTS })).tools();
    expect(tools.map(({ name }) => name)).toEqual([
      "contracts_list",
      "contracts_create",
      "contracts_read",
      "contracts_delete",
      "answers_get",
      "answers_post",
      "echo",
    ]);
    expect(tools[0]).toEqual({
      name: "contracts_list",
      description: "Lists contracts.",
      inputSchema: { type: "object", properties: { customer_id: { type: "string" }, limit: { type: "integer" } }, required: [], additionalProperties: false },
      annotations: { readOnlyHint: true, destructiveHint: false },
    });
    expect(tools[1]).toMatchObject({
      inputSchema: { properties: { body: { required: ["customer_id"] } }, required: ["body"] },
      annotations: { readOnlyHint: false, destructiveHint: true },
    });
    expect(tools[2]).toMatchObject({ inputSchema: { properties: { contract_id: { type: "string" } }, required: ["contract_id"] } });
  });

  it("never have a credential for an argument", async () => {
    const names = [
      "Authorization",
      "Cookie",
      "X-Api-Key",
      "x_auth_token",
      "Proxy-Authorization",
      "DPoP",
      "Mcp-Session-Id",
      "Host",
      "X-Forwarded-For",
      "Idempotency-Key",
    ];
    const headers = names.map((name) => ({ in: "header", name, required: true, schema: {} }));
    const others = [
      { in: "cookie", name: "session", required: true, schema: {} },
      { in: "query", name: "key", schema: {} },
      { in: "query", name: "access_token", schema: {} },
      { in: "header", name: "X-Shop", schema: {} },
    ];
    const schemes = { a: { type: "apiKey", in: "query", name: "key" }, b: { type: "apiKey", in: "header", name: "x_shop" } };
    const document = { ...documentOf("/it", [...headers, ...others]), components: { securitySchemes: schemes } };
    expect(await toolOf(document)).toMatchObject({ inputSchema: { required: ["Idempotency-Key"] } });
    expect(Object.keys((await toolOf(document)).inputSchema.properties)).toEqual(["Idempotency-Key"]);
  });

  it("have what references in the document stand for, and nothing where a schema contains itself", async () => {
    const components = {
      schemas: {
        "a/b": { type: "object", properties: { next: { $ref: "#/components/schemas/a~1b" }, id: { $ref: "#/components/schemas/Id" } } },
        Id: { type: "string", maxLength: 8, "x-mcp-header": "authorization" },
      },
    };
    expect(await schemaOf({ $ref: "#/components/schemas/a~1b" }, { components })).toEqual({
      type: "object",
      properties: { next: {}, id: { type: "string", maxLength: 8 } },
    });
    expect(await schemaOf({ $ref: "#/components/schemas/Id", minLength: 1 }, { components })).toEqual({
      allOf: [{ type: "string", maxLength: 8 }, { minLength: 1 }],
    });
  });

  it("are none where a reference leads outside of the document, to nothing, or nowhere", async () => {
    const references = ["http://169.254.169.254/", "./other.json#/a", "#/components/schemas/None", "#anchor", "#/%", "#/__proto__", 7];
    for (const $ref of references) {
      const requestBody = { content: { "application/json": { schema: { $ref } } } };
      const api = await connectApi({ document: documentOf("/it", [], { requestBody }, "post") });
      expect([await api.tools(), api.leftOut.map(({ method, path }) => [method, path])]).toEqual([[], [["post", "/it"]]]);
    }
    const round = documentOf("/it", [{ $ref: "#/components/parameters/a" }]);
    const api = await connectApi({ document: { ...round, components: { parameters: { a: { $ref: "#/components/parameters/a" } } } } });
    expect([await api.tools(), api.leftOut.length]).toEqual([[], 1]);
  });

  it("have schemas of a size that a pin and a manifest can have, however the document is built", async () => {
    // Each level names the next one four times: 4^12 in all.
    const schemas = Object.fromEntries(
      Array.from({ length: 12 }, (_, level) => {
        const next = { $ref: `#/components/schemas/L${level + 1}` };
        return [`L${level}`, { type: "object", description: "d".repeat(10_000), properties: { a: next, b: next, c: next, d: next } }];
      }),
    );
    const document = documentOf("/it", [], { requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/L0" } } } } }, "post");
    const tool = await toolOf({ ...document, components: { schemas: { ...schemas, L12: {} } } });
    expect(definitionDigest(tool)).toBeDefined();
    expect(JSON.stringify(tool).length).toBeLessThan(300_000);
    let deep: object = { type: "string" };
    for (let level = 0; level < 5000; level++) deep = { type: "array", items: deep };
    expect(JSON.stringify(await schemaOf(deep)).length).toBeLessThan(2000);
  });

  it("say in JSON Schema 2020-12 what OpenAPI 3.0 says in its own way, and leave out what only answers have", async () => {
    const schema = {
      type: "object",
      required: ["id", "kind"],
      properties: {
        id: { type: "string", readOnly: true },
        kind: { type: "string", nullable: true, enum: ["a"], example: "a" },
        count: { type: "integer", minimum: 0, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false, default: 2 ** 60 },
      },
    };
    expect(await schemaOf(schema, { openapi: "3.0.3" })).toEqual({
      type: "object",
      required: ["kind"],
      properties: { kind: { type: ["string", "null"], enum: ["a", null] }, count: { type: "integer", exclusiveMinimum: 0, maximum: 9 } },
    });
  });

  it("have names that tools can have: of their method and path, where the document has none that is one", async () => {
    const name = async (operationId: unknown) =>
      (await toolOf(documentOf("/users/{id}/keys", [{ in: "path", name: "id", required: true }], { operationId }))).name;
    expect(await name("users.keys-list_1")).toBe("users.keys-list_1");
    for (const other of [undefined, "", "users/keys", "ключи", "x".repeat(129), 7]) expect(await name(other)).toBe("get_users_by_id_keys");
  });

  it("tell arguments of the same name apart by their place", async () => {
    const parameters = [
      { in: "path", name: "id", required: true },
      { in: "query", name: "id" },
      { in: "query", name: "body" },
    ];
    const document = documentOf("/it/{id}", parameters, { requestBody: { content: { "application/json": {} } } }, "post");
    expect(await toolOf(document)).toMatchObject({ inputSchema: { properties: { id: {}, query_id: {}, query_body: {}, body: {} } } });
  });

  it("leave out, with a reason, what cannot be sent as the document has it", async () => {
    const path = { in: "path", name: "id", required: true };
    const forms = { requestBody: { required: true, content: { "multipart/form-data": {} } } };
    const exploded = { in: "query", name: "filter", schema: { type: "object", properties: { limit: {} } } };
    const documents = [
      documentOf("/it", [], forms, "post"),
      documentOf("/it", [], { servers: [{ url: "https://other.example" }] }),
      documentOf("/it", [], {}, "head"),
      documentOf("/it", [], {}, "trace"),
      documentOf("/it/{id}", []),
      documentOf("/it", [path]),
      documentOf("/it/{id}", [{ ...path, style: "matrix" }]),
      documentOf("/it/{id}/{id}", [path]),
      documentOf("/it/../{id}", [path]),
      documentOf("/it//{id}", [path]),
      documentOf("/it?a={id}", [path]),
      documentOf("/it/%2e%2e/{id}", [path]),
      documentOf("/it", [path, path]),
      documentOf("/it", [{ in: "query", name: "__proto__" }]),
      documentOf("/it", [exploded, { in: "query", name: "limit" }]),
      { openapi: "3.1.0", info: {}, servers: [{ url: "https://api.example.com" }], paths: { "/it": 7 } },
    ];
    for (const document of documents) {
      const api = await connectApi({ document });
      expect([await api.tools(), api.leftOut.length], JSON.stringify(document)).toEqual([[], 1]);
    }
  });

  it("are refused at start where two have one name, and where the document or its server is none", async () => {
    const it_ = documentOf("/it", []) as { readonly paths: Readonly<Record<string, object>> };
    const twice = { ...it_, paths: { ...it_.paths, "/other": it_.paths["/it"] } };
    for (const document of [twice, null, [], "{}", {}, { swagger: "2.0" }, { openapi: "3.2.0" }, { ...it_, components: { securitySchemes: { a: 7 } } }])
      expect(await codeOf(connectApi({ document }))).toBe("option_invalid");
    const servers = [
      "/v1",
      "api.example.com",
      "ftp://api.example.com",
      "https://{host}/v1",
      "https://u:p@api.example.com",
      "https://api.example.com/?q",
      "https://api.example.com/a/../b",
    ];
    for (const server of [...servers, "https://api.example.com/%2e", "https://api.example.com//a", "https://api.example.com/#a", ""])
      expect(await codeOf(connectApi({ document: it_, server })), server).toBe("option_invalid");
    expect(await codeOf(connectApi({ document: { ...it_, servers: [] } }))).toBe("option_invalid");
    expect(await codeOf(connectApi({ document: it_, prefix: "a/" }))).toBe("option_invalid");
  });
});

const EXAMPLES = dirname(createRequire(import.meta.url).resolve("@readme/oas-examples/package.json"));
const published = ["3.0", "3.1"].flatMap((version) => {
  const folder = join(EXAMPLES, version, "json");
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter((file) => file.endsWith(".json"));
  return files.map((file) => [`${version}/${file}`, JSON.parse(readFileSync(join(folder, file), "utf8")) as object] as const);
});

describe("published documents", () => {
  it.each(published)("%s becomes tools that can be pinned, with a manifest that the decision point takes", async (_, document) => {
    const api = await connectApi({ document, server: "https://api.example.com/v1" });
    const tools = await api.tools();
    const paths = Object.values((document as { readonly paths?: Readonly<Record<string, object>> }).paths ?? {});
    const operations = paths.flatMap((path) => Object.keys(path).filter((method) => /^(?:get|put|post|delete|patch|head|options|trace)$/.test(method)));
    // A path that is a reference may have several.
    expect(tools.length + api.leftOut.length).toBeGreaterThanOrEqual(operations.length);
    for (const tool of tools) {
      expect(isToolId(tool.name)).toBe(true);
      expect(definitionDigest(tool)).toBeDefined();
      expect(JSON.stringify(tool)).not.toContain('"$ref"');
    }
    const manifest = manifestOf(document, "api");
    expect(Object.keys(manifest["tools"] as object)).toEqual(tools.map(({ name }) => name));
    const pdp = await createPdp({ ...CONFIG, manifest } as PdpConfig, {});
    await pdp.close();
  });
});

const CONFIG = {
  agents: { agents: { reviewer: { trust_zone: "first_party", ceiling: "none" } } },
  purposes: { purposes: {} },
  policies: [{ name: "main.cedar", text: '@id("all") permit (principal, action, resource);' }],
  log: "memory",
  state: "memory",
  approvals: "none",
} as const;
