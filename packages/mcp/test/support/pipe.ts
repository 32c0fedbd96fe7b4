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
  #session = "session_1";

  async start(): Promise<void> {
    this.started += 1;
  }

  async send(message: unknown, _options?: unknown): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.sent.push(message as Message);
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
