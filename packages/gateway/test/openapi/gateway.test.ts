import { isJsonObject, type Json, type JsonObject } from "@ambit/core";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it } from "vitest";
import { manifestOf, openApiUpstream } from "../../src/index.ts";
import { CONTRACTS, startContractsApi } from "../support/contracts-api.ts";
import { CANARY } from "../support/crm.ts";
import { present } from "../support/present.ts";
import { BEARER, createWorld } from "../support/world.ts";

/** What `manifestOf` cannot know, and the operator says: what comes back of each. */
const SAID: Readonly<Record<string, JsonObject>> = {
  contracts_list: { records: { result: "/records", limit: "/limit", most: 2 }, data_classes: [], sends_outside: false },
  contracts_create: { effect: "write", records: "none", data_classes: [], sends_outside: false },
  contracts_delete: { records: "none", data_classes: [], sends_outside: false },
  answers_post: { effect: "write", records: "none", data_classes: [], sends_outside: false },
  echo: { records: "none", data_classes: [], sends_outside: false },
};

function manifest(): Readonly<Record<string, JsonObject>> {
  const { tools } = manifestOf(CONTRACTS, "crm") as { readonly tools: Readonly<Record<string, JsonObject>> };
  return Object.fromEntries(Object.entries(tools).map(([name, entry]) => [name, { ...entry, ...SAID[name] }]));
}

async function createApiWorld(options: Parameters<typeof createWorld>[0] = {}) {
  const api = await startContractsApi();
  const upstream = openApiUpstream({ name: "crm", document: CONTRACTS, server: api.url, allowPrivate: ["127.0.0.1"], connector: BEARER });
  const allowedTools = ["contracts_list", "contracts_create", "contracts_read", "answers_post", "echo"];
  const world = await createWorld({ upstreams: [upstream], tools: manifest(), allowedTools, ...options });
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(world.url));
  const all: unknown[] = [];
  const call = async (name: string, args: JsonObject) => {
    const _meta = await present(world, name, args);
    const result = await client.callTool({ name, arguments: args, _meta }).catch((error: unknown) => error);
    all.push(result, String(result));
    return result as { readonly isError?: boolean; readonly structuredContent?: Json; readonly content: readonly { readonly text: string }[] };
  };
  return {
    api,
    world,
    client,
    call,
    /** All that the client saw. */
    all,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await world[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

const refusalOf = ({ content }: { readonly content: readonly { readonly text: string }[] }): unknown =>
  (JSON.parse(content[0]?.text ?? "") as { readonly error: { readonly code: string } }).error.code;

describe("an API behind the gateway", () => {
  it("is reached with the credential that only the gateway has, and with an envelope that allows it", async () => {
    await using it_ = await createApiWorld();
    const listed = await it_.call("contracts_list", { customer_id: "c 1", limit: 2 });
    // Of three, the manifest lets two through.
    expect(isJsonObject(listed.structuredContent) && listed.structuredContent["records"]).toHaveLength(2);
    const created = await it_.call("contracts_create", { body: { customer_id: "c1", value: 7 } });
    expect(created.structuredContent).toEqual({ id: "4" });
    expect(it_.api.bodies).toEqual([{ customer_id: "c1", value: 7 }]);
    expect(it_.api.reached).toEqual(["GET /v1/contracts?customer_id=c%201&limit=2", "POST /v1/contracts"]);
    expect(it_.api.refused()).toBe(0);
    expect(it_.world.decisions()).toEqual([
      ["contracts_list", "permit"],
      ["contracts_create", "permit"],
    ]);
    expect(it_.world.outcomes()).toEqual(["done", "done"]);
  });

  it("is not reached by what the envelope, the manifest or the document does not allow", async () => {
    await using it_ = await createApiWorld();
    expect(refusalOf(await it_.call("contracts_delete", { contract_id: "1" }))).toBe("tool_not_allowed");
    // Of this one nobody said what comes back: the envelope has `max_records`.
    expect(refusalOf(await it_.call("contracts_read", { contract_id: "1" }))).toBe("constraint_unmapped");
    expect(refusalOf(await it_.call("contracts_list", { customer_id: "c1", limit: "2" }))).toBe("argument_not_allowed");
    expect(refusalOf(await it_.call("echo", { "X-Note": "a", Authorization: "Bearer mine" }))).toBe("argument_not_allowed");
    expect(refusalOf(await it_.call("answers_post", { kind: "object", body: {} }))).toBe("argument_not_allowed");
    expect(it_.api.reached).toEqual([]);
    expect((await it_.call("answers_post", { kind: "../contracts" })).isError).toBe(true);
    expect(it_.api.reached).toEqual([]);
    expect(it_.world.outcomes()).toEqual(["failed"]);
    // The same without a gateway.
    expect((await fetch(`${it_.api.url}/contracts`)).status).toBe(401);
  });

  it("never lets its credential out, although it says it to whoever asks, in answers, errors, lists and records", async () => {
    await using it_ = await createApiWorld();
    const echoed = await it_.call("echo", { "X-Note": "hello" });
    expect(echoed.structuredContent).toMatchObject({ "x-note": "hello", authorization: "Bearer [redacted]" });
    await it_.call("answers_post", { kind: "failing" });
    await it_.call("answers_post", { kind: "missing" });
    const { tools } = await it_.client.listTools({ _meta: await present(it_.world, "tools/list", {}) });
    expect(tools.map(({ name }) => name)).toContain("echo");
    expect(JSON.stringify([it_.all, tools])).not.toContain(CANARY);
    expect(it_.world.record()).not.toContain(CANARY);
  });

  it("has it on the record when nobody knows whether a call took effect", async () => {
    await using it_ = await createApiWorld();
    expect(await it_.call("answers_post", { kind: "failing" })).toMatchObject({ code: -32603 });
    expect((await it_.call("answers_post", { kind: "missing" })).isError).toBe(true);
    expect(it_.world.outcomes()).toEqual(["unknown", "failed"]);
  });
});
