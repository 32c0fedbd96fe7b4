import { median } from "../measure.ts";
import { startWorker, type Worker } from "../worker.ts";
import type { Load, Loaded, Loading } from "./loading.ts";
import type { Asks, Meeting, Serving } from "./serving.ts";

export interface ServiceScale {
  readonly rounds: number;
  /** How long one load takes, about. */
  readonly loadMilliseconds: number;
  /** Questions that wait at the same time. */
  readonly concurrencies: readonly number[];
}

/**
 * What the service is compared with: a handler that reads the question and sends the answer, on the same server with the same settings; the same as @hono/node-server
 * serves by default; and the first one again, but that it verifies the one signature without which nobody knows whose question it is.
 */
export const PEERS = ["bare handler", "bare handler, default settings", "bare handler that verifies one signature"] as const;
export type Peer = (typeof PEERS)[number];

export interface Throughput {
  readonly peer: Peer;
  readonly concurrency: number;
  /** Decisions for each answer of the peer in the same time. */
  readonly ratio: number;
  /** The same in processor time of the server: what the asking process takes, and what others do on the machine, is not in it. */
  readonly processor: number;
}

export interface Rate {
  readonly server: "service" | Peer;
  readonly concurrency: number;
  readonly perSecond: number;
  /** The part of one processor that the asking process was busy: near 1 it is what limits. */
  readonly asking: number;
}

export interface HalfLoad {
  readonly server: "service" | Peer;
  readonly perSecond: number;
  /** Milliseconds: medians over the rounds. */
  readonly p50: number;
  readonly p99: number;
}

export interface Client {
  readonly concurrency: number;
  /** Decisions through `pdpClient` for each one through undici in the same time. */
  readonly ratio: number;
  /** The same in processor time of the client. */
  readonly processor: number;
  readonly p50: number;
  readonly p99: number;
  /** Of undici. */
  readonly plain: { readonly p50: number; readonly p99: number };
}

/** Of one kind of question. */
export interface AskedFigures {
  readonly throughput: readonly Throughput[];
  readonly rates: readonly Rate[];
  readonly halfLoad: readonly HalfLoad[];
}

export interface ServiceFigures extends Readonly<Record<Asks, AskedFigures>> {
  readonly clients: readonly Client[];
}

interface Server {
  readonly name: "service" | Peer;
  readonly port: number;
  readonly worker: Worker<Serving>;
  readonly asks: Asks;
}

/** What has no signature has no peer that verifies one. */
const COMPARED: { readonly [asks in Asks]: readonly Peer[] } = { decision: PEERS, evaluation: PEERS.slice(0, 2) };

/** Servers, each in a process of its own, and one process that asks them in turn. */
export async function measureService(scale: ServiceScale): Promise<ServiceFigures> {
  const workers: Worker<Serving>[] = [];
  const start = (): Worker<Serving> => {
    const worker = startWorker<Serving>(new URL("./serving.ts", import.meta.url));
    workers.push(worker);
    return worker;
  };
  const loading = startWorker<Loading>(new URL("./loading.ts", import.meta.url));
  try {
    const service = start();
    const meeting: Meeting = await service.ask("servePdp", null);
    await loading.ask("meet", meeting);
    const serverOf = (asks: Asks): Server => ({ name: "service", port: meeting.port, worker: service, asks });
    const figuresOf = async (asks: Asks): Promise<AskedFigures> => {
      const peers = await Promise.all(COMPARED[asks].map((name) => peerOf(name, asks, start(), meeting)));
      const servers = [serverOf(asks), ...peers];
      const { throughput, rates } = await throughputOf(servers, loading, scale);
      const most = Math.max(...rates.filter(({ server }) => server === "service").map(({ perSecond }) => perSecond));
      return { throughput, rates, halfLoad: await halfLoadOf(servers, loading, scale, most / 2) };
    };
    const decision = await figuresOf("decision");
    const clients = await clientsOf(serverOf("decision"), loading, scale);
    return { decision, clients, evaluation: await figuresOf("evaluation") };
  } finally {
    for (const worker of [...workers, loading]) worker.close();
  }
}

async function peerOf(name: Peer, asks: Asks, worker: Worker<Serving>, { answers, jwk }: Meeting): Promise<Server> {
  const server = name === "bare handler, default settings" ? "default" : "same";
  const bare = { answer: answers[asks], server, jwk: name === "bare handler that verifies one signature" ? jwk : undefined } as const;
  return { name, port: await worker.ask("serveBare", bare), worker, asks };
}

function addressOf({ name, port, asks }: Server): Pick<Load, "port" | "asks" | "isFresh"> {
  return { port, asks, isFresh: name === "service" };
}

interface Once extends Loaded {
  readonly count: number;
  /** Milliseconds of processor time of the server. */
  readonly serving: number;
}

