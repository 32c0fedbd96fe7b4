import { createPep, type AmbitError, type Pdp } from "@ambit/core";
import { pdpClient, type PdpClient, type PdpClientOptions } from "@ambit/core/pdp-client";
import type { EmbeddedPdp, PdpConfig, PdpOptions } from "@ambit/pdp";
import {
  createPdpService,
  secretDigest,
  servePdp,
  type Caller,
  type PdpService,
  type PdpServiceOptions,
  type Route,
  type RunningServer,
  type ServedPdp,
} from "@ambit/pdp/server";
import { afterEach } from "vitest";
import { freePort } from "../support/free-port.ts";
import { signedFixture, type SignedFixture } from "../support/signed.ts";

export const ENFORCER = "the secret of an enforcement point, long enough".replaceAll(/[ ,]/g, "-");
export const OPERATOR = "the secret of an operator, also long enough".replaceAll(/[ ,]/g, "-");
export const OBSERVER = "the secret of a dashboard, also long enough".replaceAll(/[ ,]/g, "-");

export const CALLERS: readonly Caller[] = [
  { kind: "secret", name: "app", digest: secretDigest(ENFORCER), roles: ["enforce", "assert"], tenants: "any" },
  { kind: "secret", name: "ops", digest: secretDigest(OPERATOR), roles: ["approve", "operate", "administer"], tenants: ["tenant_1"] },
  { kind: "secret", name: "dashboard", digest: secretDigest(OBSERVER), roles: ["observe"], tenants: [] },
];

const closing: (() => Promise<void>)[] = [];

/** Closes after the test, last first. */
export function closeAfter<T extends { close(): Promise<void> }>(closeable: T): T {
  closing.push(() => closeable.close());
  return closeable;
}

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

export interface ServiceScene extends SignedFixture {
  /** The decision point in the service's process. */
  readonly inside: ServedPdp;
  readonly url: string;
  readonly port: number;
  readonly service: PdpService;
  readonly server: RunningServer;
  readonly client: PdpClient;
  /** What the client complained of. */
  readonly problems: AmbitError[];
  connect(options?: Partial<PdpClientOptions>): PdpClient;
}

export type SceneOptions = Partial<Pick<PdpServiceOptions, "callers" | "ready" | "mostBytes" | "deadline" | "chains" | "onError">> & {
  readonly routes?: PdpServiceOptions["routes"] | ((pdp: EmbeddedPdp, url: string) => readonly Route[]);
  /** What the service serves instead of the decision point itself. */
  readonly wrap?: (pdp: ServedPdp) => ServedPdp;
  readonly client?: Partial<PdpClientOptions>;
};

/** The same with other members. A part that is not configured throws when it is asked for, so nothing is copied by asking. */
function over<T extends object>(base: T, change: Partial<T>): T {
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(base), ...Object.getOwnPropertyDescriptors(change) }) as T;
}

/** The world of `signedFixture`, with the network between the enforcement points and the decision point. */
export async function serviceScene(config: Partial<PdpConfig> = {}, options: PdpOptions = {}, scene: SceneOptions = {}): Promise<ServiceScene> {
  const { wrap = (pdp: ServedPdp) => pdp, client: clientOptions, routes = [], ...serviceOptions } = scene;
  const base = await signedFixture(config, options);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const inside: ServedPdp = base.pdp;
  const service = createPdpService({
    pdp: wrap(inside),
    url,
    callers: CALLERS,
    ...serviceOptions,
    routes: typeof routes === "function" ? routes(base.pdp, url) : routes,
  });
  const server = closeAfter(await servePdp(service, { port, grace: 100 }));
  const problems: AmbitError[] = [];
  const connect = (more: Partial<PdpClientOptions> = {}): PdpClient =>
    closeAfter(
      pdpClient(url, {
        credentials: { kind: "bearer", token: ENFORCER },
        allowLoopback: true,
        deadline: 5000,
        onProblem: (problem) => problems.push(problem),
        ...clientOptions,
        ...more,
      }),
    );
  const client = connect();
  const { keys, now } = base;
  const pepWith = (pdp: Pdp) => createPep({ pdp, agent: "reviewer", keys, now, deadline: 10_000 });
  return {
    ...base,
    pdp: over(base.pdp, client),
    inside,
    url,
    port,
    service,
    server,
    client,
    problems,
    connect,
    pep: pepWith(client),
    pepWith,
    pepOf: (agent, key = keys.get(agent)) => createPep({ pdp: client, agent, keys: new Map(key === undefined ? [] : [[agent, key]]), now, deadline: 10_000 }),
  };
}
