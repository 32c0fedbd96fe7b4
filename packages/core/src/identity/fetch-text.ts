import { get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps, type RequestOptions } from "node:https";
import { fromUtf8 } from "#base64url";

export interface FetchOptions {
  readonly url: URL;
  /** Milliseconds from the first packet to the last byte. */
  readonly timeout: number;
  readonly mostBytes: number;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca: string | undefined;
}

/** RFC 7517 section 8.5, and what nearly everybody sends instead. Media types know no case (RFC 9110 section 8.3.1). */
const MEDIA_TYPE = /^application\/(?:json|jwk-set\+json)[ \t]*(?:;|$)/i;

/**
 * The text of a JSON document on a server. Node's own client, because it follows no redirects, decodes nothing, and lets the size be counted as it comes.
 * A failure of any kind is an answer: why, as a problem.
 */
export async function fetchText(options: FetchOptions): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    const response = await request(options);
    try {
      return await read(response, options.mostBytes);
    } finally {
      response.destroy();
    }
  } catch (error) {
    const code: unknown = (error as { readonly code?: unknown }).code;
    return { problem: code === "ABORT_ERR" ? "no complete answer in time" : `the request failed${typeof code === "string" ? ` (${code})` : ""}` };
  }
}

function request({ url, timeout, ca }: FetchOptions): Promise<IncomingMessage> {
  const headers = { accept: "application/jwk-set+json, application/json", "accept-encoding": "identity" };
  // Said here, a variable of the environment cannot turn it off.
  const options: RequestOptions = {
    signal: AbortSignal.timeout(timeout),
    agent: false,
    headers,
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    (url.protocol === "https:" ? getHttps : getHttp)(url, options, resolve).on("error", reject);
  });
}

async function read(response: IncomingMessage, mostBytes: number): Promise<{ readonly text: string } | { readonly problem: string }> {
  const { statusCode, headers } = response;
  if (statusCode !== 200) return { problem: `the status is ${statusCode}` };
  if (!MEDIA_TYPE.test(headers["content-type"] ?? "")) return { problem: "the answer is not JSON by its media type" };
  if ((headers["content-encoding"] ?? "identity") !== "identity") return { problem: "the answer is compressed" };
  const tooLarge = { problem: `the answer is larger than ${mostBytes} bytes` };
  if (Number(headers["content-length"] ?? 0) > mostBytes) return tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) return tooLarge;
    chunks.push(chunk);
  }
  const text = fromUtf8(Buffer.concat(chunks));
  return text === undefined ? { problem: "the answer is not UTF-8" } : { text };
}
