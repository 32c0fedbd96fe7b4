import { createPublicKey, verify } from "node:crypto";
import { createServer, type AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { chainOf, type AccessRequest } from "@ambit/core";
import { ENDPOINTS } from "@ambit/core/pdp-client";
import type { PrivateJwk } from "@ambit/core/token";
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
  /** An answer, as it is sent. */
  readonly answer: string;
}

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
    const callers = [{ kind: "secret", name: "app", digest: secretDigest(secret), roles: ["enforce", "assert"], tenants: "any" }] as const;
    await servePdp(createPdpService({ pdp: world.pdp, url, callers }), { port });
    return { port, url, secret, decide, chain, jwk: world.jwk, answer: JSON.stringify(ENDPOINTS.decide.answer.write(decision)) };
  },
  serveBare: async ({ answer, server, jwk }) => {
    const app = bare(answer, jwk);
    if (server === "default") return new Promise((resolve) => void serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => resolve(port)));
    return (await servePdp({ fetch: async (request) => app.fetch(request), drain: () => undefined }, { port: 0 })).port;
  },
  usage: async () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  forget: async () => forget(),
});

function bare(answer: string, jwk: PrivateJwk | undefined): Hono {
  const [told, app] = [JSON.parse(answer) as object, new Hono()];
  const key = jwk === undefined ? undefined : createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, format: "jwk" });
  app.post(ENDPOINTS.decide.path, async (context) => {
    const question = await context.req.json<{ readonly context: { readonly presentation: { readonly pop: string } } }>();
    if (key !== undefined) {
      const { pop } = question.context.presentation;
      const end = pop.lastIndexOf(".");
      if (!verify(null, Buffer.from(pop.slice(0, end)), key, Buffer.from(pop.slice(end + 1), "base64url"))) return context.body(null, 403);
    }
    return context.json(told);
  });
  return app;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}
