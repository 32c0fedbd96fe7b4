import { unavailable } from "./connection.ts";

/** Answers many questions of a tenant, in their order, by one script. */
export type AskAll = (tenantId: string, questions: readonly string[]) => Promise<readonly unknown[]>;

interface Asked {
  readonly question: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** It was answered already, as it took too long. */
  isLate: boolean;
}

interface Line {
  readonly waiting: Asked[];
  underWay: number;
}

/** Questions of one script at most: each of them holds up every other client of the server. */
const MOST = 64;
/** Scripts of a tenant at a time: while the server is busy with one of them, the answers of the other are read and the next is written. */
const SCRIPTS = 2;
/** Fewer than these are not worth a script of their own. */
const FEW = 8;

/**
 * Asks alone what is asked alone, and together what is asked at the same time or while others are under way: then the server reads and writes once what all of them
 * are about. Each is answered, or rejected (`state_unavailable`), within `timeout` milliseconds.
 */
export function createBatches(askAll: AskAll, timeout: number): (tenantId: string, question: string) => Promise<unknown> {
  const lines = new Map<string, Line>();

  const send = async (tenantId: string, line: Line): Promise<void> => {
    const share = Math.ceil(line.waiting.length / (SCRIPTS - line.underWay));
    const batch = line.waiting.splice(0, Math.min(MOST, Math.max(FEW, share))).filter(({ isLate }) => !isLate);
    if (batch.length === 0) return;
    line.underWay += 1;
    try {
      const answers = await askAll(
        tenantId,
        batch.map(({ question }) => question),
      );
      for (const [index, asked] of batch.entries()) {
        const answer = answers[index];
        if (Array.isArray(answer) && answer[0] === "again") line.waiting.push(asked);
        else asked.resolve(answer);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      line.underWay -= 1;
      process.nextTick(sendAll, tenantId, line);
    }
  };
  const sendAll = (tenantId: string, line: Line): void => {
    while (line.waiting.length > 0 && line.underWay < SCRIPTS) void send(tenantId, line);
    if (line.waiting.length === 0 && line.underWay === 0) lines.delete(tenantId);
  };

  return (tenantId, question) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const asked: Asked = { question, resolve, reject, isLate: false };
    const timer = setTimeout(() => {
      asked.isLate = true;
      reject(unavailable(new Error("it was not asked in time")));
    }, timeout);
    let line = lines.get(tenantId);
    if (line === undefined) lines.set(tenantId, (line = { waiting: [], underWay: 0 }));
    // Once all that happens in this turn has asked, too.
    if (line.waiting.push(asked) === 1) process.nextTick(sendAll, tenantId, line);
    return promise.finally(() => clearTimeout(timer));
  };
}