async function ask({ worker }: Server, count: number, load: (count: number) => Promise<Loaded>): Promise<Once> {
  const before = await worker.ask("usage", null);
  const loaded = await load(count);
  const serving = ((await worker.ask("usage", null)) - before) / 1000;
  await worker.ask("forget", null);
  return { ...loaded, count, serving };
}

/** The count that takes about as long as it should; the first ones compile. */
async function calibrate(milliseconds: number, run: (count: number) => Promise<Loaded>, least: number): Promise<number> {
  let count = least;
  for (let warm = 0; warm < 6; warm++) {
    const loaded = await run(count);
    count = Math.max(least, Math.min(count * 4, Math.round((count * milliseconds) / loaded.milliseconds)));
  }
  return count;
}

async function throughputOf(servers: readonly Server[], loading: Worker<Loading>, { rounds, loadMilliseconds, concurrencies }: ServiceScale) {
  const throughput: Throughput[] = [];
  const rates: Rate[] = [];
  for (const concurrency of concurrencies) {
    const run = (server: Server, count: number): Promise<Once> =>
      ask(server, count, (each) => loading.ask("closed", { ...addressOf(server), concurrency, count: each }));
    const counts = new Map<Server, number>();
    for (const server of servers) counts.set(server, await calibrate(loadMilliseconds, (count) => run(server, count), concurrency * 2));
    const all = new Map<Server, Once[]>(servers.map((server) => [server, []]));
    for (let round = 0; round < rounds; round++)
      for (const [step] of servers.entries()) {
        const server = servers[(round + step) % servers.length] as Server;
        all.get(server)?.push(await run(server, counts.get(server) ?? 1));
      }
    const [ours, ...peers] = servers.map((server) => ({ server: server.name, runs: all.get(server) ?? [] }));
    for (const { server, runs } of peers) {
      const ratioOf = (cost: (once: Once) => number): number => median((ours?.runs ?? []).map((once, round) => cost(runs[round] as Once) / cost(once)));
      const ratio = ratioOf(({ milliseconds, count }) => milliseconds / count);
      throughput.push({ peer: server as Peer, concurrency, ratio, processor: ratioOf(({ serving, count }) => serving / count) });
    }
    for (const server of servers) {
      const runs = all.get(server) ?? [];
      const perSecond = median(runs.map(({ count, milliseconds }) => (count * 1000) / milliseconds));
      rates.push({ server: server.name, concurrency, perSecond, asking: median(runs.map(({ asking, milliseconds }) => asking / milliseconds)) });
    }
  }
  return { throughput, rates };
}

/** At the same rate all of them: half of what the service can do. */
async function halfLoadOf(servers: readonly Server[], loading: Worker<Loading>, { rounds, loadMilliseconds }: ServiceScale, perSecond: number) {
  const all = new Map<Server, Loaded[]>(servers.map((server) => [server, []]));
  // A hundredth of it must be some questions.
  const count = Math.max(10, Math.round((perSecond * loadMilliseconds * 2) / 1000));
  for (let round = -1; round < rounds; round++)
    for (const [step] of servers.entries()) {
      const server = servers[(round + 1 + step) % servers.length] as Server;
      const loaded = await ask(server, count, () => loading.ask("open", { ...addressOf(server), concurrency: 64, count, perSecond }));
      if (round >= 0) all.get(server)?.push(loaded);
    }
  return servers.map((server): HalfLoad => {
    const runs = all.get(server) ?? [];
    return { server: server.name, perSecond, p50: median(runs.map(({ p50 }) => p50)), p99: median(runs.map(({ p99 }) => p99)) };
  });
}

async function clientsOf(service: Server, loading: Worker<Loading>, { rounds, loadMilliseconds, concurrencies }: ServiceScale): Promise<readonly Client[]> {
  const figures: Client[] = [];
  for (const concurrency of concurrencies) {
    const run = (client: "pdpClient" | "undici", count: number): Promise<Once> =>
      ask(service, count, (each) => loading.ask("through", { client, count: each, concurrency }));
    const count = await calibrate(loadMilliseconds, (each) => run("pdpClient", each), concurrency * 2);
    await calibrate(loadMilliseconds, (each) => run("undici", each), concurrency * 2);
    const [ours, plain]: [Once[], Once[]] = [[], []];
    for (let round = 0; round < rounds; round++)
      for (const client of round % 2 === 0 ? (["undici", "pdpClient"] as const) : (["pdpClient", "undici"] as const))
        (client === "undici" ? plain : ours).push(await run(client, count));
    const ratioOf = (cost: (once: Once) => number): number => median(ours.map((once, round) => cost(plain[round] as Once) / cost(once)));
    const times = (runs: readonly Once[]): { readonly p50: number; readonly p99: number } => ({
      p50: median(runs.map(({ p50 }) => p50)),
      p99: median(runs.map(({ p99 }) => p99)),
    });
    figures.push({
      concurrency,
      ratio: ratioOf(({ milliseconds }) => milliseconds),
      processor: ratioOf(({ asking }) => asking),
      ...times(ours),
      plain: times(plain),
    });
  }
  return figures;
}
