import { Client as StatelessClient, StreamableHTTPClientTransport as StatelessTransport } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it } from "vitest";
import { CANARY } from "./support/crm.ts";
import { createWorld, type World } from "./support/world.ts";
import { present } from "./support/present.ts";

const INFO = { name: "test", version: "1.0.0" };

const CLIENTS = {
  "of SDK 1, in a session": async ({ url }: World) => {
    const client = new Client(INFO);
    await client.connect(new StreamableHTTPClientTransport(url));
    return client;
  },
  "of SDK 2, without sessions": async ({ url }: World) => {
    const client = new StatelessClient(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    await client.connect(new StatelessTransport(url));
    return client;
  },
};

describe.each(Object.entries(CLIENTS))("a client %s", (_, connect) => {
  it("reaches a tool with the credential that only the gateway has, and with an envelope that allows it", async () => {
    await using world = await createWorld();
    const client = await connect(world);
    const args = { customer_id: "c1" };
    const result = await client.callTool({ name: "contracts_read", arguments: args, _meta: await present(world, "contracts_read", args) });
    expect(result.isError).toBeFalsy();
    // Of three, the manifest lets two through.
    expect((result.structuredContent as { readonly records: readonly unknown[] }).records).toHaveLength(2);
    expect(world.crm.reached).toEqual([["contracts_read", "c1"]]);
    expect(world.decisions()).toEqual([["contracts.read", "permit"]]);
    expect(world.outcomes()).toEqual(["done"]);
    expect(world.crm.refused).toEqual([]);
    await client.close();
  });

  it("is refused without an envelope, with one for another call, and by what the envelope does not allow, and the record says so", async () => {
    await using world = await createWorld();
    const client = await connect(world);
    const args = { customer_id: "c1" };
    const codeOf = async (name: string, _meta: Record<string, unknown>): Promise<string> => {
      const { isError, content } = (await client.callTool({ name, arguments: args, _meta })) as { isError?: boolean; content: { text: string }[] };
      expect(isError).toBe(true);
      return (JSON.parse(content[0]?.text ?? "") as { error: { code: string } }).error.code;
    };
    expect(await codeOf("contracts_read", {})).toBe("envelope_malformed");
    expect(await codeOf("contracts_read", await present(world, "contracts_read", { customer_id: "c2" }))).toBe("pop_invalid");
    const shown = await present(world, "contracts_read", args, "urn:example:pdp");
    expect(await codeOf("contracts_read", shown)).toBe("audience_mismatch");
    expect(await codeOf("contracts_delete", await present(world, "contracts_delete", args))).toBe("tool_not_allowed");
    expect(await codeOf("unheard_of", await present(world, "unheard_of", args))).toBe("tool_unmapped");
    const once = await present(world, "contracts_read", args);
    expect((await client.callTool({ name: "contracts_read", arguments: args, _meta: once })).isError).toBeFalsy();
    expect(await codeOf("contracts_read", once)).toBe("pop_replayed");
    expect(world.crm.reached).toEqual([["contracts_read", "c1"]]);
    expect(world.decisions().map(([, decision]) => decision)).toEqual([
      "envelope_malformed",
      "pop_invalid",
      "audience_mismatch",
      "tool_not_allowed",
      "tool_unmapped",
      "permit",
      "pop_replayed",
    ]);
    await client.close();
  });

  it("is shown of all tools those that its envelope could use, and nothing without one", async () => {
    await using world = await createWorld();
    const client = await connect(world);
    const shown = await present(world, "tools/list", {});
    const { tools } = await client.listTools({ _meta: shown });
    expect(tools.map(({ name }) => name).toSorted()).toEqual(["contracts_read", "echo"]);
    const { resources } = await client.listResources({ _meta: shown });
    expect(resources.map(({ uri }) => uri)).toEqual(["crm://public"]);
    expect(await client.listTools({ cursor: undefined })).toMatchObject({ tools: [] });
    await client.close();
  });

  it("reads a resource as it calls a tool", async () => {
    await using world = await createWorld();
    const client = await connect(world);
    const { contents } = await client.readResource({ uri: "crm://public", _meta: await present(world, "resources/read", { uri: "crm://public" }) });
    expect(contents).toMatchObject([{ text: "public" }]);
    await expect(client.readResource({ uri: "crm://public" })).rejects.toMatchObject({ code: -32010, data: { code: "envelope_malformed" } });
    expect(world.crm.reached).toEqual([["resources/read", "crm://public"]]);
    await client.close();
  });

  it("never sees the credential, although the upstream says it to whoever asks", async () => {
    await using world = await createWorld();
    const client = await connect(world);
    const args = { text: "hello" };
    const { content } = await client.callTool({ name: "echo", arguments: args, _meta: await present(world, "echo", args) });
    expect(JSON.stringify(content)).toContain("hello Bearer ");
    expect(JSON.stringify(content)).not.toContain(CANARY);
    await client.close();
  });

  it("is told which upstream cannot be reached, and nothing is charged for it", async () => {
    await using world = await createWorld();
    const client = await connect(world);
    await client.listTools({ _meta: await present(world, "tools/list", {}) });
    await world.crm.close();
    const args = { customer_id: "c1" };
    const result = await client.callTool({ name: "contracts_read", arguments: args, _meta: await present(world, "contracts_read", args) });
    expect(JSON.stringify(result.content)).toContain("upstream_unavailable");
    expect(world.outcomes()).toEqual(["not_run"]);
    await client.close();
  });
});
