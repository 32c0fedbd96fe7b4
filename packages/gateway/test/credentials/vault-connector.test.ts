import { inspect } from "node:util";
import type { AmbitError } from "@ambit/core";
import { vaultConnector, type Action, type Connector, type Injection } from "@ambit/gateway/credentials";
import { describe, expect, it } from "vitest";
import { action } from "../support/action.ts";
import { observedClient, waysFound } from "../support/observed-client.ts";
import { bytes, vaultFolder } from "../support/vault-folder.ts";
import { createWorld } from "../support/world.ts";

const CANARY = "canary-7d0e?41b&9c2=fa%63";
const NOBODY = new AbortController().signal;
const obtained = async (connector: Connector, of: Action | undefined) => connector.obtain(of, NOBODY);
const codeOf = async (connector: Connector, of: Action | undefined) =>
  obtained(connector, of).then(
    () => "obtained",
    (error: AmbitError) => error.code,
  );

const PLACES: readonly (readonly [string, Injection, (request: Request) => boolean])[] = [
  ["a header", { header: "X-Api-Key" }, ({ headers }) => headers.get("x-api-key") === CANARY],
  ["a header with a prefix", { header: "Authorization", prefix: "Bearer " }, ({ headers }) => headers.get("authorization") === `Bearer ${CANARY}`],
  ["a parameter of the address", { query: "api_key" }, ({ url }) => new URL(url).searchParams.getAll("api_key").join() === CANARY],
  ["the password of Basic", { basic: { user: "svc" } }, ({ headers }) => headers.get("authorization") === `Basic ${btoa(`svc:${CANARY}`)}`],
  ["the user of Basic", { basic: { password: "" } }, ({ headers }) => headers.get("authorization") === `Basic ${btoa(`${CANARY}:`)}`],
];

