import { inspect } from "node:util";
import type { AmbitError } from "@ambit/core";
import { oauthConnector, type Action, type ClientAuthentication, type OauthConnectorOptions } from "@ambit/gateway/credentials";
import { describe, expect, it } from "vitest";
import { action } from "../support/action.ts";
import { CLIENT_SECRET, RESOURCE, startAuthorizationServer, type AuthorizationServerChoices } from "../support/authorization-server.ts";
import { observedClient, waysFound } from "../support/observed-client.ts";
import { bytes, vaultFolder } from "../support/vault-folder.ts";
import { createWorld } from "../support/world.ts";

const EVERY_CALL = "the token is good for every call within its scopes";
const NOBODY = new AbortController().signal;
const tokenOf = (headers: Readonly<Record<string, string>> | undefined): string => (headers?.["authorization"] ?? "").replace("Bearer ", "");

/** A connector to a real authorization server. */
async function setting(choices: AuthorizationServerChoices = {}, more: Partial<OauthConnectorOptions> = {}, secret?: string) {
  const server = await startAuthorizationServer(choices);
  const folder = await vaultFolder();
  const vault = folder.open();
  const isKey = typeof more.authentication === "object";
  await vault.set({ tenant: "tenant_1", connector: "crm", id: "client" }, bytes(secret ?? (isKey ? server.clientKey : CLIENT_SECRET)));
  const connector = oauthConnector({
    vault,
    name: "crm",
    issuer: server.origin,
    allowPrivate: ["127.0.0.1"],
    clientId: "gateway",
    scopes: { contracts_read: ["contracts:read"], echo: ["echo"] },
    resource: RESOURCE,
    setUp: { tenant: "tenant_1", scopes: ["lists"] },
    ...more,
  });
  return {
    server,
    vault,
    connector,
    tokensAsked: () => server.asked.filter((path) => path === "/token").length,
    obtain: (of: Partial<Action> = {}) => connector.obtain(action(of), NOBODY),
    codeOf: async (of: Partial<Action> = {}) =>
      connector.obtain(action(of), NOBODY).then(
        () => "obtained",
        (error: AmbitError) => error.code,
      ),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const CLIENTS: readonly (readonly [string, string, ClientAuthentication])[] = [
  ["a secret in the header", "gateway", "client_secret_basic"],
  ["a secret in the body", "gateway-post", "client_secret_post"],
  ["a signature with its key", "gateway-key", { kind: "private_key_jwt", algorithm: "ES256", keyId: "client" }],
];

describe("a token for one action", () => {
  it.each(CLIENTS)(
    "is asked for with %s, has the scopes of its tool alone, is revoked after the outcome, and comes back nowhere",
    async (_, clientId, authentication) => {
      await using of = await setting({}, { clientId, authentication });
      const used: [string, Readonly<Record<string, unknown>>][] = [];
      const crmAdmits = async ({ headers }: Request): Promise<boolean> => {
        const token = tokenOf({ authorization: headers.get("authorization") ?? "" });
        const told = await of.server.introspect(token);
        used.push([token, told]);
        return told["active"] === true && told["aud"] === RESOURCE;
      };
      await using world = await createWorld({ connector: of.connector, crmAdmits });
      await using client = await observedClient(world);
      const { text } = await client.call("echo", { text: "hello" });
      expect(text).toContain("hello");
      expect(text).toContain("[redacted]");
      const [token = "", told] = used.at(-1) ?? [];
      expect(told).toMatchObject({ active: true, scope: "echo", aud: RESOURCE, client_id: clientId });
      expect(new Set(used.slice(0, -1).map(([, { scope }]) => scope))).toEqual(new Set(["lists"]));
      expect(await of.server.introspect(token)).toEqual({ active: false });
      expect(world.outcomes()).toEqual(["done"]);
      expect(world.credentials()).toEqual([{ connector: "crm", over_privileged: EVERY_CALL }]);
      const everything = client.seen() + world.record();
      for (const secret of [CLIENT_SECRET, of.server.clientKey, ...used.map(([each]) => each)]) expect(waysFound(secret, everything)).toEqual([]);
    },
  );

  it("is exchanged for the delegator's, so that the end service knows whom it is for", async () => {
    const known: { subject?: (sub: string) => Promise<{ token: string; type: string }> } = {};
    await using of = await setting({}, { subject: async ({ delegatorId }) => known.subject?.(delegatorId) ?? Promise.reject(new Error("too early")) });
    known.subject = of.server.subjectToken;
    const credential = await of.obtain();
    const token = tokenOf(credential.headers);
    expect(await of.server.introspect(token)).toMatchObject({ active: true, sub: "user_1", scope: "contracts:read", aud: RESOURCE });
    // The delegator's own must not come back either.
    expect(credential.secrets).toHaveLength(2);
    await credential[Symbol.asyncDispose]();
    expect(await of.server.introspect(token)).toEqual({ active: false });
  });

  it("is none for a delegator whom the authorization server does not believe", async () => {
    await using of = await setting({}, { subject: async () => ({ token: "forged.subject.token", type: "urn:ietf:params:oauth:token-type:jwt" }) });
    expect(await of.codeOf()).toBe("credential_unavailable");
    expect(of.tokensAsked()).toBe(1);
  });

  it("allows nothing else where the authorization server binds it to the action", async () => {
    await using of = await setting({}, { details: ({ tool, arguments: args }) => [{ type: "action", actions: [tool], arguments: args }] });
    await using credential = await of.obtain();
    expect(credential.overPrivileged).toBeUndefined();
    expect(await of.server.introspect(tokenOf(credential.headers))).toMatchObject({
      authorization_details: [{ type: "action", actions: ["contracts_read"], arguments: { customer_id: "c1" } }],
    });
  });

  it("is told of as one that outlives its action where nothing can revoke it, and as a wider one where it has more scopes than were asked for", async () => {
    const known: { subject?: (sub: string) => Promise<{ token: string; type: string }> } = {};
    await using of = await setting(
      { canRevoke: false, always: "contracts:delete" },
      { subject: async ({ delegatorId }) => known.subject?.(delegatorId) ?? Promise.reject() },
    );
    known.subject = of.server.subjectToken;
    await using credential = await of.obtain();
    expect(credential.overPrivileged).toBe(`${EVERY_CALL}; it has scopes that were not asked for; it outlives the action`);
  });

  it.each(["contracts_delete", "__proto__", "constructor", "toString", ""])("is not asked for where no scopes are configured: %j", async (tool) => {
    await using of = await setting();
    expect(await of.codeOf({ tool })).toBe("credential_unavailable");
    expect(of.server.asked).toEqual([]);
  });

  it("is not asked for with the secret of another tenant", async () => {
    await using of = await setting();
    expect(await of.codeOf({ tenantId: "tenant_2" })).toBe("credential_unavailable");
    expect(of.tokensAsked()).toBe(0);
  });

  it("is none when the action must not begin any more", async () => {
    await using of = await setting();
    expect(await of.codeOf({ until: Date.now() - 1 })).toBe("credential_unavailable");
    expect(of.tokensAsked()).toBe(0);
  });

  it.each([
    ["the secret is wrong", {}, "canary-wrong-99aa88bb77cc"],
    ["the resource is not known", { resource: "https://other.example/" }, undefined],
    ["the client is not known", { clientId: "somebody" }, undefined],
    ["the key is none", { clientId: "gateway-key", authentication: { kind: "private_key_jwt", algorithm: "ES256" } as const }, "canary-no-key-99aa88bb"],
  ])("is none when %s, and the error repeats nothing", async (_, more, secret) => {
    await using of = await setting({}, more, secret);
    const error: unknown = await of.obtain().catch((thrown: unknown) => thrown);
    expect((error as AmbitError).code).toBe("credential_unavailable");
    expect(waysFound(secret ?? CLIENT_SECRET, inspect(error, { depth: 9, showHidden: true }))).toEqual([]);
  });

  it("is had from one that describes itself as OpenID Connect has it", async () => {
    await using of = await setting({}, { metadata: "openid" });
    await using credential = await of.obtain();
    expect(tokenOf(credential.headers)).not.toBe("");
    expect(of.server.asked[0]).toBe("/.well-known/openid-configuration");
  });

  it("is none when the authorization server is away", async () => {
    await using of = await setting();
    await using credential = await of.obtain();
    await of.server[Symbol.asyncDispose]();
    expect(await of.codeOf()).toBe("credential_unavailable");
    // What cannot be revoked stays what it is, and nobody hears of it.
    await credential[Symbol.asyncDispose]();
  });
});

describe("the token for what no action is about", () => {
  it("is asked for once, however many wait for it, and the metadata too", async () => {
    await using of = await setting();
    const all = await Promise.all(Array.from({ length: 20 }, () => of.connector.obtain(undefined, NOBODY)));
    expect(new Set(all.map(({ headers }) => tokenOf(headers))).size).toBe(1);
    expect(of.tokensAsked()).toBe(1);
    expect(of.server.asked.filter((path) => path.startsWith("/.well-known/"))).toHaveLength(1);
  });

  it("is asked for anew when it is old", async () => {
    let now = Date.now();
    await using of = await setting({}, { now: () => now });
    const [first, again] = [await of.connector.obtain(undefined, NOBODY), await of.connector.obtain(undefined, NOBODY)];
    now += 300_000;
    const later = await of.connector.obtain(undefined, NOBODY);
    expect(tokenOf(again.headers)).toBe(tokenOf(first.headers));
    expect(tokenOf(later.headers)).not.toBe(tokenOf(first.headers));
  });

  it("is asked for again after there was none", async () => {
    await using of = await setting({}, { setUp: { tenant: "tenant_2", scopes: ["lists"] } });
    const codeOf = () =>
      of.connector.obtain(undefined, NOBODY).then(
        () => "obtained",
        (error: AmbitError) => error.code,
      );
    expect(await codeOf()).toBe("credential_unavailable");
    await of.vault.set({ tenant: "tenant_2", connector: "crm", id: "client" }, bytes(CLIENT_SECRET));
    expect(await codeOf()).toBe("obtained");
  });

  it("is none where nobody is named for it", async () => {
    await using of = await setting({}, { setUp: undefined });
    expect((await of.connector.obtain(undefined, NOBODY)).headers).toBeUndefined();
    expect(of.server.asked).toEqual([]);
  });
});

it.each([{ issuer: "crm" }, { resource: "crm" }, { resource: "https://crm.example/#part" }, { origins: ["https://as.example/path"] }])(
  "%j is refused",
  async (more) => {
    await using folder = await vaultFolder();
    const make = (): unknown => oauthConnector({ vault: folder.open(), name: "crm", issuer: "https://as.example", clientId: "gateway", scopes: {}, ...more });
    expect(make).toThrow(expect.objectContaining({ code: "option_invalid" }) as Error);
  },
);
