import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";

/** What becomes of a request; `undefined` lets it through to the service. */
export type Fault = (response: ServerResponse, incoming: IncomingMessage, forward: () => void) => void;

export interface FaultProxy {
  /** At which path, and what; `undefined` for none. */
  fault: { readonly path: string; readonly does: Fault } | undefined;
  /** How often a path was asked for. */
  readonly asked: (path: string) => number;
  /** Stops listening and drops every connection. */
  readonly kill: () => Promise<void>;
  readonly listen: () => Promise<void>;
  close(): Promise<void>;
}

/** Stands before a real service, on a real port, and breaks what it is told to. */
export async function faultProxy(port: number, target: () => number): Promise<FaultProxy> {
  const counts = new Map<string, number>();
  const server = createServer((incoming, response) => {
    const { url = "", method, headers } = incoming;
    counts.set(url, (counts.get(url) ?? 0) + 1);
    const forward = (): void => {
      const asking = request({ port: target(), host: "127.0.0.1", path: url, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      asking.on("error", () => response.destroy());
      incoming.pipe(asking);
    };
    const { fault } = proxy;
    if (fault === undefined || fault.path !== url) return forward();
    response.on("error", () => undefined);
    return fault.does(response, incoming, forward);
  });
  const listen = (): Promise<void> => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const kill = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const proxy: FaultProxy = {
    fault: undefined,
    asked: (path) => counts.get(path) ?? 0,
    kill,
    listen,
    close: async () => (server.listening ? kill() : undefined),
  };
  await listen();
  return proxy;
}

const JSON_TYPE = { "content-type": "application/json" };

const body =
  (text: string | Buffer, headers: Record<string, string> = JSON_TYPE, status = 200): Fault =>
  (response) =>
    response.writeHead(status, headers).end(text);

const raw =
  (text: string): Fault =>
  (response) =>
    void response.socket?.end(text);

/** Every one of them says yes, where it says anything: what is denied is denied for how it was said. */
const YES = JSON.stringify({ decision: true, context: { id: "dec_x", grant: { id: "grant_x", expires_at: "2099-01-01T00:00:00.000Z" } } });

/** What a service can do wrong, and what that is called. */
export const FAULTS: readonly (readonly [name: string, does: Fault, code: "pdp_unavailable" | "pdp_timeout" | "pdp_response_invalid"])[] = [
  ["hangs", () => undefined, "pdp_timeout"],
  ["sends its headers and no body", (response) => response.writeHead(200, JSON_TYPE).flushHeaders(), "pdp_timeout"],
  [
    "sends its body a byte at a time",
    (response) => {
      response.writeHead(200, JSON_TYPE);
      const timer = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(timer));
    },
    "pdp_timeout",
  ],
  ["says that it took too long", body("{}", JSON_TYPE, 504), "pdp_timeout"],
  ["resets the connection", (response) => void (response.socket as { resetAndDestroy(): unknown } | null)?.resetAndDestroy(), "pdp_unavailable"],
  ["closes the connection", (response) => void response.socket?.end(), "pdp_unavailable"],
  [
    "breaks off in its body",
    (response) => {
      response.writeHead(200, { ...JSON_TYPE, "content-length": "1000" });
      response.write(YES, () => response.socket?.destroy());
    },
    "pdp_unavailable",
  ],
  ["fails", body(YES, JSON_TYPE, 500), "pdp_unavailable"],
  ["is overloaded", body(YES, JSON_TYPE, 503), "pdp_unavailable"],
  ["is behind a gateway that fails", body("<html>Bad Gateway</html>", { "content-type": "text/html" }, 502), "pdp_unavailable"],
  ["takes no credentials", body("{}", JSON_TYPE, 401), "pdp_unavailable"],
  ["forbids it", body("{}", JSON_TYPE, 403), "pdp_unavailable"],
  ["answers with half of JSON", body(YES.slice(0, 40)), "pdp_response_invalid"],
  ["answers with garbage", raw("\u0000\u0001garbage\r\n\r\n"), "pdp_response_invalid"],
  ["answers with HTML", body("<html></html>", { "content-type": "text/html" }), "pdp_response_invalid"],
  ["answers with the wrong media type", body(YES, { "content-type": "text/plain" }), "pdp_response_invalid"],
  ["answers with no media type", body(YES, {}), "pdp_response_invalid"],
  ["answers with something that is nearly JSON by its media type", body(YES, { "content-type": "application/json-seq" }), "pdp_response_invalid"],
  ["answers with nothing", body(""), "pdp_response_invalid"],
  ["answers with another success", body(YES, JSON_TYPE, 201), "pdp_response_invalid"],
  ["answers with no content", body("", {}, 204), "pdp_response_invalid"],
  ["answers that nothing has changed", body("", {}, 304), "pdp_response_invalid"],
  ["answers with ten megabytes", body(Buffer.alloc(10_485_760, 32)), "pdp_response_invalid"],
  [
    "answers with ten megabytes that it does not announce",
    (response) => {
      response.writeHead(200, JSON_TYPE);
      response.write(YES);
      response.end(Buffer.alloc(10_485_760, 32));
    },
    "pdp_response_invalid",
  ],
  [
    "announces ten megabytes",
    (response) => {
      response.writeHead(200, { ...JSON_TYPE, "content-length": "10485760" });
      response.write(" ");
    },
    "pdp_response_invalid",
  ],
  [
    "answers with headers without end",
    raw(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${YES.length}\r\nx-a: ${"a".repeat(100_000)}\r\n\r\n${YES}`),
    "pdp_response_invalid",
  ],
  ["answers compressed", body(YES, { ...JSON_TYPE, "content-encoding": "gzip" }), "pdp_response_invalid"],
  ["answers with text that is not UTF-8", body(Buffer.from([0x22, 0xff, 0x22])), "pdp_response_invalid"],
  ["answers with a list", body("[]"), "pdp_response_invalid"],
  ["answers with null", body("null"), "pdp_response_invalid"],
  ["says yes and nothing else", body('{"decision":true}'), "pdp_response_invalid"],
  ["says yes as text", body(YES.replace("true", '"true"')), "pdp_response_invalid"],
  ["says no and yes", body(`{"decision":false,${YES.slice(1)}`), "pdp_response_invalid"],
  ["says what nobody knows", body(YES.replace("{", '{"only_on_mondays":true,')), "pdp_response_invalid"],
  ["says no without a reason", body('{"decision":false,"context":{"id":"dec_x"}}'), "pdp_response_invalid"],
  ["takes the question for malformed", body('{"error":{"code":"request_malformed","message":"no","request_id":"r"}}', JSON_TYPE, 400), "pdp_response_invalid"],
  ["has no such endpoint", body("not found", { "content-type": "text/plain" }, 404), "pdp_response_invalid"],
  ["never knows a chain", body('{"error":{"code":"chain_unknown","message":"no","request_id":"r"}}', JSON_TYPE, 409), "pdp_response_invalid"],
];
