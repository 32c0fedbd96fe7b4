import { AmbitError } from "@ambit/core";
import { Agent } from "undici";
import { readAddresses } from "./addresses.ts";
import { CODINGS } from "./body.ts";
import { createConnector, type Resolve } from "./connector.ts";
import { failure, refused } from "./failure.ts";
import { outgoingHeaders } from "./headers.ts";
import { createPatience, type Patience } from "./patience.ts";
import { type Answer, carriedOn, isRedirect, type Message } from "./redirect.ts";
import { type Limits, toResponse } from "./response.ts";
import { createTargets } from "./target.ts";

export interface EgressOptions {
  /** Where requests may go: origins exactly as `new URL(…).origin` writes them. One of plain `http:` is reached at addresses of `allowPrivate` alone. */
  readonly origins: readonly string[];
  /** Addresses (`::1`) and ranges (`10.0.0.0/8`) that are not public and may be reached all the same. @defaultValue none */
  readonly allowPrivate?: readonly string[] | undefined;
  /** Bytes of the body of one answer, as they come and decoded. @defaultValue 10 MiB */
  readonly maxResponseBytes?: number | undefined;
  /** Milliseconds from the call to the last byte of the answer, redirects and the name's resolution included. @defaultValue 30 000 */
  readonly deadline?: number | undefined;
  /** For `text/event-stream`, from its headers on, in place of `deadline`. */
  readonly stream?: {
    /** Milliseconds that a reader may be left without any byte. @defaultValue 5 minutes */
    readonly idle?: number | undefined;
    /** Milliseconds in all. @defaultValue 1 hour */
    readonly total?: number | undefined;
  };
  /** Asked once for each new connection. @defaultValue the system's resolver */
  readonly resolve?: Resolve | undefined;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: string | undefined;
}

/** The way out of one connector. */
export interface Egress {
  /**
   * `fetch`, for whom is given one (transports of MCP, clients of OpenAPI). Rejects with `egress_refused` for what breaks a rule, with `upstream_unavailable` when there is no complete answer,
   * with the caller's reason when the caller aborts; reading the body fails in the same ways.
   *
   * @remarks Redirects stay on the allow-list. Away from the origin of the request go GET and HEAD only, with none of its headers but `accept` and `accept-language`, also when a later redirect leads
   * back. Answers come without `set-cookie`, reason phrase and `url`.
   */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** Ends all connections, those in use too. */
  close(): Promise<void>;
}

const MOST_REDIRECTS = 5;
const MOST_HEADER_BYTES = 16_384;

/** Throws `option_invalid`. */
export function createEgress(options: EgressOptions): Egress {
  const readTarget = createTargets(options.origins);
  const deadline = positive("deadline", options.deadline, 30_000);
  const limits: Limits = {
    mostBytes: positive("maxResponseBytes", options.maxResponseBytes, 10 * 1024 * 1024),
    idle: positive("stream.idle", options.stream?.idle, 5 * 60_000),
    total: positive("stream.total", options.stream?.total, 60 * 60_000),
  };
  const agent = new Agent({
    allowH2: false,
    connect: createConnector({ addresses: readAddresses(options.allowPrivate ?? []), resolve: options.resolve, ca: options.ca }),
    maxHeaderSize: MOST_HEADER_BYTES,
    // `Patience` has the clocks.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  const send = ({ url, method, headers, body }: Message, { signal }: Patience): Promise<Answer> =>
    agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: { "accept-encoding": CODINGS, ...headers },
      body: body ?? null,
      signal,
    });

  const exchange = async (first: Message, redirect: Request["redirect"], patience: Patience): Promise<Response> => {
    let message = first;
    for (let followed = 0; ; followed++) {
      const answer = await send(message, patience);
      answer.body.on("error", () => undefined);
      try {
        if (redirect === "manual" || !isRedirect(answer)) return toResponse(answer, message.method, limits, patience);
        if (redirect === "error" || followed === MOST_REDIRECTS) throw refused("the answer is a redirect that is not followed");
        message = carriedOn(message, answer, readTarget);
        answer.body.destroy();
      } catch (error) {
        answer.body.destroy();
        throw error;
      }
    }
  };

  const fetch: Egress["fetch"] = async (input, init) => {
    const isRequest = typeof input === "object" && "url" in input;
    // Before `Request` sees them: its errors repeat addresses and values, and it drops what is to be refused.
    const url = readTarget(isRequest ? input.url : String(input));
    const given = init?.headers === undefined ? {} : { headers: outgoingHeaders(init.headers) };
    const request = new Request(isRequest ? input : url, { ...init, ...given });
    const patience = createPatience(init?.signal ?? (isRequest ? input.signal : undefined));
    patience.within(deadline, "there was no complete answer in time");
    try {
      const body = request.body === null ? undefined : new Uint8Array(await patience.wait(request.arrayBuffer()));
      const message = { url, method: request.method, headers: outgoingHeaders(request.headers), body };
      return await exchange(message, request.redirect, patience);
    } catch (error) {
      patience.end();
      throw patience.signal.aborted ? patience.signal.reason : failure(error);
    }
  };
  return { fetch, close: () => agent.destroy() };
}

function positive(name: string, value: number | undefined, otherwise: number): number {
  const chosen = value ?? otherwise;
  // A timer of Node holds 31 bits.
  if (!Number.isInteger(chosen) || chosen < 1 || chosen > 2 ** 31 - 1)
    throw new AmbitError("option_invalid", `\`${name}\` is not a whole number from 1 to 2147483647`);
  return chosen;
}
