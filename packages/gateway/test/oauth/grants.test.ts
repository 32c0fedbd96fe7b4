import { createPep } from "@ambit/core";
import { expect, it, vi } from "vitest";
import { createClientAccess } from "../../src/index.ts";
import { createMemoryDocuments } from "../../src/oauth/memory-documents.ts";
import { ask, connected, consent, createAccessWorld, post, redeeming, REDIRECT, register, statusOf } from "../support/access-world.ts";
import { Browser } from "../support/browser.ts";
import { selfSigned } from "../support/certificate.ts";
import { codeOf } from "../support/outcome.ts";
import { serveTls } from "../support/servers.ts";

it("two users, and two consents of one, share nothing", async () => {
  await using world = await createAccessWorld();
  const [one, again, other] = [await connected(world), await connected(world), await connected(world, "user_2")];
  const requests = [one, again, other].map(({ accessToken }) => new Request(world.resource, { headers: { authorization: `Bearer ${accessToken}` } }));
  const letIn = await Promise.all(requests.map((request) => world.access.authenticate(request)));
  const tasks = letIn.map((client) => (client === undefined || client instanceof Response ? undefined : client.task));
  expect(new Set(letIn.map((client) => (client as { id?: string } | undefined)?.id)).size).toBe(3);
  expect(new Set(tasks.map((task) => task?.lineage)).size).toBe(3);
  expect(tasks.map((task) => task?.envelope.delegatorId)).toEqual(["user_1", "user_1", "user_2"]);
  expect(world.begun()).toHaveLength(4);

  // A session of one is none of the other's.
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  const begun = await fetch(world.resource, { method: "POST", body, headers: { ...headers, authorization: `Bearer ${one.accessToken}` } });
  await begun.body?.cancel();
  const session = begun.headers.get("mcp-session-id") ?? "";
  const list = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list" });
  const listed = await fetch(world.resource, {
    method: "POST",
    body: list,
    headers: { ...headers, authorization: `Bearer ${other.accessToken}`, "mcp-session-id": session },
  });
  expect(listed.status).toBe(404);
});

it("revocation of either token by its client ends the task, and by another client nothing", async () => {
  await using world = await createAccessWorld();
  for (const [index, kind] of (["accessToken", "refreshToken"] as const).entries()) {
    const client = await connected(world);
    expect(await post(world, "/oauth/revoke", { token: client[kind], client_id: "other" })).toEqual({ status: 401, error: "invalid_client" });
    expect(await post(world, "/oauth/revoke", { token: client[kind] })).toEqual({ status: 400, error: "invalid_request" });
    expect(await statusOf(world, client.accessToken)).toBe(200);
    expect(await post(world, "/oauth/revoke", { token: client[kind], client_id: client.clientId })).toEqual({ status: 200 });
    expect(await statusOf(world, client.accessToken)).toBe(401);
    expect(await post(world, "/oauth/revoke", { token: client[kind], client_id: client.clientId })).toEqual({ status: 200 });
    expect(world.ended()).toBe(index + 1);
  }
  expect(await post(world, "/oauth/revoke", { token: "unknown", client_id: "any" })).toEqual({ status: 200 });
});

it("a user sees the own connections, and ends them", async () => {
  await using world = await createAccessWorld();
  const [one, other] = [await connected(world), await connected(world, "user_2")];
  const [browser, stranger] = [new Browser("user_1"), new Browser("user_2")];
  const page = await browser.visit(`${world.issuer}/oauth/connections`, REDIRECT);
  expect(page.text.match(/Disconnect/g)).toHaveLength(1);
  const [, grant = ""] = /name="grant"\s+value="([^"]+)"/.exec(page.text) ?? [];
  expect((await browser.answer(page, "/oauth/connections", [["grant", grant]], REDIRECT, { origin: "https://evil.test" })).status).toBe(403);
  expect((await stranger.answer(page, "/oauth/connections", [["grant", grant]], REDIRECT)).status).toBe(403);
  const theirs = await stranger.visit(`${world.issuer}/oauth/connections`, REDIRECT);
  expect((await stranger.answer(theirs, "/oauth/connections", [["grant", grant]], REDIRECT)).status).toBe(200);
  expect(await statusOf(world, one.accessToken)).toBe(200);
  expect((await browser.answer(page, "/oauth/connections", [["grant", grant]], REDIRECT)).text).toContain("There are none.");
  expect([await statusOf(world, one.accessToken), await statusOf(world, other.accessToken)]).toEqual([401, 200]);
  expect(world.ended()).toBe(1);
});

