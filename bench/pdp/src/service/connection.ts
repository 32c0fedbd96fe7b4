import { connect } from "node:net";

/** A connection that stays open, and asks one thing at a time. */
export interface Connection {
  /** Sends a request as it stands. Rejects where the answer is not a permit: what was refused was not measured. */
  readonly exchange: (request: Buffer) => Promise<void>;
  readonly close: () => void;
}

const [END_OF_HEAD, END_OF_CHUNKS, OK, PERMIT] = ["\r\n\r\n", "\r\n0\r\n\r\n", "HTTP/1.1 200 ", '"decision":true'].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];

/** HTTP/1.1 and no more of it than a load generator needs, which otherwise would take more of the processors than what it loads. */
export async function openConnection(port: number): Promise<Connection> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  let waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  let read: Buffer = Buffer.alloc(0);
  const fail = (error: Error): void => waiting?.reject(error);
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the connection was closed")));
  socket.on("data", (chunk: Buffer) => {
    read = read.length === 0 ? chunk : Buffer.concat([read, chunk]);
    if (!isComplete(read)) return;
    const answer = read;
    const asked = waiting;
    [read, waiting] = [Buffer.alloc(0), undefined];
    if (answer.subarray(0, OK.length).equals(OK) && answer.includes(PERMIT)) asked?.resolve();
    else asked?.reject(new Error(`no permit: ${answer.toString("latin1")}`));
  });
  await new Promise<void>((resolve, reject) => {
    waiting = { resolve, reject };
    socket.once("connect", resolve);
  });
  waiting = undefined;
  return {
    exchange: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => {
      waiting = undefined;
      socket.destroy();
    },
  };
}

function isComplete(read: Buffer): boolean {
  const head = read.indexOf(END_OF_HEAD);
  if (head === -1) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(read.toString("latin1", 0, head))?.[1];
  if (length !== undefined) return read.length >= head + END_OF_HEAD.length + Number(length);
  return read.subarray(-END_OF_CHUNKS.length).equals(END_OF_CHUNKS);
}
