import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { CANARY } from "./crm.ts";

const text = { type: "string" };
const answers = { responses: { 200: { description: "" } } };
const inPath = (name: string) => ({ in: "path", name, required: true, schema: text });

/** An API as its makers would describe it. */
export const CONTRACTS = {
  openapi: "3.1.0",
  info: { title: "Contracts", version: "1" },
  servers: [{ url: "https://api.example.com/v1" }],
  paths: {
    "/contracts": {
      get: {
        operationId: "contracts_list",
        summary: "Lists contracts.",
        parameters: [
          { in: "query", name: "customer_id", schema: text },
          { in: "query", name: "limit", schema: { type: "integer" } },
        ],
        ...answers,
      },
      post: {
        operationId: "contracts_create",
        requestBody: { required: true, content: { "application/json": { schema: { $ref: "#/components/schemas/Contract" } } } },
        ...answers,
      },
    },
    "/contracts/{contract_id}": {
      parameters: [inPath("contract_id")],
      get: { operationId: "contracts_read", ...answers },
      delete: { operationId: "contracts_delete", ...answers },
    },
    "/answers/{kind}": { parameters: [inPath("kind")], get: { operationId: "answers_get", ...answers }, post: { operationId: "answers_post", ...answers } },
    "/echo": {
      get: {
        operationId: "echo",
        parameters: [
          { in: "header", name: "X-Note", schema: text },
          { in: "header", name: "Authorization", schema: text },
          { in: "cookie", name: "session", schema: text },
        ],
        ...answers,
      },
    },
  },
  components: { schemas: { Contract: { type: "object", properties: { customer_id: text, value: { type: "number" } }, required: ["customer_id"] } } },
};

/** The API itself: it takes nothing without its credential, and writes down what reached it. */
export async function startContractsApi() {
  const reached: string[] = [];
  const bodies: unknown[] = [];
  let refused = 0;
  const app = new Hono().basePath("/v1");
  app.use(async (context, next) => {
    if (context.req.header("authorization") !== `Bearer ${CANARY}`) {
      refused++;
      return context.json({ error: "unauthorized" }, 401);
    }
    reached.push(`${context.req.method} ${new URL(context.req.url).pathname}${new URL(context.req.url).search}`);
    return next();
  });
  app.get("/contracts", (context) => context.json({ records: ["1", "2", "3"].map((id) => ({ id, customer_id: context.req.query("customer_id") ?? "c1" })) }));
  app.post("/contracts", async (context) => {
    bodies.push(await context.req.json());
    return context.json({ id: "4" }, 201);
  });
  app.get("/contracts/:id", (context) => context.json({ id: context.req.param("id") }));
  app.delete("/contracts/:id", (context) => context.body(null, 204));
  app.get("/echo", (context) => context.json(context.req.header()));
  app.all("/answers/:kind", (context) => {
    const make = ANSWERS[context.req.param("kind")];
    return make === undefined ? context.json({ error: "not found" }, 404) : make();
  });
  app.get("/admin", (context) => context.text("moved to where nobody decided"));
  const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    /** `GET /v1/…` of every request that had the credential. */
    reached,
    bodies,
    refused: () => refused,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const of = (body: string | null, type: string, status = 200) => new Response(body, { status, headers: type === "" ? {} : { "content-type": type } });

const ANSWERS: { readonly [kind: string]: () => Response } = {
  object: () => of('{"id":9007199254740993,"name":"n"}', "application/json; charset=utf-8"),
  list: () => of("[1,2]", "application/vnd.api+json"),
  broken: () => of('{"id":', "application/json"),
  text: () => of("a;b", "text/csv"),
  latin: () => of("a;b", "text/csv; charset=iso-8859-1"),
  picture: () => of("png", "image/png"),
  events: () => of("data: 1\n\n", "text/event-stream"),
  empty: () => of(null, "", 204),
  large: () => of(`"${"x".repeat(100_000)}"`, "application/json"),
  missing: () => of(JSON.stringify({ error: "x".repeat(5000) }), "application/json", 404),
  "missing-picture": () => of("png", "image/png", 404),
  failing: () => of("it broke", "text/plain", 503),
  moved: () => new Response(null, { status: 307, headers: { location: "/v1/admin" } }),
};
