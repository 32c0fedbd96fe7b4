import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createCedarEvaluator, createAuthzenEngine, allOf, type AuthzenEngineOptions, type Evaluator } from "@ambit/pdp/authzen";
import type { Evaluation, PolicyAnswer, PolicyEngine } from "@ambit/pdp";
import { AmbitError } from "@ambit/core";
import { describe, expect, it } from "vitest";
import { closeAfter } from "../server/scene.ts";
import { freePort } from "../support/free-port.ts";
import { FAULTS } from "../server/fault-proxy.ts";
import { BEGIN, fixture, outcomeOf } from "../support/fixture.ts";
import { ASKER, serveAuthzen } from "./serve.ts";

const user = { type: "user", id: "user_1", properties: { tenant: "tenant_1" } };
const agent = { type: "agent", id: "reviewer", properties: { tenant: "tenant_1", trust_zone: "first_party" } };
const resource = { type: "Contract", id: "k1" };
const context = { agent, delegator: user, tenant: "tenant_1" };
const QUESTIONS: readonly Evaluation[] = [user, agent].map((subject) => ({ subject, action: { name: "contracts.read" }, resource, context }));

type Handler = (path: string, body: Record<string, unknown>, response: ServerResponse, request: IncomingMessage) => unknown;

/** A foreign decision point: answers with JSON, or as its handler does by itself. */
async function foreign(handler: Handler): Promise<string> {
  const port = await freePort();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const answer = handler(request.url ?? "", text === "" ? {} : (JSON.parse(text) as Record<string, unknown>), response, request);
      if (answer !== undefined) response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  closeAfter({
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
  return `http://127.0.0.1:${port}`;
}

function engineOf(url: string, options: Partial<AuthzenEngineOptions> = {}): PolicyEngine {
  const engine = createAuthzenEngine({ url, allowLoopback: true, deadline: 2000, ...options });
  closeAfter({ close: async () => engine.close() });
  return engine;
}

const metadataOf = (url: string, more: object = {}): object => ({
  policy_decision_point: url,
  access_evaluation_endpoint: `${url}/one`,
  access_evaluations_endpoint: `${url}/several`,
  ...more,
});
const said = (answers: readonly PolicyAnswer[]): readonly string[] => answers.map(({ effect, errors }) => (errors.length > 0 ? "error" : effect));

/** Its metadata are as they should be; the questions are answered with `answer`. */
const answering = (answer: Handler): Promise<string> => {
  const handler: Handler = (path, body, response, request) => {
    const url = `http://${request.headers.host}`;
    return path === "/.well-known/authzen-configuration" ? metadataOf(url) : answer(path, body, response, request);
  };
  return foreign(handler);
};

describe("a foreign decision point as an engine", () => {
  it("is asked everything in one message, and permits what it says yes to", async () => {
    const asked: Record<string, unknown>[] = [];
    const url = await answering((path, body) => {
      asked.push({ path, ...body });
      return {
        evaluations: (body["evaluations"] as readonly { readonly subject: { readonly id: string } }[]).map(({ subject }) => ({
          decision: subject.id === "user_1",
        })),
      };
    });
    expect(said(await engineOf(url).evaluate(QUESTIONS))).toEqual(["permit", "deny"]);
    expect(asked).toEqual([{ path: "/several", action: { name: "contracts.read" }, resource, context, evaluations: [{ subject: user }, { subject: agent }] }]);
  });

  it("that takes no batches is asked one by one", async () => {
    const paths: string[] = [];
    const url = await foreign((path, body, _, request) => {
      paths.push(path);
      if (path.includes("well-known")) return { ...metadataOf(`http://${request.headers.host}`), access_evaluations_endpoint: null };
      return { decision: (body["subject"] as { readonly type: string }).type === "agent" };
    });
    expect(said(await engineOf(url).evaluate(QUESTIONS))).toEqual(["deny", "permit"]);
    expect(paths).toEqual(["/.well-known/authzen-configuration", "/one", "/one"]);
  });

  it("says once where it is asked, until that is too long ago, and is not asked at all where it is told to have no metadata", async () => {
    const paths: string[] = [];
    let time = 0;
    const url = await answering((path) => (paths.push(path), { evaluations: [{ decision: true }, { decision: true }] }));
    const engine = engineOf(url, { discovery: "none" });
    expect(said(await engine.evaluate(QUESTIONS))).toEqual(["permit", "permit"]);
    expect(paths).toEqual(["/access/v1/evaluations"]);
    let fetched = 0;
    const counting = await foreign((path, _, __, request) =>
      path.includes("well-known") ? (fetched++, metadataOf(`http://${request.headers.host}`)) : { evaluations: [{ decision: true }, { decision: true }] },
    );
    const caching = engineOf(counting, { metadataLifetime: 1000, now: () => time });
    for (const at of [0, 999, 1000, 1500]) {
      time = at;
      expect(said(await caching.evaluate(QUESTIONS))).toEqual(["permit", "permit"]);
    }
    expect(fetched).toBe(2);
  });

  it.each<readonly [string, (url: string) => unknown]>([
    ["of another decision point", () => metadataOf("https://evil.example")],
    ["with a slash too many", (url) => ({ ...metadataOf(url), policy_decision_point: `${url}/` })],
    ["that lead to another host", (url) => metadataOf(url, { access_evaluations_endpoint: "https://evil.example/access/v1/evaluations" })],
    ["that lead to another port", (url) => metadataOf(url, { access_evaluation_endpoint: "http://127.0.0.1:1/one" })],
    ["without a place to ask at", (url) => ({ policy_decision_point: url })],
    ["that are a list", () => []],
    ["that are nothing", () => null],
  ])("with metadata %s is not believed, and gets no credentials", async (_, metadata) => {
    const credentials: unknown[] = [];
    const url = await foreign((path, __, response, request) => {
      credentials.push(request.headers.authorization);
      if (!path.includes("well-known")) return { evaluations: [{ decision: true }, { decision: true }] };
      return void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(metadata(`http://${request.headers.host}`)));
    });
    expect(said(await engineOf(url, { authorization: () => "Bearer secret" }).evaluate(QUESTIONS))).toEqual(["error", "error"]);
    expect(credentials).toEqual([undefined]);
  });

  it.each<readonly [string, unknown]>([
    ["one answer for two questions", { evaluations: [{ decision: true }] }],
    ["three answers for two questions", { evaluations: [{ decision: true }, { decision: true }, { decision: true }] }],
    ["one answer for the whole", { decision: true }],
    ["a yes as text", { evaluations: [{ decision: "true" }, { decision: true }] }],
    ["a yes as a number", { evaluations: [{ decision: true }, { decision: 1 }] }],
    ["a yes without a name", { evaluations: [true, true] }],
    ["a context that is none", { evaluations: [{ decision: true, context: "c" }, { decision: true }] }],
    ["a list", [{ decision: true }, { decision: true }]],
    ["nothing", null],
  ])("that answers %s has answered nothing", async (_, answer) => {
    const url = await answering((_path, _body, response) => void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer)));
    expect(said(await engineOf(url).evaluate(QUESTIONS))).toEqual(["error", "error"]);
  });

  it("that permits with obligations has not permitted, and an error of one question is not one of the other", async () => {
    const obligation = { id: "1", type: "notification", properties: { to: "a", body: "b" } };
    const answers = [
      { decision: true, context: { obligations: [obligation] } },
      { decision: true, context: { obligations: [] } },
    ];
    expect(said(await engineOf(await answering(() => ({ evaluations: answers }))).evaluate(QUESTIONS))).toEqual(["error", "permit"]);
    const odd = [
      { decision: true, context: { obligations: "all" } },
      { decision: false, context: { obligations: [obligation] } },
    ];
    expect(said(await engineOf(await answering(() => ({ evaluations: odd }))).evaluate(QUESTIONS))).toEqual(["error", "deny"]);
    const failed = [
      { decision: false, context: { error: { status: 500, message: "no" } } },
      { decision: true, context: { reason: "because" } },
    ];
    expect(said(await engineOf(await answering(() => ({ evaluations: failed }))).evaluate(QUESTIONS))).toEqual(["error", "permit"]);
  });

  it("that answers another request has answered nothing", async () => {
    const answer = JSON.stringify({ evaluations: [{ decision: true }, { decision: true }] });
    const url = await answering((_, __, response, request) => {
      const id = request.headers["x-request-id"];
      return void response.writeHead(200, { "content-type": "application/json", "x-request-id": `${String(id)}x` }).end(answer);
    });
    expect(said(await engineOf(url).evaluate(QUESTIONS))).toEqual(["error", "error"]);
  });

  // What our own service may not say to our own client is more than this; what is left over are faults of any answer over HTTP.
  const BROKEN = FAULTS.filter(([name]) => !/^says|^is overloaded/.test(name));
  it.each(BROKEN)("that %s permits nothing, in time", async (_, does) => {
    const url = await answering((__, ___, response, request) => void does(response, request, () => undefined));
    expect(said(await engineOf(url, { deadline: 150 }).evaluate(QUESTIONS))).toEqual(["error", "error"]);
  });

  const YES = JSON.stringify({ evaluations: [{ decision: true }, { decision: true }] });
  it.each<readonly [number, Readonly<Record<string, string>>]>([
    [201, { "content-type": "application/json" }],
    [203, { "content-type": "application/json" }],
    [302, { "content-type": "application/json", location: "/elsewhere" }],
    [403, { "content-type": "application/json" }],
    [500, { "content-type": "application/json" }],
    [200, {}],
    [200, { "content-type": "text/plain" }],
    [200, { "content-type": "application/json-seq" }],
    [200, { "content-type": "application/json; charset=utf-16" }],
    [200, { "content-type": "application/json", "content-encoding": "gzip" }],
  ])("that says yes with the status %s and the headers %j has not permitted", async (status, headers) => {
    const url = await answering((_, __, response) => void response.writeHead(status, headers).end(YES));
    expect(said(await engineOf(url).evaluate(QUESTIONS))).toEqual(["error", "error"]);
  });

  it("that closes a connection just when it is used again is asked once more, and not more often", async () => {
    const asked = new Map<unknown, number>();
    let isBroken = false;
    const url = await answering((_, __, response, { socket }) => {
      const times = (asked.get(socket) ?? 0) + 1;
      asked.set(socket, times);
      if (times > 1 || isBroken) return void socket.resetAndDestroy();
      return void response.writeHead(200, { "content-type": "application/json" }).end(YES);
    });
    const engine = engineOf(url);
    for (let index = 0; index < 4; index++) expect(said(await engine.evaluate(QUESTIONS))).toEqual(["permit", "permit"]);
    expect(Math.max(...asked.values())).toBe(2);
    isBroken = true;
    asked.clear();
    expect(said(await engine.evaluate(QUESTIONS))).toEqual(["error", "error"]);
    expect([...asked.values()].reduce((sum, times) => sum + times, 0)).toBeLessThanOrEqual(2);
  });

  it("that is not there, redirects or whose credentials do not come permits nothing", async () => {
    expect(said(await engineOf(`http://127.0.0.1:${await freePort()}`).evaluate(QUESTIONS))).toEqual(["error", "error"]);
    const url = await answering((_, __, response) => void response.writeHead(307, { location: "/elsewhere", "content-type": "application/json" }).end("{}"));
    expect(said(await engineOf(url).evaluate(QUESTIONS))).toEqual(["error", "error"]);
    const fine = await answering(() => ({ evaluations: [{ decision: true }, { decision: true }] }));
    expect(said(await engineOf(fine, { authorization: () => Promise.reject(new Error("no")) }).evaluate(QUESTIONS))).toEqual(["error", "error"]);
    expect(said(await engineOf(fine, { authorization: () => new Promise(() => undefined), deadline: 100 }).evaluate(QUESTIONS))).toEqual(["error", "error"]);
    expect(said(await engineOf(fine).evaluate(QUESTIONS))).toEqual(["permit", "permit"]);
  });

  it("must be one with TLS, or on this host and allowed", () => {
    const code = (url: string, allowLoopback = false): string => {
      try {
        createAuthzenEngine({ url, allowLoopback }).close();
        return "none";
      } catch (error) {
        return AmbitError.isInstance(error) ? error.code : "another";
      }
    };
    expect(code("https://pdp.example")).toBe("none");
    expect(code("https://pdp.example/tenant")).toBe("none");
    expect(code("http://127.0.0.1:1", true)).toBe("none");
    for (const url of [
      "http://127.0.0.1:1",
      "http://pdp.example",
      "https://pdp.example/",
      "https://a:b@pdp.example",
      "https://pdp.example?a",
      "https://pdp.example#a",
      "ftp://a",
      "a",
      "",
    ])
      expect([url, code(url)]).toEqual([url, "option_invalid"]);
    expect(code("http://pdp.example", true)).toBe("option_invalid");
  });

  it("answers step 4 of a call, over our own service with another's policies", async () => {
    const evaluator = createCedarEvaluator({
      schema: `entity user; entity agent; entity Purpose; entity Contract; entity Tool;
        action "ambit:begin" appliesTo { principal: [user, agent], resource: Purpose };
        action "contracts.read" appliesTo { principal: [user, agent], resource: Contract };`,
      policies: [
        { name: "p.cedar", text: `permit (principal, action, resource); forbid (principal == agent::"reviewer", action, resource == Contract::"k2");` },
      ],
    });
    const engine = engineOf(await serveAuthzen(evaluator), { authorization: () => ASKER.authorization });
    const { pep } = await fixture({}, { engine });
    const task = await pep.begin(BEGIN);
    const contract = { customer_id: "c1", title: "t", terms: "r", salary: 7 };
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, contract)).toBe("permit");
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k2" }, contract)).toBe("policy_denied");
    expect(await outcomeOf(pep, task, "tickets_create", { title: "t" })).toBe("policy_denied");
  });

  it("that fails while a call is decided is an error of policy, and the call does not run", async () => {
    let isUp = true;
    const evaluator: Evaluator = { evaluate: async (questions) => questions.map(() => ({ decision: true })) };
    const url = await serveAuthzen(evaluator);
    const engine = engineOf(url, { authorization: () => (isUp ? ASKER.authorization : "Bearer no") });
    const { pep } = await fixture({}, { engine });
    const task = await pep.begin(BEGIN);
    isUp = false;
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" })).toBe("policy_error");
    isUp = true;
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, { customer_id: "c1" })).toBe("permit");
  });
});

