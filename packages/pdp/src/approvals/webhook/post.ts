import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds from the first packet to the status of the answer. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** The status that a JSON text is answered with. Node's own client, because it follows no redirects; of the answer nothing else is read. Rejects where there is none in time. */
export async function post({ url, headers, body, timeout, signal }: Post): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = {
      method: "POST",
      agent: false,
      // Said here, a variable of the environment cannot turn it off.
      rejectUnauthorized: true,
      signal: AbortSignal.any([AbortSignal.timeout(timeout), signal]),
      headers: { ...headers, "content-type": "application/json", "content-length": Buffer.byteLength(body) },
    } as const;
    const sent = (url.protocol === "https:" ? requestHttps : requestHttp)(url, options, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