it("another replica goes on with a grant, and what one of them ends is ended at both", async () => {
  await using world = await createAccessWorld({ documents: createMemoryDocuments(Date.now) });
  const { accessToken, clientId } = await connected(world);
  const pep = createPep({ pdp: world.pdp, agent: "reviewer", keys: new Map([["reviewer", world.key]]), deadline: 5000 });
  await using replica = createClientAccess({ ...world.options, pep });
  const authorization = `Bearer ${accessToken}`;
  const request = (): Request => new Request(world.resource, { headers: { authorization } });
  const letIn = await replica.authenticate(request());
  if (letIn === undefined || letIn instanceof Response) throw new Error("it is not let in");
  expect(letIn.task.envelope.delegatorId).toBe("user_1");
  expect(world.begun()).toHaveLength(2);
  const headers = { host: new URL(world.issuer).host };
  const body = new URLSearchParams({ token: accessToken, client_id: clientId });
  expect((await replica.fetch(new Request(`${world.issuer}/oauth/revoke`, { method: "POST", body, headers })))?.status).toBe(200);
  expect([await statusOf(world, accessToken), ((await replica.authenticate(request())) as Response).status]).toEqual([401, 401]);
  expect(world.ended()).toBe(1);
});

it("keeps nothing that a token could be read from", async () => {
  const documents = createMemoryDocuments(Date.now);
  const written: unknown[] = [];
  const put: typeof documents.put = (...args) => (written.push(args), documents.put(...args));
  await using world = await createAccessWorld({ documents: { ...documents, put } });
  const { accessToken, refreshToken, code, verifier } = await connected(world);
  const text = JSON.stringify(written);
  for (const secret of [accessToken, refreshToken, code, verifier]) expect(text).not.toContain(secret);
});

it("answers requests to other paths as ones that show an envelope, and for no other host", async () => {
  await using world = await createAccessWorld();
  expect(await world.access.authenticate(new Request(`${world.issuer}/agents`))).toBeUndefined();
  const headers = { host: "evil.test" };
  expect(await world.access.fetch(new Request(`${world.issuer}/oauth/connections`, { headers }))).toBeUndefined();
  const allowed = await fetch(`${world.issuer}/oauth/token`, { method: "OPTIONS", headers: { origin: "http://localhost:6274" } });
  expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([204, "*"]);
  expect((await fetch(`${world.issuer}/oauth/token`)).status).toBe(405);
  // A page of anybody's may not ask with the cookies of a user.
  expect((await fetch(`${world.issuer}/oauth/consent`, { method: "OPTIONS" })).headers.get("access-control-allow-origin")).toBeNull();
});

const pem = selfSigned("client.example");

