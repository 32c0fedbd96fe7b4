import { createHash, randomBytes, randomInt } from "node:crypto";
import { createServer } from "node:net";
import { createClientAccess, type ClientAccess, type ClientAccessOptions, type SignInOptions } from "../../src/index.ts";
import { Browser, type Visited } from "./browser.ts";
import { CLIENT_SECRET, startIdentityProvider } from "./identity-provider.ts";
import { createWorld, type World } from "./world.ts";

/** Where the clients of the tests are answered. */
export const REDIRECT = "http://127.0.0.1:33418/callback";
export const ALLOW = [
  ["purpose", "review"],
  ["tool", "contracts.read"],
  ["minutes", "15"],
  ["answer", "allow"],
] as const;

export interface AccessWorld extends World {
  readonly issuer: string;
  readonly resource: string;
  readonly access: ClientAccess;
  readonly options: ClientAccessOptions;
  /** Sets the clock of the access ahead, by milliseconds. */
  advance(milliseconds: number): void;
}

/** The gateway, clients of which are let in by OAuth, and the provider that knows the users. */
export async function createAccessWorld({ who, ...change }: Partial<ClientAccessOptions> & { readonly who?: SignInOptions["who"] } = {}): Promise<AccessWorld> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const resource = `${issuer}/mcp`;
  const provider = await startIdentityProvider(`${issuer}/oauth/callback`, { user_1: "tenant_1", user_2: "tenant_1", user_3: "tenant_2" });
  const identity = {
    issuers: [{ kind: "oidc", issuer: provider.origin, audience: "gateway", keys: provider.jwks, tenant: { claim: "tid", among: ["tenant_1", "tenant_2"] } }],
  };
  const clock = { ahead: 0 };
  let made: { access: ClientAccess; options: ClientAccessOptions } | undefined;
  const world = await createWorld({
    port,
    identity: identity as never,
    access: (pep) => {
      const options: ClientAccessOptions = {
        resource,
        pep,
        signIn: {
          issuer: provider.origin,
          clientId: "gateway",
          clientSecret: async () => CLIENT_SECRET,
          allowPrivate: ["127.0.0.1"],
          who: who ?? (({ sub, tid, name }) => ({ tenantId: String(tid), delegatorId: String(sub), name: String(name) })),
        },
        purposes: [
          {
            purpose: "review",
            title: "Review contracts",
            tools: { "contracts.read": "Read contracts", echo: "Repeat what is said" },
            longest: 60 * 60_000,
            resourceConstraints: { max_records: 25 },
          },
        ],
        sealKey: randomBytes(32),
        now: () => Date.now() + clock.ahead,
        ...change,
      };
      made = { access: createClientAccess(options), options };
      return made.access;
    },
  });
  if (made === undefined) throw new Error("there is no access");
  return Object.assign(world, made, {
    issuer,
    resource,
    advance: (milliseconds: number) => void (clock.ahead += milliseconds),
    [Symbol.asyncDispose]: ((end) => async () => {
      await end();
      await provider[Symbol.asyncDispose]();
    })(world[Symbol.asyncDispose]),
  });
}

/** A client that speaks the protocol by hand, so that each step can be wrong. */
export async function register(world: AccessWorld, redirect = REDIRECT): Promise<string> {
  const body = JSON.stringify({ client_name: "Client of the tests", redirect_uris: [redirect] });
  const response = await fetch(`${world.issuer}/oauth/register`, { method: "POST", body, headers: { "content-type": "application/json" } });
  return ((await response.json()) as { client_id: string }).client_id;
}

export interface Asking {
  readonly verifier: string;
  readonly url: URL;
}

export function ask(world: AccessWorld, clientId: string, change: Readonly<Record<string, string | undefined>> = {}): Asking {
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const asked = {
    client_id: clientId,
    redirect_uri: REDIRECT,
    response_type: "code",
    code_challenge: challenge,
    code_challenge_method: "S256",
    resource: world.resource,
    state: "s",
  };
  const url = new URL(`${world.issuer}/oauth/authorize`);
  for (const [name, value] of Object.entries({ ...asked, ...change })) if (value !== undefined) url.searchParams.set(name, value);
  return { verifier, url };
}

/** Signs in and answers; what the client is told. */
export async function consent(browser: Browser, url: URL, fields: readonly (readonly [string, string])[] = ALLOW): Promise<Visited> {
  return browser.answer(await browser.visit(url, REDIRECT), "/oauth/consent", fields, REDIRECT);
}

export interface Told {
  readonly status: number;
  readonly error?: string;
  readonly access_token?: string;
  readonly refresh_token?: string;
}

export async function post(world: AccessWorld, path: string, fields: Readonly<Record<string, string | undefined>>): Promise<Told> {
  const body = new URLSearchParams(Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined));
  const response = await fetch(world.issuer + path, { method: "POST", body });
  return { status: response.status, ...((await response.json()) as object) };
}

export interface Connected {
  readonly clientId: string;
  readonly code: string;
  readonly verifier: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** A user's client with its tokens. */
export async function connected(world: AccessWorld, user = "user_1"): Promise<Connected> {
  const clientId = await register(world);
  const { url, verifier } = ask(world, clientId);
  const code = (await consent(new Browser(user), url)).url.searchParams.get("code") ?? "";
  const told = await post(world, "/oauth/token", redeeming(clientId, code, verifier));
  return { clientId, code, verifier, accessToken: told.access_token ?? "", refreshToken: told.refresh_token ?? "" };
}

export function redeeming(clientId: string, code: string, verifier: string): Record<string, string> {
  return { grant_type: "authorization_code", client_id: clientId, code, redirect_uri: REDIRECT, code_verifier: verifier };
}

/** The status that a message to the resource is answered with. */
export async function statusOf(world: AccessWorld, token: string | undefined): Promise<number> {
  const message = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } },
  };
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const response = await fetch(world.resource, { method: "POST", body: JSON.stringify(message), headers });
  await response.body?.cancel();
  return response.status;
}

/** Below those that systems give to connections going out, one of which could be there first. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
