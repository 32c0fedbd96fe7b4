import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What another process can be asked; questions and answers are plain data. */
export interface Questions {
  readonly [name: string]: (question: never) => Promise<unknown>;
}

export interface Worker<Q extends Questions> {
  ask<N extends keyof Q>(name: N, question: Parameters<Q[N]>[0]): Promise<Awaited<ReturnType<Q[N]>>>;
  close(): void;
}

interface Asked {
  readonly id: number;
  readonly name: string;
  readonly question: unknown;
}

type Answered = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly error: string };

/** Starts a process that runs `file`, which calls `answerQuestions`. It ends with this one. */
export function startWorker<Q extends Questions>(file: URL): Worker<Q> {
  const child = fork(fileURLToPath(file), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const waiting = new Map<number, { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void }>();
  let last = 0;
  child.on("message", (message: Answered) => {
    const { resolve, reject } = waiting.get(message.id) ?? {};
    waiting.delete(message.id);
    if ("error" in message) reject?.(new Error(message.error));
    else resolve?.(message.answer as never);
  });
  let ended: Error | undefined;
  child.once("exit", (code) => {
    ended = new Error(`the process of ${file.pathname} ended with ${code}`);
    for (const { reject } of waiting.values()) reject(ended);
  });
  // One that cannot be told anything has ended, or is about to.
  child.on("error", () => undefined);
  return {
    ask: (name, question) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended);
        const id = ++last;
        waiting.set(id, { resolve, reject });
        child.send({ id, name: String(name), question } satisfies Asked);
      }),
    close: () => child.disconnect(),
  };
}

/** Answers the questions of the process that started this one, until that one is gone. */
export function answerQuestions<Q extends Questions>(questions: Q): void {
  process.once("disconnect", () => process.exit());
  process.on("message", ({ id, name, question }: Asked) => {
    const answer = async (): Promise<unknown> => questions[name]?.(question as never);
    answer().then(
      (answered) => process.send?.({ id, answer: answered ?? null } satisfies Answered),
      (error: unknown) => process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : "no reason given" } satisfies Answered),
    );
  });
}