it.skipIf(pem === undefined)("a client is known by the address of its metadata, if that is what it says", async () => {
  const documents: Record<string, object> = {};
  const text: Record<string, string> = {};
  const server = await serveTls(
    (request, response) => {
      const path = request.url ?? "";
      if (path === "/moved") return void response.writeHead(302, { location: "/client.json" }).end();
      const found = text[path] ?? (documents[path] === undefined ? undefined : JSON.stringify(documents[path]));
      response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" }).end(found);
    },
    pem as { key: string; cert: string },
  );
  await using _ = server;
  const origin = `https://client.example:${server.port}`;
  const described = (path: string, change: object = {}) => ({ client_id: origin + path, client_name: "Example", redirect_uris: [REDIRECT], ...change });
  documents["/client.json"] = described("/client.json");
  documents["/other.json"] = described("/client.json");
  documents["/moved"] = described("/moved");
  documents["/secret.json"] = described("/secret.json", { client_secret: "s" });
  documents["/keys.json"] = described("/keys.json", { token_endpoint_auth_method: "private_key_jwt" });
  documents["/far.json"] = described("/far.json", { redirect_uris: ["https://elsewhere.example/cb"] });
  documents["/"] = described("/");
  text["/twice.json"] = `{"client_id":"x",${JSON.stringify(described("/twice.json")).slice(1)}`;
  text["/large.json"] = JSON.stringify(described("/large.json", { description: "x".repeat(11_000) }));

  const clientDocuments = { ca: pem?.cert, allowPrivate: ["127.0.0.1"], resolve: async () => ["127.0.0.1"] };
  await using world = await createAccessWorld({ clientDocuments });
  const page = await new Browser("user_1").visit(ask(world, `${origin}/client.json`).url, REDIRECT);
  expect(page.text).toContain(`<strong>client.example:${server.port}</strong>`);
  const { url, verifier } = ask(world, `${origin}/client.json`);
  const code = (await consent(new Browser("user_1"), url)).url.searchParams.get("code") ?? "";
  expect((await post(world, "/oauth/token", redeeming(`${origin}/client.json`, code, verifier))).status).toBe(200);
  const bad = [
    "/other.json",
    "/moved",
    "/secret.json",
    "/keys.json",
    "/far.json",
    "/twice.json",
    "/large.json",
    "/missing.json",
    "/",
    "/client.json#x",
    "/x/../client.json",
  ];
  for (const path of bad) expect([path, (await fetch(ask(world, origin + path).url, { redirect: "manual" })).status]).toEqual([path, 400]);

  // Without leave, nothing of this machine or its network is asked.
  await using strict = await createAccessWorld({ clientDocuments: { ca: pem?.cert, resolve: async () => ["127.0.0.1"] } });
  expect((await fetch(ask(strict, `${origin}/client.json`).url, { redirect: "manual" })).status).toBe(400);
});

it("refuses options that could let nobody in, or anybody", async () => {
  await using world = await createAccessWorld();
  const [offered] = world.options.purposes;
  if (offered === undefined) throw new Error("nothing is offered");
  const wrong = [
    { resource: "http://gateway.example/mcp" },
    { resource: "https://gateway.example" },
    { resource: "https://gateway.example/mcp?x" },
    { resource: "https://gateway.example/a/../mcp" },
    { sealKey: new Uint8Array(16) },
    { accessLifetime: 3_600_000 },
    { purposes: [] },
    { purposes: [offered, offered] },
    { purposes: [{ ...offered, tools: {} }] },
    { purposes: [{ ...offered, longest: 59_000 }] },
  ];
  for (const change of wrong) expect([change, await codeOf(() => createClientAccess({ ...world.options, ...change }))]).toEqual([change, "option_invalid"]);
});

it("nobody signs in whom the organisation does not know, or while its provider is away", async () => {
  await using world = await createAccessWorld();
  const { signIn } = world.options;
  const answered = async (change: object, path: string): Promise<number | undefined> => {
    await using access = createClientAccess({ ...world.options, signIn: { ...signIn, ...change } });
    return (await access.fetch(new Request(world.issuer + path, { headers: { host: new URL(world.issuer).host } })))?.status;
  };
  expect(await answered({}, "/oauth/connections")).toBe(303);
  expect(await answered({ issuer: "http://127.0.0.1:1" }, "/oauth/connections")).toBe(503);
  expect(await answered({ allowPrivate: [] }, "/oauth/connections")).toBe(503);
  expect(await answered({}, "/oauth/callback?code=x&state=y")).toBe(400);
  await using strict = await createAccessWorld({ who: () => undefined });
  expect((await new Browser("user_1").visit(`${strict.issuer}/oauth/connections`, REDIRECT)).status).toBe(400);
});

it("a task that nobody comes for ends", async () => {
  await using world = await createAccessWorld();
  const page = await new Browser("user_1").visit(ask(world, await register(world)).url, REDIRECT);
  expect(page.status).toBe(200);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const browser = new Browser("user_1");
    await consent(browser, ask(world, await register(world)).url);
    expect(world.ended()).toBe(0);
    await vi.advanceTimersByTimeAsync(59_000);
  } finally {
    vi.useRealTimers();
  }
  await expect.poll(() => world.ended()).toBe(1);
});
