import { ENDPOINTS, chainHashOf, pdpClient, type PdpClient } from "@ambit/core/pdp-client";
import { holdChain, signingKey, signPop, type HeldChain, type SigningKey } from "@ambit/core/token";
import type { AccessRequest } from "@ambit/core";
import { Pool } from "undici";
import { quantile } from "../measure.ts";
import { ARGS, AUDIENCE, EVALUATION, TOOL } from "../scenario.ts";
import { answerQuestions } from "../worker.ts";
import { openConnection, type Connection } from "./connection.ts";
import type { Asks, Meeting } from "./serving.ts";

export interface Load {
  readonly port: number;
  readonly asks: Asks;
  /** Questions that wait at the same time, each on a connection of its own. */
  readonly concurrency: number;
  readonly count: number;
  /** Whether each question has a proof of its own. Whoever answers them all alike may be asked the same ones again. */
  readonly isFresh: boolean;
}

export interface Loaded {
  /** Milliseconds on the wall for all of it. */
  readonly milliseconds: number;
  /** Of processor time of the process that asks. */
  readonly asking: number;
  /** Milliseconds of one question. */
  readonly p50: number;
  readonly p99: number;
}

interface Questions {
  readonly [name: string]: (question: never) => Promise<unknown>;
  readonly meet: (meeting: Meeting) => Promise<void>;
  /** The next question as soon as one is answered. */
  readonly closed: (load: Load) => Promise<Loaded>;
  /** So many a second whether they are answered or not, at random distances; waiting for a free connection counts. */
  readonly open: (load: Load & { readonly perSecond: number }) => Promise<Loaded>;
  /** The same questions through `pdpClient`, or as plain posts of undici. */
  readonly through: (load: Omit<Load, "port" | "asks" | "isFresh"> & { readonly client: "pdpClient" | "undici" }) => Promise<Loaded>;
}

/** The process that asks. */
export type Loading = Questions;

interface Met {
  readonly meeting: Meeting;
  readonly held: HeldChain;
  readonly key: SigningKey;
}

let met: Met | undefined;
let calls = 0;

answerQuestions<Questions>({
  meet: async (meeting) => {
    met = { meeting, held: holdChain(meeting.chain), key: await signingKey(meeting.jwk) };
    // From now on the service knows the chain by its digest.
    const connection = await openConnection(meeting.port);
    await connection.exchange(requestOf(ENDPOINTS.decide.path, await bodyOf(met, true), meeting));
    connection.close();
  },
  closed: async (load) => {
    const requests = await requestsOf(load);
    return connected(load, (connections) => inLanes(requests, connections.length, (request, lane) => (connections[lane] as Connection).exchange(request)));
  },
  open: async (load) => {
    const requests = await requestsOf(load);
    return connected(load, (connections) => paced(requests, connections, load.perSecond));
  },
  through: async ({ client, count, concurrency }) => {
    const { meeting } = known();
    return client === "undici" ? throughUndici(meeting, await bodiesOf(count), concurrency) : throughClient(meeting, await callsOf(count), concurrency);
  },
});

function known(): Met {
  if (met === undefined) throw new Error("the service was not met");
  return met;
}

async function callOf({ meeting, held, key }: Met): Promise<AccessRequest> {
  const pop = await signPop({ leaf: held.leaf, tool: TOOL, args: ARGS, audience: AUDIENCE, now: Date.now() }, key);
  const presentation = { kind: "chain", chain: held.tokens, pop } as const;
  return { ...meeting.decide, context: { ...meeting.decide.context, presentation, call_id: `${++calls}/call` } };
}

async function bodyOf(from: Met, isWhole: boolean): Promise<string> {
  const { context, ...rest } = await callOf(from);
  if (context.presentation.kind !== "chain") throw new Error("the envelope is not signed");
  const { chain, pop } = context.presentation;
  const presentation = isWhole ? { chain, pop } : { chainHash: chainHashOf(chain), pop };
  return JSON.stringify(ENDPOINTS.decide.question.write({ ...rest, context: { ...context, presentation } }));
}

