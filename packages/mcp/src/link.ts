import { readMessage, snapshot, type Message, type Wire } from "./json-rpc.ts";
import type { Doors, Handlers } from "./transport.ts";

/** A transport, and its user, the client or the server, whose handlers hang in `user`. */
export interface Link {
  post(message: Wire, options?: unknown): Promise<void>;
  /** Hands a message to the user. */
  deliver(message: Wire, extra?: unknown): void;
  report(error: unknown): void;
  /** What the user gets instead of the transport. */
  doors(between: Between): Doors;
}

/** What stands between both ends. */
export interface Between {
  /** Takes what the user sends; `undefined`: it is not one JSON-RPC 2.0 message. */
  send(message: Message | undefined, options: unknown): Promise<void>;
  /** Takes what the transport brings. */
  receive(message: Message, extra: unknown): void;
  /** Gives up all that is waited for. */
  giveUpAll(): Promise<void>;
  /** The transport is about to lead somewhere, perhaps to somebody else than before. */
  onStart?(): void;
}

export const NOT_A_MESSAGE = "what is not one JSON-RPC 2.0 message is left out";

/** `read`: reads what the transport brings. */
export function createLink(transport: Doors & Handlers, user: Handlers, read: (raw: unknown) => Message | undefined = readMessage): Link {
  const report = (error: unknown): void => user.onerror?.(error instanceof Error ? error : new Error(String(error)));
  return {
    report,
    post: async (message, options) => transport.send(message, options),
    deliver: (message, extra) => {
      try {
        user.onmessage?.(message, extra);
      } catch (error) {
        report(error);
      }
    },
    doors: ({ send, receive, giveUpAll, onStart }) => {
      const onmessage = (raw: unknown, extra?: unknown): void => {
        const message = read(raw);
        if (message === undefined) return report(new Error(NOT_A_MESSAGE));
        receive(message, extra);
      };
      const onclose = (): void => {
        void giveUpAll();
        user.onclose?.();
      };
      // Not before the user begins: until then a transport may keep what comes in for it.
      const attach = (): void => void Object.assign<Handlers, Handlers>(transport, { onmessage, onerror: report, onclose });
      return {
        send: async (raw, options) => {
          attach();
          await send(readMessage(snapshot(raw)), options);
        },
        start: () => {
          attach();
          onStart?.();
          return transport.start();
        },
        close: async (options) => void (await Promise.all([giveUpAll(), transport.close(options)])),
      };
    },
  };
}
