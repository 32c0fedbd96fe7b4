import { createPublicKey, verify } from "node:crypto";
import { createServer, type AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { chainOf, type AccessRequest } from "@ambit/core";
import { ENDPOINTS } from "@ambit/core/pdp-client";
import type { PrivateJwk } from "@ambit/core/token";
import { authzenRoutes, createEngineEvaluator } from "@ambit/pdp/authzen";
import { createPdpService, secretDigest, servePdp } from "@ambit/pdp/server";
import { Hono } from "hono";
import { asked, createWorld } from "../scenario.ts";
import { answerQuestions } from "../worker.ts";

/** What a client needs to ask the service. */
export interface Meeting {
  readonly port: number;
  readonly url: string;
  readonly secret: string;
  /** A question that was permitted: those that follow differ in their ids and proofs. */
  readonly decide: AccessRequest;
  readonly chain: readonly string[];
  readonly jwk: PrivateJwk;
  /** Answers, as they are sent. */
  readonly answers: { readonly [asked in Asks]: string };
}

/** `decision`: a call under a signed envelope, with its proof. `evaluation`: what policy says of the same call, by the AuthZEN API. */
export type Asks = "decision" | "evaluation";

interface Bare {
  readonly answer: string;
  /** `same`: with the limits and settings of the service; `default`: as @hono/node-server serves. */
  readonly server: "same" | "default";
  /** Whose signature each proof is to have; absent where nobody looks. */
  readonly jwk: PrivateJwk | undefined;
}

interface Questions {
  readonly [name: string]: (question: never) => Promise<unknown>;
  readonly servePdp: (question: null) => Promise<Meeting>;
  /** A handler that reads the same questions and sends the same answer. */
  readonly serveBare: (question: Bare) => Promise<number>;
  /** Microseconds of processor time so far. */
  readonly usage: (question: null) => Promise<number>;
  readonly forget: (question: null) => Promise<void>;
}

/** A process with one server in it. */
export type Serving = Questions;

let forget = (): void => undefined;

answerQuestions<Questions>({
  servePdp: async () => {
    const world = await createWorld("signed");
    const { task, decide, decision } = await asked(world);
    const chain = chainOf(task);
    if (world.jwk === undefined || chain === undefined) throw new Error("the envelope is not signed");
    forget = world.ports.forget;
    const secret = "the-secret-of-an-enforcement-point-long-enough";
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const callers = [{ kind: "secret", name: "app", digest: secretDigest(secret), roles: ["enforce", "assert", "evaluate"], tenants: "any" }] as const;
    const routes = authzenRoutes({ evaluator: createEngineEvaluator(() => world.pdp.rules()), url });
    await servePdp(createPdpService({ pdp: world.pdp, url, callers, routes }), { port });
    const answers = { decision: JSON.stringify(ENDPOINTS.decide.answer.write(decision)), evaluation: JSON.stringify({ decision: true }) };
    return { port, url, secret, decide, chain, jwk: world.jwk, answers };
  },
  serveBare: async ({ answer, server, jwk }) => {
    const handle = bareHandler(answer, jwk);
    if (server === "default") {
      const app = new Hono().post("*", async (context) => context.json(await handle(context.req.raw)));
      return new Promise((resolve) => void serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => resolve(port)));
    }
    const written = async (request: Request) => ({ status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(await handle(request)) });
    return (await servePdp({ answer: written, drain: () => undefined }, { port: 0 })).port;
  },
  usage: async () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  forget: async () => forget(),
});

/** Reads the question, and says what the answer is. */
function bareHandler(answer: string, jwk: PrivateJwk | undefined): (request: Request) => Promise<object> {
  const told = JSON.parse(answer) as object;
  const key = jwk === undefined ? undefined : createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, format: "jwk" });
  return async (request) => {
    const question = (await request.json()) as { readonly context: { readonly presentation: { readonly pop: string } } };
    if (key === undefined) return told;
    const { pop } = question.context.presentation;
    const end = pop.lastIndexOf(".");
    if (!verify(null, Buffer.from(pop.slice(0, end)), key, Buffer.from(pop.slice(end + 1), "base64url"))) throw new Error("not signed");
    return told;
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}
