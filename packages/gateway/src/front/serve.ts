import { createServer as createHttp, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { AmbitError } from "@ambit/core";
import type { Gateway } from "../gateway.ts";

export interface ServeGatewayOptions {
  readonly port: number;
  /** @defaultValue "127.0.0.1" */
  readonly host?: string | undefined;
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Whether TLS ends before this process, on a way that nobody else can listen to. Without TLS anything but loopback is refused otherwise. @defaultValue false */
  readonly behindProxy?: boolean | undefined;
  /** Milliseconds for requests that are being answered when the server stops. @defaultValue 10,000 */
  readonly grace?: number | undefined;
}

export interface RunningGateway extends AsyncDisposable {
  readonly port: number;
  /** Takes no new connections, answers what was asked, and closes. May be called again. */
  close(): Promise<void>;
}

const LOOPBACK = ["127.0.0.1", "::1", "localhost"];
const LIMITS = { maxHeaderSize: 16_384, requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000, connectionsCheckingInterval: 5000 } as const;

/** Serves a gateway over HTTP/1.1 with Node. Refuses (`option_invalid`) other addresses than loopback without TLS. */
export async function serveGateway(gateway: Gateway, options: ServeGatewayOptions): Promise<RunningGateway> {
  const { port, host = "127.0.0.1", tls, behindProxy = false, grace = 10_000 } = options;
  if (tls === undefined && !behindProxy && !LOOPBACK.includes(host))
    throw new AmbitError("option_invalid", "without `tls` the gateway listens on loopback only; say `behindProxy` where TLS ends before it");
  const listener = getRequestListener((request) => gateway.fetch(request), {
    // They are the application's.
    overrideGlobalObjects: false,
    errorHandler: () => new Response(null, { status: 500, headers: { "cache-control": "no-store" } }),
  });
  const server: Server = tls === undefined ? createHttp(LIMITS, listener) : createHttps({ ...LIMITS, ...tls, minVersion: "TLSv1.2" }, listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= stop(gateway, server, grace));
  return Object.freeze<RunningGateway>({ port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close });
}

/** Streams of sessions end only with the gateway, so that comes first. */
async function stop(gateway: Gateway, server: Server, grace: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const impatient = setTimeout(() => server.closeAllConnections(), grace);
  await gateway.close();
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  await closed;
  clearInterval(idle);
  clearTimeout(impatient);
}
