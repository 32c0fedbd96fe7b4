import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";

export interface Asked {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export interface Answered {
  readonly status: number;
  readonly mediaType: string;
  readonly requestId: string | undefined;
  readonly text: string;
}

export interface ExchangeOptions {
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca: string | undefined;
  readonly mostBytes: number;
}

export interface Exchange {
  readonly ask: (asked: Asked, signal: AbortSignal) => Promise<Answered>;
  readonly close: () => void;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Asks over connections that stay open. Node's own client and no `fetch`: it follows no redirects, decodes nothing, counts the size as it comes, and an environment
 * variable cannot turn its checks off. Rejects with words for an operator.
 */
export function createExchange({ ca, mostBytes }: ExchangeOptions): Exchange {
  const pool = { keepAlive: true, maxSockets: 32 } as const;
  const agents = { "http:": new HttpAgent(pool), "https:": new HttpsAgent({ ...pool, rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) }) };

  const once = async ({ method, url, headers, body }: Asked, signal: AbortSignal): Promise<Answered> => {
    const target = new URL(url);
    const isSecure = target.protocol === "https:";
    const bytes = body === undefined ? undefined : Buffer.from(body);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const asking = (isSecure ? requestHttps : requestHttp)(target, {
        method,
        signal,
        agent: isSecure ? agents["https:"] : agents["http:"],
        maxHeaderSize: 16_384,
        headers: {
          accept: "application/json",
          "accept-encoding": "identity",
          ...(bytes === undefined ? {} : { "content-type": "application/json", "content-length": bytes.length }),
          ...headers,
        },
      });
      asking.on("response", resolve);
      // The other side may close a connection just when it is used again; then nothing was read, and it is asked once more.
      asking.on("error", (error) => reject(Object.assign(error, { isStale: asking.reusedSocket })));
      asking.end(bytes);
    });
    try {
      return await read(response, mostBytes);
    } finally {
      if (!response.complete) response.destroy();
    }
  };

  return Object.freeze<Exchange>({
    ask: async (asked, signal) => {
      try {
        return await once(asked, signal).catch((error: unknown) => {
          if (!signal.aborted && (error as { readonly isStale?: unknown }).isStale === true) return once(asked, signal);
          throw error;
        });
      } catch (error) {
        if (signal.aborted) throw new Error("there was no answer in time", { cause: error });
        const { code } = error as { readonly code?: unknown };
        throw typeof code === "string" ? new Error(`the question could not be asked (${code.slice(0, 64)})`, { cause: error }) : error;
      }
    },
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  });
}

async function read(response: IncomingMessage, mostBytes: number): Promise<Answered> {
  const { statusCode = 0, headers } = response;
  if ((headers["content-encoding"] ?? "identity") !== "identity") throw new Error("the answer is compressed");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > mostBytes) throw new Error(`the answer is larger than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  if (!response.complete) throw new Error("the answer broke off");
  const requestId = headers["x-request-id"];
  return {
    status: statusCode,
    mediaType: headers["content-type"] ?? "",
    requestId: typeof requestId === "string" ? requestId : undefined,
    text: decode(chunks),
  };
}

function decode(chunks: readonly Buffer[]): string {
  try {
    return UTF8.decode(Buffer.concat(chunks));
  } catch (error) {
    throw new Error("the answer is not UTF-8", { cause: error });
  }
}