describe("an API key of the vault", () => {
  it.each(PLACES)("goes along as %s, is told of on the record, and comes back nowhere", async (_, inject, crmAdmits) => {
    await using folder = await vaultFolder();
    const vault = folder.open();
    await vault.set({ tenant: "tenant_1", connector: "crm", id: "api_key" }, bytes(CANARY));
    const connector = vaultConnector({ vault, name: "crm", inject, setUp: "tenant_1" });
    await using world = await createWorld({ connector, crmAdmits });
    await using client = await observedClient(world);
    const { text } = await client.call("echo", { text: "hello" });
    expect(text).toContain("hello");
    expect(text).toContain("[redacted]");
    expect(world.crm.reached).toEqual([["echo", "hello"]]);
    expect(world.crm.refused).toEqual([]);
    expect(world.outcomes()).toEqual(["done"]);
    expect(world.credentials()).toEqual([{ connector: "crm", over_privileged: "an API key allows the same for every action" }]);
    expect(waysFound(CANARY, client.seen())).toEqual([]);
    expect(waysFound(CANARY, world.record())).toEqual([]);
  });

  it("of another tenant is never used: without one of its own the action does not run, and the record says so", async () => {
    await using folder = await vaultFolder();
    const vault = folder.open();
    await vault.set({ tenant: "tenant_2", connector: "crm", id: "api_key" }, bytes(CANARY));
    const connector = vaultConnector({ vault, name: "crm", inject: { header: "x-api-key" }, setUp: "tenant_2" });
    await using world = await createWorld({ connector, crmAdmits: ({ headers }) => headers.get("x-api-key") === CANARY });
    await using client = await observedClient(world);
    expect(await client.call("echo", { text: "hello" })).toEqual({ code: "credential_unavailable" });
    expect(world.crm.reached).toEqual([]);
    expect(world.outcomes()).toEqual(["not_run"]);
    expect(world.credentials()).toEqual([undefined]);
    expect(waysFound(CANARY, client.seen() + world.record())).toEqual([]);
  });

  it("is the one of the tenant of each action", async () => {
    await using folder = await vaultFolder();
    const vault = folder.open();
    for (const tenant of ["tenant_1", "tenant_2"]) await vault.set({ tenant, connector: "crm", id: "api_key" }, bytes(`key-of-${tenant}`));
    const connector = vaultConnector({ vault, name: "crm", inject: { header: "x-api-key" } });
    const keys = await Promise.all(
      ["tenant_1", "tenant_2", "tenant_1"].map(async (tenantId) => (await obtained(connector, action({ tenantId }))).headers?.["x-api-key"]),
    );
    expect(keys).toEqual(["key-of-tenant_1", "key-of-tenant_2", "key-of-tenant_1"]);
    expect(await codeOf(connector, action({ tenantId: "tenant_3" }))).toBe("credential_unavailable");
  });

  it("does not go along outside of an action, unless a tenant is named for that", async () => {
    await using folder = await vaultFolder();
    const vault = folder.open();
    await vault.set({ tenant: "tenant_1", connector: "crm", id: "api_key" }, bytes(CANARY));
    const options = { vault, name: "crm", inject: { header: "x-api-key" } };
    expect((await obtained(vaultConnector(options), undefined)).headers).toBeUndefined();
    expect((await obtained(vaultConnector({ ...options, setUp: "tenant_1" }), undefined)).headers).toEqual({ "x-api-key": CANARY });
  });

  it("is zeros once it is disposed of, and shows in no log of its credential", async () => {
    await using folder = await vaultFolder();
    const vault = folder.open();
    await vault.set({ tenant: "tenant_1", connector: "crm", id: "api_key" }, bytes(CANARY));
    const credential = await obtained(vaultConnector({ vault, name: "crm", inject: { header: "x-api-key" } }), action({}));
    expect(waysFound(CANARY, inspect(credential, { depth: 9 }) + JSON.stringify(credential) + JSON.stringify({ ...credential }))).toEqual([]);
    const [secret] = credential.secrets;
    expect(Buffer.from(secret ?? []).toString()).toBe(CANARY);
    await credential[Symbol.asyncDispose]();
    expect(secret?.every((byte) => byte === 0)).toBe(true);
  });

  it.each([
    ["a line break", "abcdefgh\r\nx-evil: 1"],
    ["an obscure character", "abcdefghé"],
    ["no text at all", Buffer.from([0xff, 0xfe, 1, 2, 3, 4, 5, 6, 7])],
  ])("with %s in it is no header, and says nothing of itself", async (_, value) => {
    await using folder = await vaultFolder();
    const vault = folder.open();
    await vault.set({ tenant: "tenant_1", connector: "crm", id: "api_key" }, Buffer.from(value));
    const error = await obtained(vaultConnector({ vault, name: "crm", inject: { header: "x-api-key" } }), action({})).catch((thrown: unknown) => thrown);
    expect((error as AmbitError).code).toBe("credential_unavailable");
    expect(inspect(error, { depth: 9 })).not.toContain("abcdefgh");
  });

  it("that is too short to be told from other text is not used, and the outcome is on the record", async () => {
    await using folder = await vaultFolder();
    const vault = folder.open();
    await vault.set({ tenant: "tenant_1", connector: "crm", id: "api_key" }, bytes("short"));
    const connector = vaultConnector({ vault, name: "crm", inject: { header: "x-api-key" } });
    await using world = await createWorld({ connector, crmAdmits: () => true });
    await using client = await observedClient(world);
    expect(await client.call("echo", { text: "hello" })).toEqual({ code: "credential_unavailable" });
    expect(world.outcomes()).toEqual(["not_run"]);
  });

  it.each<Injection>([
    { header: "host" },
    { header: "mcp-session-id" },
    { header: "dpop" },
    { header: "x y" },
    { header: "x\r\ny" },
    { header: "x", prefix: "a\nb" },
    { query: "" },
    { query: "a&b" },
    { query: "a=b" },
    { basic: { user: "a:b" } },
    { basic: { user: "a\nb" } },
  ])("cannot be put where no credential belongs: %j", async (inject) => {
    await using folder = await vaultFolder();
    const make = (): Connector => vaultConnector({ vault: folder.open(), name: "crm", inject });
    expect(make).toThrow(expect.objectContaining({ code: "option_invalid" }) as Error);
  });
});
