import { setTimeout as pause } from "node:timers/promises";
import { post, type Post } from "./post.ts";

/** A message for one receiver. */
export interface Message {
  readonly url: URL;
  readonly body: string;
  /** Made anew for each attempt. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** Whether it is of any use still; asked before each attempt. */
  readonly isWanted: () => boolean;
}

/** How it went with a message. The reason names no address. */
export type Ending =
  | { readonly outcome: "delivered" }
  | { readonly outcome: "failed"; readonly reason: string; readonly attempts: number }
  | { readonly outcome: "dropped"; readonly reason: string };

/** Messages that are on their way, in nobody's. */
export interface Outbox {
  /** Takes a message, and returns at once. `onEnd` hears once how it went. */
  readonly send: (message: Message, onEnd: (ending: Ending) => Promise<void>) => void;
  /** No further attempts; those under way have two seconds to come to their end. Resolves when every message has had its end. May be called again. */
  readonly close: () => Promise<void>;
}

export interface OutboxOptions {
  /** @defaultValue 5 */
  readonly attempts?: number;
  /** Milliseconds before the second attempt; four times as long before each further one. @defaultValue 1000 */
  readonly backoff?: number;
  /** Milliseconds for one attempt. @defaultValue 5000 */
  readonly timeout?: number;
  /** Messages on their way at most; what is more is dropped. @defaultValue 1000 */
  readonly mostMessages?: number;
  /** Characters of them in all. @defaultValue 16,777,216 */
  readonly mostCharacters?: number;
  /** Attempts at the same time. @defaultValue 8 */
  readonly mostAtOnce?: number;
}

const PATIENCE = 2000;

export function createOutbox(options: OutboxOptions = {}): Outbox {
  const { attempts = 5, backoff = 1000, timeout = 5000, mostMessages = 1000, mostCharacters = 16_777_216, mostAtOnce = 8 } = options;
  const running = new Set<Promise<void>>();
  /** Those that wait for their turn. */
  const turns: (() => void)[] = [];
  const [stopping, cutting] = [new AbortController(), new AbortController()];
  let [atOnce, messages, characters] = [0, 0, 0];

  const inTurn = async (run: () => Promise<Ending | "again">): Promise<Ending | "again"> => {
    if (atOnce >= mostAtOnce) await new Promise<void>((resolve) => turns.push(resolve));
    else atOnce++;
    try {
      return await run();
    } finally {
      const next = turns.shift();
      if (next === undefined) atOnce--;
      else next();
    }
  };

  const deliver = async (message: Message): Promise<Ending> => {
    for (let attempt = 1; ; attempt++) {
      let reason = "";
      const ending = await inTurn(async () => {
        if (stopping.signal.aborted) return { outcome: "failed", reason: "the decision point stopped", attempts: attempt - 1 };
        if (!message.isWanted()) return { outcome: "failed", reason: "the request has expired", attempts: attempt - 1 };
        const { url, body, headers } = message;
        const answer = await attemptOf({ url, body, headers: headers(), timeout, signal: cutting.signal });
        if (answer === "delivered") return { outcome: "delivered" };
        reason = answer.reason;
        return answer.isFinal || attempt === attempts ? { outcome: "failed", reason, attempts: attempt } : "again";
      });
      if (ending !== "again") return ending;
      await pause(backoff * 4 ** (attempt - 1), undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  };

  return Object.freeze<Outbox>({
    send: (message, onEnd) => {
      const { length } = message.body;
      const isFull = messages >= mostMessages || characters + length > mostCharacters;
      const count = (by: 1 | -1): void => {
        if (isFull) return;
        messages += by;
        characters += by * length;
      };
      count(1);
      const ended = isFull ? Promise.resolve({ outcome: "dropped", reason: "too many messages are on their way" } as const) : deliver(message);
      const run = async (): Promise<void> => {
        const ending = await ended.catch((): Ending => ({ outcome: "failed", reason: "it could not be sent", attempts: 0 }));
        count(-1);
        await onEnd(ending).catch(() => undefined);
      };
      const done: Promise<void> = run().finally(() => running.delete(done));
      running.add(done);
    },
    close: async () => {
      stopping.abort();
      const impatient = setTimeout(() => cutting.abort(), PATIENCE);
      await Promise.all(running);
      clearTimeout(impatient);
    },
  });
}

/** What may be otherwise the next time: no answer, one that asks for patience, and one that is the server's own fault. A redirection is none of these: it would be signed for somebody else. */
async function attemptOf(given: Post): Promise<"delivered" | { readonly reason: string; readonly isFinal: boolean }> {
  try {
    const status = await post(given);
    if (status >= 200 && status < 300) return "delivered";
    return { reason: `the answer had the status ${status}`, isFinal: status !== 408 && status !== 429 && status < 500 };
  } catch (error) {
    const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
    if (code === "ABORT_ERR" || name === "TimeoutError") return { reason: "there was no answer in time", isFinal: false };
    return { reason: `the request failed${typeof code === "string" ? ` (${code})` : ""}`, isFinal: false };
  }
}
