import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ALLOW, ask, connected, consent, createAccessWorld, post, redeeming, REDIRECT, register, statusOf } from "../support/access-world.ts";
import { Browser } from "../support/browser.ts";

const INVALID_GRANT = { status: 400, error: "invalid_grant" };

describe("a code", () => {
  const codeOf = async (world: Awaited<ReturnType<typeof createAccessWorld>>) => {
    const clientId = await register(world);
    const { url, verifier } = ask(world, clientId);
    const code = (await consent(new Browser("user_1"), url)).url.searchParams.get("code") ?? "";
    return { clientId, code, verifier };
  };

  it("is good for one attempt, with everything right", async () => {
    await using world = await createAccessWorld();
    const other = await register(world);
    const wrong = [{ code_verifier: "x".repeat(43) }, { redirect_uri: "http://127.0.0.1:33419/callback" }, { redirect_uri: undefined }, { client_id: other }];
    for (const change of wrong) {
      const { clientId, code, verifier } = await codeOf(world);
      expect(await post(world, "/oauth/token", { ...redeeming(clientId, code, verifier), ...change })).toEqual(INVALID_GRANT);
      expect(await post(world, "/oauth/token", redeeming(clientId, code, verifier))).toEqual(INVALID_GRANT);
    }
    expect(world.ended()).toBe(wrong.length);
  });

  it("that is used a second time ends what the first use gave", async () => {
    await using world = await createAccessWorld();
    const { clientId, code, verifier, accessToken, refreshToken } = await connected(world);
    expect(await statusOf(world, accessToken)).toBe(200);
    expect(await post(world, "/oauth/token", redeeming(clientId, code, verifier))).toEqual(INVALID_GRANT);
    expect(await statusOf(world, accessToken)).toBe(401);
    expect(await post(world, "/oauth/token", { grant_type: "refresh_token", client_id: clientId, refresh_token: refreshToken })).toEqual(INVALID_GRANT);
    expect(world.ended()).toBe(1);
  });

  it("of two who redeem it at the same time leaves nothing good", async () => {
    await using world = await createAccessWorld();
    const { clientId, code, verifier } = await codeOf(world);
    const told = await Promise.all([1, 2].map(() => post(world, "/oauth/token", redeeming(clientId, code, verifier))));
    expect(told.filter(({ status }) => status === 200).length).toBeLessThan(2);
    for (const { access_token } of told) expect(await statusOf(world, access_token)).toBe(401);
  });

  it("runs out after a minute", async () => {
    await using world = await createAccessWorld();
    const { clientId, code, verifier } = await codeOf(world);
    world.advance(60_000);
    expect(await post(world, "/oauth/token", redeeming(clientId, code, verifier))).toEqual(INVALID_GRANT);
  });

  it("is not taken without PKCE, for another resource, by another way or as another kind, and stays good", async () => {
    await using world = await createAccessWorld();
    const { clientId, code, verifier } = await codeOf(world);
    const right = redeeming(clientId, code, verifier);
    expect(await post(world, "/oauth/token", { ...right, code_verifier: undefined })).toMatchObject({ status: 400, error: "invalid_request" });
    expect(await post(world, "/oauth/token", { ...right, resource: `${world.issuer}/other` })).toMatchObject({ status: 400, error: "invalid_target" });
    expect(await post(world, "/oauth/token", { ...right, grant_type: "password" })).toMatchObject({ status: 400, error: "unsupported_grant_type" });
    expect(await post(world, "/oauth/token", { ...right, grant_type: undefined })).toMatchObject({ status: 400, error: "invalid_request" });
    expect(await post(world, "/oauth/token", { grant_type: "refresh_token", client_id: clientId, refresh_token: code })).toEqual(INVALID_GRANT);
    expect(await statusOf(world, code)).toBe(401);
    const json = await fetch(`${world.issuer}/oauth/token`, { method: "POST", body: JSON.stringify(right), headers: { "content-type": "application/json" } });
    expect(json.status).toBe(400);
    const twice = new URLSearchParams([...Object.entries(right), ["code", code]]);
    expect((await fetch(`${world.issuer}/oauth/token`, { method: "POST", body: twice })).status).toBe(400);
    expect(await post(world, "/oauth/token", { ...right, resource: world.resource })).toMatchObject({ status: 200, token_type: "Bearer", scope: "mcp" });
  });
});