/** As `pdpClient` sends it. */
function requestOf(path: string, body: string, { port, secret }: Meeting): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    "connection: keep-alive",
    "accept: application/json",
    "accept-encoding: identity",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    `authorization: Bearer ${secret}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}

async function several<T>(count: number, make: () => Promise<T>): Promise<readonly T[]> {
  const made: T[] = [];
  for (let index = 0; index < count; index++) made.push(await make());
  return made;
}

const callsOf = (count: number): Promise<readonly AccessRequest[]> => several(count, () => callOf(known()));
const bodiesOf = (count: number): Promise<readonly string[]> => several(count, () => bodyOf(known(), false));

/** What policy says of the call that `callOf` makes: `EVALUATION` of the scenario. It is the same each time, and nothing of an answer is kept. */
const evaluationOf = ({ meeting }: Met): Buffer => requestOf("/access/v1/evaluation", JSON.stringify(EVALUATION), meeting);

let repeated: readonly Buffer[] = [];

async function requestsOf({ asks, count, isFresh }: Pick<Load, "asks" | "count" | "isFresh">): Promise<readonly Buffer[]> {
  const of = (made: readonly Buffer[]): readonly Buffer[] => Array.from({ length: count }, (_, index) => made[index % made.length] as Buffer);
  if (asks === "evaluation") return of([evaluationOf(known())]);
  const made = async (most: number): Promise<readonly Buffer[]> =>
    (await bodiesOf(most)).map((body) => requestOf(ENDPOINTS.decide.path, body, known().meeting));
  if (isFresh) return made(count);
  if (repeated.length === 0) repeated = await made(256);
  return of(repeated);
}

async function connected({ port, concurrency }: Load, run: (connections: readonly Connection[]) => Promise<readonly number[]>): Promise<Loaded> {
  const connections = await Promise.all(Array.from({ length: concurrency }, () => openConnection(port)));
  try {
    return await timed(() => run(connections));
  } finally {
    for (const connection of connections) connection.close();
  }
}

async function timed(run: () => Promise<readonly number[]>): Promise<Loaded> {
  const [start, usage] = [performance.now(), process.cpuUsage()];
  const times = await run();
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(usage);
  return { milliseconds, asking: (user + system) / 1000, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

/** Milliseconds of each. */
async function inLanes<T>(items: readonly T[], lanes: number, ask: (item: T, lane: number) => Promise<void>): Promise<readonly number[]> {
  const times: number[] = [];
  let next = 0;
  const work = async (lane: number): Promise<void> => {
    while (next < items.length) {
      const item = items[next++] as T;
      const start = performance.now();
      await ask(item, lane);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, lane) => work(lane)));
  return times;
}

/** Milliseconds of each, from when it was to be sent. */
async function paced(requests: readonly Buffer[], connections: readonly Connection[], perSecond: number): Promise<readonly number[]> {
  const times: number[] = [];
  const free = [...connections];
  const late: { readonly request: Buffer; readonly from: number }[] = [];
  let [sent, due] = [0, performance.now()];
  return new Promise((resolve, reject) => {
    const answer = async (connection: Connection, { request, from }: (typeof late)[number]): Promise<void> => {
      await connection.exchange(request);
      times.push(performance.now() - from);
      free.push(connection);
      send();
      if (times.length === requests.length) resolve(times);
    };
    const send = (): void => {
      while (late.length > 0) {
        const connection = free.pop();
        if (connection === undefined) return;
        answer(connection, late.shift() as (typeof late)[number]).catch(reject);
      }
    };
    // What is due goes out about every millisecond; a process that looked at the clock all the time would take a whole processor from the server.
    const tick = (): void => {
      const now = performance.now();
      for (; sent < requests.length && due <= now; sent++) {
        late.push({ request: requests[sent] as Buffer, from: now });
        due += (-Math.log(1 - Math.random()) * 1000) / perSecond;
      }
      send();
      if (sent < requests.length) setTimeout(tick, 1);
    };
    tick();
  });
}

async function throughUndici({ url, secret }: Meeting, bodies: readonly string[], concurrency: number): Promise<Loaded> {
  const pool = new Pool(url, { connections: concurrency, pipelining: 1 });
  const headers = { accept: "application/json", "accept-encoding": "identity", "content-type": "application/json", authorization: `Bearer ${secret}` };
  const ask = async (body: string): Promise<void> => {
    const { statusCode, body: answer } = await pool.request({ method: "POST", path: ENDPOINTS.decide.path, headers, body });
    const { decision } = (await answer.json()) as { readonly decision?: unknown };
    if (statusCode !== 200 || decision !== true) throw new Error(`no permit: ${statusCode}`);
  };
  try {
    await opened(concurrency, async () => ask(await bodyOf(known(), false)));
    return await timed(() => inLanes(bodies, concurrency, ask));
  } finally {
    await pool.close();
  }
}

async function throughClient({ url, secret }: Meeting, requests: readonly AccessRequest[], concurrency: number): Promise<Loaded> {
  const client: PdpClient = pdpClient(url, {
    credentials: { kind: "bearer", token: secret },
    allowLoopback: true,
    deadline: 60_000,
    connections: concurrency,
  });
  const ask = async (request: AccessRequest): Promise<void> => {
    const { decision, context } = await client.decide(request);
    if (!decision) throw new Error(`refused: ${context.refusal?.code}`);
  };
  try {
    await opened(concurrency, async () => ask(await callOf(known())));
    return await timed(() => inLanes(requests, concurrency, ask));
  } finally {
    await client.close();
  }
}

/** Connections are opened, and the chain is known by its digest, before the clock runs. */
async function opened(concurrency: number, ask: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: concurrency }, ask));
}
