import { protect } from "../../src/index.ts";
import { enforcement, type FakePdp } from "./fake-pdp.ts";

type Message = Record<string, unknown>;

/** A transport without a server: the test is the server, and may be a hostile one. */
export class Pipe {
  readonly sent: Message[] = [];
  onmessage?: ((message: unknown, extra?: unknown) => void) | undefined;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  failure: Error | undefined;
  started = 0;
  /** What the server answers when the adapter itself asks for its tools, which is not among what was sent. */
  tools: readonly unknown[] = [];
  lists = 0;
  #session = "session_1";

  async start(): Promise<void> {
    this.started += 1;
  }

  async send(message: unknown, _options?: unknown): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const { id, method } = message as Message;
    if (method !== "tools/list" || typeof id !== "string" || !id.startsWith("ambit-")) return void this.sent.push(message as Message);
    this.lists += 1;
    queueMicrotask(() => this.onmessage?.({ jsonrpc: "2.0", id, result: { tools: this.tools } }));
  }

  async close(): Promise<void> {
    this.onclose?.();
  }

  get sessionId(): string {
    return this.#session;
  }

  async terminateSession(): Promise<void> {
    this.#session = "";
  }
}

/** A client without an SDK at one end of the protected pipe. */
export async function connectPipe(pdp: FakePdp) {
  const { pep, task } = await enforcement(pdp);
  const pipe = new Pipe();
  const transport = protect(pep, { transport: pipe, server: "crm", envelope: task });
  const received: Message[] = [];
  const errors: Error[] = [];
  transport.onmessage = (message) => void received.push(message as Message);
  transport.onerror = (error) => void errors.push(error);
  await transport.start();
  const answer = (message: Message): void => pipe.onmessage?.({ jsonrpc: "2.0", ...message });
  const send = (message: Message, options?: unknown): Promise<void> => transport.send({ jsonrpc: "2.0", ...message }, options);
  return { pdp, pep, task, pipe, transport, received, errors, answer, send };
}

export function call(id: unknown, args: unknown = {}, name = "contracts_read"): Message {
  return { id, method: "tools/call", params: { name, arguments: args } };
}