describe("a refresh token", () => {
  it("is good once; shown again by a thief or its owner, it ends the grant for both", async () => {
    await using world = await createAccessWorld();
    const { clientId, refreshToken } = await connected(world);
    const refresh = { grant_type: "refresh_token", client_id: clientId, refresh_token: refreshToken };
    const thief = await post(world, "/oauth/token", refresh);
    expect(thief.status).toBe(200);
    expect(await post(world, "/oauth/token", refresh)).toEqual(INVALID_GRANT);
    expect(await statusOf(world, thief.access_token)).toBe(401);
    expect(await post(world, "/oauth/token", { ...refresh, refresh_token: thief.refresh_token })).toEqual(INVALID_GRANT);
    expect(world.ended()).toBe(1);
  });

  it("of one client is nothing to another", async () => {
    await using world = await createAccessWorld();
    const { refreshToken, accessToken } = await connected(world);
    const refresh = { grant_type: "refresh_token", client_id: await register(world), refresh_token: refreshToken };
    expect(await post(world, "/oauth/token", refresh)).toEqual(INVALID_GRANT);
    expect(await statusOf(world, accessToken)).toBe(401);
  });

  it("goes on until the task ends, and no access token is good for longer", async () => {
    await using world = await createAccessWorld();
    const { clientId, refreshToken } = await connected(world);
    world.advance(14 * 60_000);
    const told = (await post(world, "/oauth/token", { grant_type: "refresh_token", client_id: clientId, refresh_token: refreshToken })) as {
      expires_in?: number;
    } & Awaited<ReturnType<typeof post>>;
    expect(told.expires_in).toBeLessThanOrEqual(60);
    world.advance(60_000);
    expect(await statusOf(world, told.access_token)).toBe(401);
    expect(await post(world, "/oauth/token", { grant_type: "refresh_token", client_id: clientId, refresh_token: told.refresh_token })).toEqual(INVALID_GRANT);
  });
});

describe("the resource", () => {
  it("says where tokens come from, and takes none but its own, in the header alone", async () => {
    await using world = await createAccessWorld();
    const { accessToken, refreshToken } = await connected(world);
    const response = await fetch(world.resource, { method: "POST" });
    // The door is before it: what is no message is refused as that.
    expect(response.status).toBe(415);
    const bare = await fetch(world.resource);
    expect(bare.status).toBe(401);
    const metadata = `${world.issuer}/.well-known/oauth-protected-resource/mcp`;
    expect(bare.headers.get("www-authenticate")).toBe(`Bearer resource_metadata="${metadata}"`);
    expect(await (await fetch(metadata)).json()).toMatchObject({
      resource: world.resource,
      authorization_servers: [world.issuer],
      bearer_methods_supported: ["header"],
    });
    expect(await statusOf(world, accessToken)).toBe(200);
    for (const token of [undefined, "x", refreshToken, `${accessToken}x`, "x".repeat(200)]) expect(await statusOf(world, token)).toBe(401);
    expect((await fetch(`${world.resource}?access_token=${accessToken}`)).status).toBe(400);
    const basic = await fetch(world.resource, { headers: { authorization: `Basic ${accessToken}` } });
    expect([basic.status, basic.headers.get("www-authenticate")]).toEqual([401, `Bearer resource_metadata="${metadata}", error="invalid_token"`]);
    world.advance(5 * 60_000);
    expect(await statusOf(world, accessToken)).toBe(401);
  });

  it("takes no token that another gateway gave out, or another authorization server", async () => {
    await using world = await createAccessWorld();
    await using other = await createAccessWorld();
    const { accessToken } = await connected(other);
    expect([await statusOf(other, accessToken), await statusOf(world, accessToken)]).toEqual([200, 401]);
    expect(await statusOf(world, "eyJhbGciOiJub25lIn0.eyJhdWQiOiJodHRwOi8vMTI3LjAuMC4xL21jcCJ9.")).toBe(401);
  });

  it("is shut when it cannot be told whether a token is good", async () => {
    await using world = await createAccessWorld({
      documents: { get: () => Promise.reject(new Error("down")), put: () => Promise.reject(new Error("down")), list: () => Promise.reject(new Error("down")) },
    });
    expect(await statusOf(world, "x")).toBe(503);
    expect(await post(world, "/oauth/token", redeeming("c", "x", "v"))).toEqual({ status: 503, error: "temporarily_unavailable" });
    const { url } = ask(world, await register(world));
    expect(await consent(new Browser("user_1"), url)).toMatchObject({ status: 503 });
    expect(world.begun()).toEqual(["app"]);
  });

  it("never passes the token on", async () => {
    await using world = await createAccessWorld();
    const { accessToken } = await connected(world);
    await statusOf(world, accessToken);
    expect(world.crm.refused).toEqual([]);
  });
});

