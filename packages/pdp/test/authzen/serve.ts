import type { EmbeddedPdp } from "@ambit/pdp";
import type { AuthzenOptions, Evaluator } from "@ambit/pdp/authzen";
import { authzenRoutes } from "@ambit/pdp/authzen";
import { allRoutes, createPdpService, secretDigest, servePdp, type Caller, type Route } from "@ambit/pdp/server";
import { fixture, type Fixture } from "../support/fixture.ts";
import { closeAfter } from "../server/scene.ts";
import { freePort } from "../support/free-port.ts";

const SECRET = "the-secret-of-somebody-who-asks-about-policy";

export const ASKER = { authorization: `Bearer ${SECRET}` };

const CALLERS: readonly Caller[] = [{ kind: "secret", name: "asker", digest: secretDigest(SECRET), roles: ["evaluate"], tenants: ["tenant_1"] }];

/** The Authorization API over real HTTP, before an evaluator. Answers the URL. */
export async function serveAuthzen(evaluator: Evaluator, options: Partial<AuthzenOptions> = {}): Promise<string> {
  return serveRoutes((url) => authzenRoutes({ evaluator, url, ...options }), CALLERS);
}

/** The service as `ambit pdp serve` has it. Answers the URL. */
export async function serveAll({ pdp }: Pick<Fixture, "pdp">): Promise<string> {
  return serveRoutes((url) => allRoutes({ pdp, url }), CALLERS, pdp);
}

/** A service with these routes, over real HTTP, until the test ends. */
async function serveRoutes(routes: (url: string) => readonly Route[], callers: readonly Caller[], pdp?: EmbeddedPdp): Promise<string> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const service = createPdpService({ pdp: pdp ?? (await fixture()).pdp, url, callers, routes: routes(url) });
  closeAfter(await servePdp(service, { port, grace: 100 }));
  return url;
}

interface Members {
  readonly [member: string]: unknown;
}

/** Posts JSON. */
export async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = ASKER,
): Promise<{ readonly status: number; readonly json: Members; readonly text: string }> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    text,
    json: (response.headers.get("content-type") === "application/json" ? JSON.parse(text) : undefined) as Members,
  };
}