describe("engines together", () => {
  const engine = (effects: string, more: Partial<PolicyEngine> = {}): PolicyEngine => ({
    isEmpty: false,
    digest: effects,
    evaluate: async () =>
      [...effects].map((one) => ({ effect: one === "p" ? "permit" : "deny", policies: [`${effects}-${one}`], errors: one === "e" ? ["failed"] : [] }) as const),
    ...more,
  });

  it.each([
    [
      ["pp", "pp"],
      ["permit", "permit"],
    ],
    [
      ["pp", "pd"],
      ["permit", "deny"],
    ],
    [
      ["dp", "pp", "pp"],
      ["deny", "permit"],
    ],
    [
      ["pp", "ep"],
      ["error", "permit"],
    ],
    [
      ["de", "pp"],
      ["deny", "error"],
    ],
    [
      ["p", "pp"],
      ["error", "error"],
    ],
    [
      ["ppp", "pp"],
      ["error", "error"],
    ],
  ])("of which %j answer, answer %j", async (answers, expected) => {
    expect(said(await allOf(answers.map((one) => engine(one))).evaluate(QUESTIONS))).toEqual(expected);
  });

  it.each<readonly [string, PolicyEngine["evaluate"]]>([
    ["rejects", () => Promise.reject(new Error("no"))],
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["answers nonsense", async () => "pp" as never],
    [
      "answers with another word for yes",
      async () =>
        [
          { effect: "allow", policies: [], errors: [] },
          { effect: true, policies: [], errors: [] },
        ] as never,
    ],
    [
      "answers without errors",
      async () =>
        [
          { effect: "permit", policies: [] },
          { effect: "permit", policies: [] },
        ] as never,
    ],
  ])("deny everything when one of them %s", async (_, evaluate) => {
    expect(said(await allOf([engine("pp"), engine("pp", { evaluate })]).evaluate(QUESTIONS))).toEqual(["error", "error"]);
  });

  it("are empty with the first that has no policies, and named after all of them", () => {
    expect(allOf([engine("pp"), engine("pp", { isEmpty: true })]).isEmpty).toBe(true);
    expect(allOf([engine("pp"), engine("pd")]).isEmpty).toBe(false);
    expect(allOf([engine("a"), engine("b")]).digest).not.toBe(allOf([engine("b"), engine("a")]).digest);
    expect(() => allOf([])).toThrow(AmbitError);
  });
});