describe("the authorization endpoint", () => {
  const answered = (url: URL) => new Browser("user_1").visit(url, REDIRECT);

  it("sends nobody anywhere for a client that it does not know, or to an address that is not the client's", async () => {
    await using world = await createAccessWorld();
    const clientId = await register(world);
    const wrong = [
      { client_id: "unknown" },
      { client_id: undefined },
      { client_id: `${clientId}x` },
      { client_id: "http://127.0.0.1/client.json" },
      { redirect_uri: undefined },
      ...["http://127.0.0.1:33418/other", "http://127.0.0.1:33418/callback?x=1", "http://127.0.0.1:33418/callback#x", "http://localhost:33418/callback"].map(
        (redirect_uri) => ({ redirect_uri }),
      ),
      ...[
        "http://127.0.0.1.evil.test/callback",
        "http://user@127.0.0.1:33418/callback",
        "https://127.0.0.1:33418/callback",
        "http://127.0.0.1:33418/x/../callback",
        "javascript:alert(1)",
      ].map((redirect_uri) => ({ redirect_uri })),
    ];
    for (const change of wrong) {
      const response = await fetch(ask(world, clientId, change).url, { redirect: "manual" });
      expect([change, response.status, response.headers.get("location")]).toEqual([change, 400, null]);
    }
    const { url } = ask(world, clientId);
    url.searchParams.append("client_id", clientId);
    expect((await fetch(url, { redirect: "manual" })).status).toBe(400);
  });

  it("tells the client what is wrong with what it asks", async () => {
    await using world = await createAccessWorld();
    const clientId = await register(world);
    const errorOf = async (change: Record<string, string | undefined>) => {
      const { searchParams } = (await answered(ask(world, clientId, change).url)).url;
      expect([searchParams.get("iss"), searchParams.get("state")]).toEqual([world.issuer, "s"]);
      return searchParams.get("error");
    };
    expect(await errorOf({ response_type: "token" })).toBe("unsupported_response_type");
    expect(await errorOf({ code_challenge: undefined })).toBe("invalid_request");
    expect(await errorOf({ code_challenge_method: "plain" })).toBe("invalid_request");
    expect(await errorOf({ code_challenge_method: undefined })).toBe("invalid_request");
    expect(await errorOf({ resource: `${world.resource}/` })).toBe("invalid_target");
    expect(await errorOf({ resource: world.issuer })).toBe("invalid_target");
    expect(await errorOf({ request: "x" })).toBe("request_not_supported");
  });

  it("answers an app of this machine at any port", async () => {
    await using world = await createAccessWorld();
    const clientId = await register(world);
    const redirect = "http://127.0.0.1:50001/callback";
    const page = await new Browser("user_1").visit(ask(world, clientId, { redirect_uri: redirect }).url, redirect);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).toContain("form-action 'self' http://127.0.0.1:50001;");
  });
});

