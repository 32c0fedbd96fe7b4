import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net";

/** A server of a test, which ends with it. */
export interface Local extends AsyncDisposable {
  readonly port: number;
  readonly origin: string;
  /** Connections that were opened. */
  readonly connections: () => number;
}

export const serve = (listener: RequestListener): Promise<Local> => listen(createServer(listener), "http");

export const serveTls = (listener: RequestListener, pem: { readonly key: string; readonly cert: string }): Promise<Local> =>
  listen(createTlsServer(pem, listener), "https");

/** A server that says what it wants. */
export const serveBytes = (onConnection: (socket: Socket) => void): Promise<Local> => listen(createTcpServer(onConnection), "http");

async function listen(server: Server | TcpServer, scheme: string): Promise<Local> {
  const sockets = new Set<Socket>();
  let opened = 0;
  server.on("connection", (socket: Socket) => {
    opened++;
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `${scheme}://127.0.0.1:${port}`,
    connections: () => opened,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
