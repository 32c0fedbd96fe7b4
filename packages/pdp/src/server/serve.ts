import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps, type Server as HttpsServer } from "node:https";
import { isIP, type AddressInfo } from "node:net";
import { TLSSocket, type SecureContextOptions } from "node:tls";
import { getRequestListener } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { AmbitError } from "@ambit/core";
import type { Connection } from "./callers.ts";
import type { PdpService } from "./service.ts";
import type { WrittenAnswer } from "./written.ts";

export interface ServeOptions {
  readonly port: number;
  /** @defaultValue "127.0.0.1" */
  readonly host?: string | undefined;
  readonly tls?:
    | {
        /** PEM. */
        readonly cert: string;
        /** PEM. */
        readonly key: string;
        /** Our authority for the certificates of callers (`mtls`), PEM; without it none are asked for. */
        readonly clientCa?: string | undefined;
      }
    | undefined;
  /** Whether TLS ends before this process, on a way that nobody else can listen to. Without TLS anything but loopback is refused otherwise. @defaultValue false */
  readonly behindProxy?: boolean | undefined;
  /**
   * With `behindProxy`: the header by whose last entry that proxy says who asks it, as `x-forwarded-for`. Anybody can send one, so the proxy has to write it.
   *
   * @defaultValue who asks is not known, and nobody is stopped for failing to authenticate
   */
  readonly addressHeader?: string | undefined;
  /** Milliseconds for requests that are being answered when the server stops. @defaultValue 10,000 */
  readonly grace?: number | undefined;
}

export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  /**
   * Takes another certificate, and another authority for those of callers, for the connections that come. Throws `option_invalid` where there was TLS, or an authority, and is none any longer, or the other way
   * round, and whatever TLS throws of what is no certificate; then nothing has changed.
   */
  renew(tls: ServeOptions["tls"]): void;
  /** Says that it is not ready, takes no new connections, answers what was asked, and closes. May be called again. */
  close(): Promise<void>;
}

const HEADER = /^[a-z0-9-]{1,64}$/;
const LOOPBACK = ["127.0.0.1", "::1", "localhost"];
const LIMITS = { maxHeaderSize: 16_384, requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000, connectionsCheckingInterval: 5000 } as const;

/** Serves over HTTP/1.1 with Node. Refuses (`option_invalid`) other addresses than loopback without TLS. */
export async function servePdp(service: Pick<PdpService, "answer" | "drain">, options: ServeOptions): Promise<RunningServer> {
  const { port, host = "127.0.0.1", tls, behindProxy = false, addressHeader, grace = 10_000 } = options;
  if (tls === undefined && !behindProxy && !LOOPBACK.includes(host))
    throw new AmbitError("option_invalid", "without `tls` the service listens on loopback only; say `behindProxy` where TLS ends before it");
  if (addressHeader !== undefined && !(behindProxy && HEADER.test(addressHeader)))
    throw new AmbitError("option_invalid", "`addressHeader` is the name of a header, in lower case, that the proxy of `behindProxy` writes");
  const addressOf = behindProxy ? forwardedAddress(addressHeader) : ({ socket }: IncomingMessage): string | undefined => socket.remoteAddress;
  // A `Response` of Hono's own, where the application has let it replace the global one, would be sent once more; once it was looked into it is like any other.
  void RESPONSE_ALREADY_SENT.body;
  const answer = async (request: Request, incoming: IncomingMessage, outgoing: ServerResponse): Promise<Response> => {
    send(outgoing, await service.answer(request, connectionOf(incoming, addressOf(incoming))));
    return RESPONSE_ALREADY_SENT;
  };
  const listener = getRequestListener((request, { incoming, outgoing }) => answer(request, incoming as IncomingMessage, outgoing as ServerResponse), {
    // They are the application's.
    overrideGlobalObjects: false,
    errorHandler: () => new Response(null, { status: 400, headers: { "cache-control": "no-store" } }),
  });
  const server: Server =
    tls === undefined
      ? createHttp(LIMITS, listener)
      : createHttps(
          {
            ...LIMITS,
            ...contextOf(tls),
            // Who shows no certificate may have a token; what one that was not verified says is not looked at.
            ...(tls.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: false }),
          },
          listener,
        );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= stop(service, server, grace));
  const renew: RunningServer["renew"] = (next) => {
    if ((next === undefined) !== (tls === undefined) || (next?.clientCa === undefined) !== (tls?.clientCa === undefined))
      throw new AmbitError("option_invalid", "whether there is TLS, and whether callers are asked for certificates, cannot change while it serves");
    if (next !== undefined) (server as HttpsServer).setSecureContext(contextOf(next));
  };
  return Object.freeze<RunningServer>({ port: (server.address() as AddressInfo).port, renew, close, [Symbol.asyncDispose]: close });
}

function contextOf({ cert, key, clientCa }: NonNullable<ServeOptions["tls"]>): SecureContextOptions {
  return { cert, key, minVersion: "TLSv1.2", ...(clientCa === undefined ? {} : { ca: clientCa }) };
}

function send(outgoing: ServerResponse, { status, headers, body }: WrittenAnswer): void {
  if (body === null) outgoing.writeHead(status, headers).end();
  else outgoing.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
}

async function stop(service: Pick<PdpService, "drain">, server: Server, grace: number): Promise<void> {
  service.drain();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const impatient = setTimeout(() => server.closeAllConnections(), grace);
  server.closeIdleConnections();
  await closed;
  clearInterval(idle);
  clearTimeout(impatient);
}

/** The last entry is the one that the proxy itself wrote; those before it anybody could have sent. */
function forwardedAddress(header: string | undefined): (incoming: IncomingMessage) => string | undefined {
  return ({ headers }) => {
    const value = header === undefined ? undefined : headers[header];
    const last = (Array.isArray(value) ? value.at(-1) : value)?.split(",").at(-1)?.trim() ?? "";
    return isIP(last) === 0 ? undefined : last;
  };
}

function connectionOf({ socket }: IncomingMessage, address: string | undefined): Connection {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return { address };
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { address };
  const { fingerprint256, subjectAltName = "" } = certificate;
  // Node puts a name in quotes where it could be read as several; no name of ours needs that.
  return { address, certificate: { fingerprint256, names: subjectAltName.includes('"') ? [] : subjectAltName.split(", ") } };
}