describe("the consent page", () => {
  it("cannot be framed, runs no scripts, and shows names as text", async () => {
    await using world = await createAccessWorld();
    const body = JSON.stringify({ client_name: `<script>alert("1")</script>`, redirect_uris: [REDIRECT] });
    const { client_id } = (await (await fetch(`${world.issuer}/oauth/register`, { method: "POST", body })).json()) as { client_id: string };
    const page = await new Browser("user_1").visit(ask(world, client_id).url, REDIRECT);
    expect(page.text).not.toContain("<script");
    expect(page.text).toContain("&#60;script&#62;");
    expect(page.text).toContain("Name of user_1");
    const policy = page.headers.get("content-security-policy") ?? "";
    for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"]) expect(policy).toContain(part);
    expect(policy).not.toContain("script-src");
    const [, style = ""] = /<style>(.*?)<\/style>/s.exec(page.text) ?? [];
    expect(policy).toContain(`'sha256-${createHash("sha256").update(style).digest("base64")}'`);
    expect(page.headers.get("x-frame-options")).toBe("DENY");
  });

  it("is answered from itself alone, in the browser that it was shown in, once, with what was offered", async () => {
    await using world = await createAccessWorld();
    const clientId = await register(world);
    const browser = new Browser("user_1");
    const page = await browser.visit(ask(world, clientId).url, REDIRECT);
    const statusWith = async (fields: readonly (readonly [string, string])[], from = browser, headers?: Record<string, string>) =>
      (await from.answer(page, "/oauth/consent", fields, REDIRECT, headers)).status;
    expect(await statusWith(ALLOW, browser, { origin: "https://evil.test" })).toBe(403);
    expect(await statusWith(ALLOW, browser, { origin: "null" })).toBe(403);
    expect(await statusWith(ALLOW, browser, {})).toBe(403);
    // Somebody else's browser, where they have a question of their own open.
    const other = new Browser("user_2");
    await other.visit(ask(world, clientId).url, REDIRECT);
    expect(await statusWith(ALLOW, other)).toBe(403);
    const without = (name: string) => ALLOW.filter(([field]) => field !== name);
    const unoffered = [
      without("tool"),
      without("purpose"),
      without("minutes"),
      [...ALLOW, ["tool", "contracts.delete"]] as const,
      [...ALLOW, ["tool", "contracts.read"]] as const,
      [...ALLOW, ["tool", "constructor"]] as const,
      [...without("purpose"), ["purpose", "other"]] as const,
      [...without("minutes"), ["minutes", "61"]] as const,
      [...ALLOW, ["purpose", "other"]] as const,
    ];
    for (const fields of unoffered) expect(await statusWith(fields)).toBeGreaterThanOrEqual(400);
    expect(world.begun()).toEqual(["app"]);
    const [first, second] = await Promise.all([1, 2].map(() => browser.answer(page, "/oauth/consent", ALLOW, REDIRECT)));
    expect([first?.status, second?.status].toSorted()).toEqual([0, 400]);
    expect(world.begun()).toHaveLength(2);
  });

  it("is shown to nobody who comes back from a sign-in that this browser did not begin", async () => {
    await using world = await createAccessWorld();
    const clientId = await register(world);
    const victim = new Browser("user_2");
    const begun = await fetch(ask(world, clientId).url, { redirect: "manual" });
    const login = new URL(begun.headers.get("location") ?? "");
    const callback = await new Browser("user_1").visit(login, `${world.issuer}/oauth/callback`);
    expect((await victim.visit(callback.url, REDIRECT)).status).toBe(400);
  });
});

it("registration takes no address that an answer could leak to", async () => {
  await using world = await createAccessWorld({ schemes: ["cursor:"] });
  const statusWith = async (redirect_uris: unknown): Promise<number> =>
    (await fetch(`${world.issuer}/oauth/register`, { method: "POST", body: JSON.stringify({ redirect_uris }) })).status;
  const bad = [
    "http://app.example/cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "myapp:/cb",
    "https://a.example/cb#x",
    "https://u:p@a.example/cb",
    "https://a.example/c b",
    "/cb",
    7,
  ];
  for (const uri of bad) expect([uri, await statusWith([uri])]).toEqual([uri, 400]);
  for (const uris of [[], undefined, "https://a.example/cb", ["https://a.example/cb", "http://a.example/cb"]]) expect(await statusWith(uris)).toBe(400);
  for (const uri of ["https://a.example/cb?x=1", "http://localhost:3000/cb", "http://[::1]/cb", "com.example.app:/cb", "cursor://cb"])
    expect([uri, await statusWith([uri])]).toEqual([uri, 201]);
  expect((await fetch(`${world.issuer}/oauth/register`, { method: "POST", body: "{" })).status).toBe(400);
});
