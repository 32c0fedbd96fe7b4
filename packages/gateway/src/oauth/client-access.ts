import { randomBytes } from "node:crypto";
import { AmbitError, isIdentifier } from "@ambit/core";
import { readMessage as readJson } from "@ambit/core/pdp-client";
import { bytesOf } from "../front/bytes.ts";
import type { LetIn } from "../gateway.ts";
import { json, preflight, problem } from "./answer.ts";
import { createBrowser } from "./browser.ts";
import { createClients } from "./clients.ts";
import { lengthsOf } from "./consent-page.ts";
import type { ConsentSetting } from "./consent.ts";
import { readForm } from "./form.ts";
import { createGrants } from "./grants.ts";
import { createMemoryDocuments } from "./memory-documents.ts";
import type { ClientAccessOptions } from "./options.ts";
import { refusal } from "./page.ts";
import { createPlaces, PATHS } from "./places.ts";
import { createSeal } from "./seal.ts";
import { createSignIn } from "./sign-in.ts";
import { answerRevocation, answerToken, type TokenSetting } from "./token-endpoint.ts";
import { createTokens } from "./tokens.ts";
import { createUserPages, type Route } from "./user-pages.ts";

/** Lets MCP clients in that know nothing of Ambit: their users allow them something, for a time. */
export interface ClientAccess extends AsyncDisposable {
  /**
   * For `createGateway`. Requests to the path of the resource need an access token of a grant that is good: 401 otherwise, with where to get one. At any other path there are no tokens; what
   * asks there shows an envelope and a proof.
   */
  authenticate(request: Request): Promise<LetIn | Response | undefined>;
  /** Answers for the authorization server, and says of the resource what RFC 9728 wants known. `undefined`: the request is not for it. */
  fetch(request: Request): Promise<Response | undefined>;
  close(): Promise<void>;
}

const DEFAULT_ACCESS_LIFETIME = 300_000;
const LONGEST_ACCESS_LIFETIME = 600_000;
const BEARER = /^Bearer ([A-Za-z0-9_-]+)$/i;
const MOST_METADATA = 10_240;

/** An OAuth 2.1 protected resource, and the authorization server for this one resource. Refuses (`option_invalid`) what could let nobody in, or anybody. */
export function createClientAccess(options: ClientAccessOptions): ClientAccess {
  const { resource, pep, purposes, sealKey = randomBytes(32), accessLifetime = DEFAULT_ACCESS_LIFETIME, now = Date.now } = options;
  checkOptions({ ...options, sealKey, accessLifetime });
  const places = createPlaces(resource);
  const documents = options.documents ?? createMemoryDocuments(now);
  const seal = createSeal(sealKey, now);
  const clients = createClients(seal, options);
  const signIn = createSignIn(options.signIn, places.issuer + PATHS.callback);
  const [tokens, grants] = [createTokens(documents, now), createGrants(documents, pep, now)];
  const setting: ConsentSetting & TokenSetting = { places, purposes, pep, seal, documents, grants, tokens, accessLifetime, now };

  const register = async (asked: Request): Promise<Response> => {
    const bytes = await bytesOf(asked, MOST_METADATA);
    const read = typeof bytes === "string" ? { problem: bytes } : readJson(Buffer.from(bytes).toString("utf8"));
    const client = "problem" in read ? undefined : await clients.register(read.json);
    if (client === undefined) return problem("invalid_client_metadata");
    const { id, name, redirectUris } = client;
    const granted = { token_endpoint_auth_method: "none", grant_types: ["authorization_code", "refresh_token"], response_types: ["code"] };
    return json({ client_id: id, client_name: name, redirect_uris: [...redirectUris], ...granted }, 201);
  };
  const formed = async (asked: Request, answer: typeof answerToken): Promise<Response> => {
    const form = await readForm(asked, ["resource"]);
    return form === undefined ? problem("invalid_request") : answer(setting, form);
  };

  const routes = new Map<string, Route>([
    ...createUserPages({ ...setting, browser: createBrowser(seal, places), clients, signIn }),
    ...Object.entries(places.metadata).map(([path, metadata]) => [`GET ${path}`, async () => json(metadata)] as const),
    [`POST ${PATHS.register}`, register],
    [`POST ${PATHS.token}`, (asked) => formed(asked, answerToken)],
    [`POST ${PATHS.revoke}`, (asked) => formed(asked, answerRevocation)],
  ]);
  const paths = new Set([...routes.keys()].map((route) => route.slice(route.indexOf("/"))));
  /** Asked by programs, some of which run in pages of their own. */
  const ofPrograms: ReadonlySet<string> = new Set([PATHS.register, PATHS.token, PATHS.revoke, ...Object.keys(places.metadata)]);

  const letIn = async (token: string): Promise<LetIn | undefined> => {
    const content = await tokens.read("access", token);
    const grant = content === undefined ? undefined : await grants.find(content.tenant, content.grant);
    const task = grant === undefined ? undefined : await grants.taskOf(grant);
    return grant === undefined || task === undefined ? undefined : { id: grant.id, pep, task };
  };
  const challenge = (error?: string): Response => {
    const said = `Bearer resource_metadata="${places.resourceMetadata}"${error === undefined ? "" : `, error="${error}"`}`;
    return new Response(null, { status: 401, headers: { "www-authenticate": said, "cache-control": "no-store" } });
  };

  return {
    authenticate: async (request) => {
      if (new URL(request.url).pathname !== places.resourcePath) return undefined;
      const authorization = request.headers.get("authorization");
      if (authorization === null) return challenge();
      const token = BEARER.exec(authorization)?.[1];
      try {
        return (token === undefined ? undefined : await letIn(token)) ?? challenge("invalid_token");
      } catch {
        return problem("temporarily_unavailable", 503); // it cannot be told, and nobody is let in
      }
    },
    fetch: async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      if (!paths.has(pathname) || request.headers.get("host") !== places.host) return undefined;
      const isOfPrograms = ofPrograms.has(pathname);
      if (request.method === "OPTIONS" && isOfPrograms) return preflight();
      try {
        return (await routes.get(`${request.method} ${pathname}`)?.(request, searchParams)) ?? new Response(null, { status: 405 });
      } catch {
        return isOfPrograms ? problem("temporarily_unavailable", 503) : refusal("This cannot be done at the moment.", 503);
      }
    },
    close: () => signIn.close(),
    [Symbol.asyncDispose]: () => signIn.close(),
  };
}

function checkOptions({ purposes, sealKey, accessLifetime }: Required<Pick<ClientAccessOptions, "sealKey" | "accessLifetime">> & ClientAccessOptions): void {
  const fail = (reason: string): never => {
    throw new AmbitError("option_invalid", reason);
  };
  if (sealKey?.length !== 32) fail("`sealKey` must be 32 bytes");
  if (accessLifetime === undefined || !Number.isSafeInteger(accessLifetime) || accessLifetime < 1000 || accessLifetime > LONGEST_ACCESS_LIFETIME)
    fail(`\`accessLifetime\` must be whole milliseconds, from 1000 to ${LONGEST_ACCESS_LIFETIME}`);
  const names = purposes.map(({ purpose }) => purpose);
  if (names.length === 0 || !names.every(isIdentifier) || new Set(names).size !== names.length) fail("`purposes` must be at least one, and no two the same");
  if (purposes.some(({ tools }) => Object.keys(tools).length === 0)) fail("every purpose needs `tools` to pick from");
  if (purposes.some((offered) => !lengthsOf(offered).every((minutes) => Number.isSafeInteger(minutes) && minutes > 0)))
    fail("`longest` of a purpose must be at least a minute, in milliseconds");
}
