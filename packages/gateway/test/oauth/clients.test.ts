import { auth as statelessAuth, Client as StatelessClient, StreamableHTTPClientTransport as StatelessTransport } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it } from "vitest";
import { createAccessWorld, ALLOW, consent, REDIRECT, type AccessWorld } from "../support/access-world.ts";
import { Browser } from "../support/browser.ts";

/** What an application that uses an SDK writes itself: where to keep things, and how to open a browser. */
function applicationOf() {
  const kept: Record<string, unknown> = {};
  return {
    kept,
    redirectUrl: REDIRECT,
    clientMetadata: { client_name: "An application", redirect_uris: [REDIRECT], token_endpoint_auth_method: "client_secret_post" },
    state: () => "state-1",
    clientInformation: () => kept["client"] as never,
    saveClientInformation: (client: unknown) => void (kept["client"] = client),
    tokens: () => kept["tokens"] as never,
    saveTokens: (tokens: unknown) => void (kept["tokens"] = tokens),
    redirectToAuthorization: (url: URL) => void (kept["url"] = url),
    saveCodeVerifier: (verifier: string) => void (kept["verifier"] = verifier),
    codeVerifier: () => kept["verifier"] as string,
    discoveryState: () => kept["discovery"] as never,
    saveDiscoveryState: (state: unknown) => void (kept["discovery"] = state),
  };
}
type Application = ReturnType<typeof applicationOf>;

const INFO = { name: "test", version: "1.0.0" };
const CLIENTS = {
  "of SDK 1": {
    connect: async ({ resource }: AccessWorld, application: Application) => {
      const client = new Client(INFO);
      await client.connect(new StreamableHTTPClientTransport(new URL(resource), { authProvider: application as never }) as never);
      return client;
    },
    finish: ({ resource }: AccessWorld, application: Application, { searchParams }: URL) =>
      new StreamableHTTPClientTransport(new URL(resource), { authProvider: application as never }).finishAuth(searchParams.get("code") ?? ""),
  },
  "of SDK 2": {
    connect: async ({ resource }: AccessWorld, application: Application) => {
      const client = new StatelessClient(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
      await client.connect(new StatelessTransport(new URL(resource), { authProvider: application as never }));
      return client;
    },
    finish: ({ resource }: AccessWorld, application: Application, { searchParams }: URL) =>
      new StatelessTransport(new URL(resource), { authProvider: application as never }).finishAuth(searchParams),
  },
};

describe.each(Object.entries(CLIENTS))("a client %s that knows nothing of Ambit", (_, { connect, finish }) => {
  it("connects by what its user allows, and calls what that covers under one envelope, over however many connections", async () => {
    await using world = await createAccessWorld();
    const application = applicationOf();
    await expect(connect(world, application)).rejects.toThrow("Unauthorized");
    const answer = await consent(new Browser("user_1"), application.kept["url"] as URL);
    expect(Object.fromEntries(answer.url.searchParams)).toMatchObject({ state: "state-1", iss: world.issuer });
    await finish(world, application, answer.url);

    for (let connection = 0; connection < 3; connection++) {
      const client = await connect(world, application);
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(["contracts_read"]);
      const result = await client.callTool({ name: "contracts_read", arguments: { customer_id: "c1" } });
      expect((result.structuredContent as { records: unknown[] }).records).toHaveLength(2);
      const refused = await client.callTool({ name: "echo", arguments: { text: "x" } });
      expect(JSON.stringify(refused)).toContain("tool_not_allowed");
      await client.close();
    }
    // The first one is that of the world itself.
    expect(world.begun()).toEqual(["app", expect.stringContaining("oidc http://127.0.0.1:")]);
    expect(world.crm.reached).toHaveLength(3);
  });

  it("goes on after its access token has expired, with the same task", async () => {
    await using world = await createAccessWorld();
    const application = applicationOf();
    await expect(connect(world, application)).rejects.toThrow("Unauthorized");
    await finish(world, application, (await consent(new Browser("user_1"), application.kept["url"] as URL)).url);
    const first = (application.kept["tokens"] as { access_token: string }).access_token;
    world.advance(6 * 60_000);
    const client = await connect(world, application);
    expect((await client.listTools()).tools).toHaveLength(1);
    expect((application.kept["tokens"] as { access_token: string }).access_token).not.toBe(first);
    expect(world.begun()).toHaveLength(2);
    await client.close();
  });
});

it("what the user denies is told to the client", async () => {
  await using world = await createAccessWorld();
  const application = applicationOf();
  expect(await statelessAuth(application as never, { serverUrl: world.resource })).toBe("REDIRECT");
  const { searchParams } = (await consent(new Browser("user_1"), application.kept["url"] as URL, [["answer", "deny"]])).url;
  expect(searchParams.get("error")).toBe("access_denied");
  const other = (await consent(new Browser("user_3"), application.kept["url"] as URL, ALLOW)).url.searchParams;
  // The decision point signs for one tenant alone.
  expect([other.get("error"), other.get("error_description")]).toEqual(["access_denied", "tenant_mismatch"]);
  expect(world.begun()).toEqual(["app"]);
});
