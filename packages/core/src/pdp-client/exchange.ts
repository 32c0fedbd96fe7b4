import { Agent as HttpAgent, request as requestHttp, type IncomingMessage, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { fromUtf8 } from "#base64url";

/** Who the service is expected to be, and who asks it. */
export interface TransportOptions {
  readonly url: URL;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca: string | undefined;
  /** What this side shows of itself in the handshake, PEM. */
  readonly certificate: { readonly cert: string; readonly key: string } | undefined;
  readonly mostBytes: number;
  readonly connections: number;
}

export interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export type Exchanged =
  | { readonly kind: "answer"; readonly status: number; readonly mediaType: string; readonly etag: string | undefined; readonly text: string }
  | {
      readonly kind: "failure";
      /** `broken` when something answered that is no answer. */
      readonly reason: "unreachable" | "broken" | "timeout";
      readonly message: string;
      /** Whether the service may have read the question. */
      readonly isSent: boolean;
    };

export interface Transport {
  readonly exchange: (question: Question, signal: AbortSignal) => Promise<Exchanged>;
  readonly close: () => void;
}

const MOST_HEADER_BYTES = 16_384;

/**
 * Asks over connections that stay open. Node's own client and no `fetch`: it follows no redirects, decodes nothing, counts the size as it comes, shows a
 * certificate, and an environment variable cannot turn its checks off. Never rejects.
 */
export function createTransport({ url, ca, certificate, mostBytes, connections }: TransportOptions): Transport {
  const isSecure = url.protocol === "https:";
  const pool = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections, scheduling: "lifo" } as const;
  const tls = { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }), ...certificate };
  const agent = isSecure ? new HttpsAgent({ ...pool, ...tls }) : new HttpAgent(pool);
  return Object.freeze<Transport>({
    exchange: async (question, signal) => {
      const body = question.body === undefined ? undefined : Buffer.from(question.body, "utf8");
      const sent = { isSent: false };
      const options: RequestOptions = {
        method: question.method,
        agent,
        signal,
        maxHeaderSize: MOST_HEADER_BYTES,
        headers: {
          accept: "application/json",
          "accept-encoding": "identity",
          ...(body === undefined ? {} : { "content-type": "application/json", "content-length": body.length }),
          ...question.headers,
        },
      };
      try {
        const response = await send(isSecure ? requestHttps : requestHttp, addressOf(url, question.path), options, body, sent);
        try {
          return await read(response, mostBytes);
        } finally {
          if (!response.complete) response.destroy();
        }
      } catch (error) {
        return failure(error, signal, sent.isSent);
      }
    },
    close: () => agent.destroy(),
  });
}

/** Where a question goes. */
export function addressOf(url: URL, path: string): URL {
  return new URL(url.pathname.replace(/\/$/, "") + path, url);
}

function send(request: typeof requestHttp, url: URL, options: RequestOptions, body: Buffer | undefined, sent: { isSent: boolean }): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request(url, options, resolve);
    asking.on("error", reject);
    asking.on("socket", (socket) => {
      const isReady = (): void => void (sent.isSent = true);
      if (!socket.connecting) isReady();
      else socket.once("encrypted" in socket ? "secureConnect" : "connect", isReady);
    });
    asking.end(body);
  });
}

async function read(response: IncomingMessage, mostBytes: number): Promise<Exchanged> {
  const { statusCode = 0, headers } = response;
  const broken = (message: string): Exchanged => ({ kind: "failure", reason: "broken", message, isSent: true });
  if ((headers["content-encoding"] ?? "identity") !== "identity") return broken("the answer is compressed");
  const tooLarge = `the answer is larger than ${mostBytes} bytes`;
  if (Number(headers["content-length"] ?? 0) > mostBytes) return broken(tooLarge);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) return broken(tooLarge);
    chunks.push(chunk);
  }
  const text = fromUtf8(Buffer.concat(chunks));
  if (text === undefined) return broken("the answer is not UTF-8");
  return { kind: "answer", status: statusCode, mediaType: headers["content-type"] ?? "", etag: headers.etag, text };
}

function failure(error: unknown, signal: AbortSignal, isSent: boolean): Exchanged {
  if (signal.aborted) return { kind: "failure", reason: "timeout", message: "no complete answer in time", isSent };
  const code: unknown = (error as { readonly code?: unknown }).code;
  const name = typeof code === "string" ? ` (${code.slice(0, 64)})` : "";
  // What the parser of HTTP refuses was no answer: a header that is too large, a length that is none.
  if (typeof code === "string" && code.slice(0, 4) === "HPE_") return { kind: "failure", reason: "broken", message: `the answer is not HTTP${name}`, isSent };
  return { kind: "failure", reason: "unreachable", message: `the request failed${name}`, isSent };
}
