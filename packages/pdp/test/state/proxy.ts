import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Stands before a server and cuts it off, without touching the server itself. */
export interface Proxy {
  readonly port: number;
  /** `drop` resets every connection and lets none in; `blackhole` keeps them open, and lets new ones in, and nothing comes through. */
  cut(how: "drop" | "blackhole"): Promise<void>;
  /** Lets new connections through again. */
  mend(): Promise<void>;
  close(): Promise<void>;
}

export async function startProxy(host: string, port: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let isHole = false;
  let server: Server | undefined;
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    return socket.on("error", () => undefined);
  };
  const accept = (client: Socket): void => {
    track(client);
    if (isHole) return;
    const upstream = track(connect(port, host));
    client.on("data", (data) => void (isHole || upstream.write(data)));
    upstream.on("data", (data) => void (isHole || client.write(data)));
    client.once("close", () => upstream.destroy());
    upstream.once("close", () => client.destroy());
  };
  const listen = async (at: number): Promise<number> => {
    server = createServer(accept).listen(at, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const resetAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const stop = async (): Promise<void> => {
    if (server === undefined) return;
    const stopped = once(server, "close");
    server.close();
    server = undefined;
    resetAll();
    await stopped;
  };
  const own = await listen(0);
  return {
    port: own,
    cut: async (how) => {
      if (how === "drop") await stop();
      else isHole = true;
    },
    mend: async () => {
      isHole = false;
      resetAll();
      if (server === undefined) await listen(own);
    },
    close: stop,
  };
}
