import { inspect } from "node:util";
import { digestOf, type AmbitError } from "@ambit/core";
import { signedJwtConnector, type SignedJwtConnectorOptions } from "@ambit/gateway/credentials";
import { exportPKCS8, generateKeyPair, jwtVerify, type CryptoKey } from "jose";
import { describe, expect, it } from "vitest";
import { action } from "../support/action.ts";
import { observedClient, waysFound } from "../support/observed-client.ts";
import { bytes, vaultFolder } from "../support/vault-folder.ts";
import { createWorld } from "../support/world.ts";

const NOBODY = new AbortController().signal;
const AUDIENCE = "https://crm.example";
const BEYOND = "until it expires, it is good for every call that the end service does not compare with it";

async function setting(more: Partial<SignedJwtConnectorOptions> = {}, pem?: string) {
  const [folder, { privateKey, publicKey }] = [await vaultFolder(), await generateKeyPair("ES256", { extractable: true })];
  const [vault, key] = [folder.open(), await exportPKCS8(privateKey)];
  await vault.set({ tenant: "tenant_1", connector: "crm", id: "signing_key" }, bytes(pem ?? key));
  const options = { vault, name: "crm", algorithm: "ES256", keyId: "k1", issuer: "urn:example:gateway", audience: AUDIENCE, ...more } as const;
  return { key, publicKey, connector: signedJwtConnector(options), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const verify = async (headers: Readonly<Record<string, string>> | undefined, key: CryptoKey, now?: Date) =>
  jwtVerify((headers?.["authorization"] ?? "").replace("Bearer ", ""), key, {
    audience: AUDIENCE,
    issuer: "urn:example:gateway",
    requiredClaims: ["exp", "jti", "sub"],
    ...(now === undefined ? {} : { currentDate: now }),
  });

describe("a JWT signed for one action", () => {
  it("says whom it is for, which decision and which call it is about, and comes back nowhere", async () => {
    await using of = await setting();
    const used: string[] = [];
    const crmAdmits = async (request: Request): Promise<boolean> => {
      const authorization = request.headers.get("authorization");
      // Lists are open to everybody here; what no action is about has no token.
      if (authorization === null) return !(await request.clone().text()).includes("tools/call");
      used.push(authorization.replace("Bearer ", ""));
      const { payload } = await verify({ authorization }, of.publicKey);
      return payload.sub === "user_1";
    };
    await using world = await createWorld({ connector: of.connector, crmAdmits });
    await using client = await observedClient(world);
    const { text } = await client.call("echo", { text: "hello" });
    expect(text).toContain("hello");
    expect(text).toContain("[redacted]");
    expect(world.credentials()).toEqual([{ connector: "crm", over_privileged: BEYOND }]);
    expect(used).toHaveLength(1);
    const everything = client.seen() + world.record();
    for (const secret of [...used, ...used.map((token) => token.split(".")[2] ?? ""), of.key]) expect(waysFound(secret, everything)).toEqual([]);
  });

  it("has the claims of its action, whatever else is configured", async () => {
    await using of = await setting({ claims: () => ({ sub: "root", jti: "mine", exp: 9e9, role: "reader" }), isCompared: true });
    const [now, asked] = [Date.now(), action({ until: Date.now() + 30_000 })];
    await using credential = await of.connector.obtain(asked, NOBODY);
    const { payload, protectedHeader } = await verify(credential.headers, of.publicKey);
    expect(protectedHeader).toEqual({ alg: "ES256", typ: "JWT", kid: "k1" });
    expect(payload).toMatchObject({
      sub: "user_1",
      act: { sub: "reviewer" },
      tenant: "tenant_1",
      jti: "decision_1",
      role: "reader",
      action: { server: "crm", tool: "contracts_read", arguments_digest: digestOf({ customer_id: "c1" }) },
    });
    expect(payload.exp).toBe(Math.floor(asked.until / 1000));
    expect(payload.exp).toBeLessThanOrEqual((now + 30_000) / 1000);
    expect(credential.overPrivileged).toBeUndefined();
  });

  it("is good for no longer than a minute, and for none when the action must not begin any more", async () => {
    const now = 1_800_000_000_000;
    await using of = await setting({ now: () => now });
    await using credential = await of.connector.obtain(action({ until: now + 3_600_000 }), NOBODY);
    expect((await verify(credential.headers, of.publicKey, new Date(now))).payload.exp).toBe(now / 1000 + 60);
    for (const until of [now, now - 1, now + 999, Number.NaN]) {
      const code = await of.connector.obtain(action({ until }), NOBODY).catch((error: AmbitError) => error.code);
      expect(code).toBe("credential_unavailable");
    }
  });

  it("is signed with the key of the action's tenant alone, and there is none without", async () => {
    await using of = await setting();
    const code = await of.connector.obtain(action({ tenantId: "tenant_2" }), NOBODY).catch((error: AmbitError) => error.code);
    expect(code).toBe("credential_unavailable");
    expect((await of.connector.obtain(undefined, NOBODY)).headers).toBeUndefined();
  });

  it("is none when the key is none, and the error repeats nothing of it", async () => {
    const canary = "-----BEGIN PRIVATE KEY-----\ncanary55aa66bb77cc\n-----END PRIVATE KEY-----";
    await using of = await setting({}, canary);
    const error: unknown = await of.connector.obtain(action({}), NOBODY).catch((thrown: unknown) => thrown);
    expect((error as AmbitError).code).toBe("credential_unavailable");
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("canary55aa");
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity, 3601])("is not made to last for %s seconds", async (lifetime) => {
    await expect(setting({ lifetime })).rejects.toMatchObject({ code: "option_invalid" });
  });
});
