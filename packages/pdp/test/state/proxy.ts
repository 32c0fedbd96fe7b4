import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** What becomes of an answer of the server; what is asked gets through all the same. */
type Spoils = (answer: Buffer, client: Socket) => void;

const SPOILED = {
  /** No byte of it is any protocol. */
  "answers with garbage": (answer, client) => client.write(Buffer.alloc(answer.length, 0xee)),
  "answers with zeros": (answer, client) => client.write(Buffer.alloc(answer.length)),
  "answers as another kind of server": (_, client) => client.write("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"),
  "breaks off in its answer": (answer, client) => client.end(answer.subarray(0, answer.length >> 1)),
  "stops in the middle of its answer": (answer, client) => client.write(answer.subarray(0, answer.length >> 1)),
  "answers a byte at a time": (answer, client) => {
    const next = (index: number): void => {
      if (index >= answer.length || client.destroyed) return;
      client.write(answer.subarray(index, index + 1));
      setTimeout(next, 50, index + 1);
    };
    next(0);
  },
  "closes instead of answering": (_, client) => client.end(),
  "resets the connection instead of answering": (_, client) => client.resetAndDestroy(),
} as const satisfies { readonly [what: string]: Spoils };

export const SPOILS = Object.keys(SPOILED) as readonly (keyof typeof SPOILED)[];

/**
 * `drop` resets every connection and lets none in; `blackhole` keeps them open, and lets new ones in, and nothing comes through; everything else is what happens to what the server
 * answers.
 */
export type Fault = "drop" | "blackhole" | keyof typeof SPOILED;

/** Stands before a server and comes between, without touching the server itself. */
export interface Proxy {
  readonly port: number;
  /** With `from`: from the first thing on that is asked with this text in it. */
  cut(how: Fault, from?: string): Promise<void>;
  /** Lets everything through again, on new connections. */
  mend(): Promise<void>;
  /** The same, but those on which something was lost stay silent and open for ever. */
  mendQuietly(): void;
  close(): Promise<void>;
}

export async function startProxy(host: string, port: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let fault: Exclude<Fault, "drop"> | undefined;
  let awaited: string | undefined;
  let server: Server | undefined;
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    return socket.on("error", () => undefined);
  };
  const accept = (client: Socket): void => {
    track(client);
    const upstream = track(connect(port, host));
    let isLost = false;
    client.on("data", (asked) => {
      if (awaited !== undefined && asked.includes(awaited)) awaited = undefined;
      isLost ||= fault === "blackhole" && awaited === undefined;
      if (!isLost) upstream.write(asked);
    });
    upstream.on("data", (answer) => {
      if (fault === undefined || awaited !== undefined) return void (isLost || client.write(answer));
      if (fault === "blackhole") isLost = true;
      else SPOILED[fault](answer, client);
    });
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
    cut: async (how, from) => {
      if (how === "drop") return stop();
      [fault, awaited] = [how, from];
    },
    mend: async () => {
      [fault, awaited] = [undefined, undefined];
      resetAll();
      if (server === undefined) await listen(own);
    },
    mendQuietly: () => void ([fault, awaited] = [undefined, undefined]),
    close: stop,
  };
}
