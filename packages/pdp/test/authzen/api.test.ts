import { createCedarEvaluator, type Evaluator, type PolicyQuestion } from "@ambit/pdp/authzen";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CERTIFICATION } from "./conformance/fixture.ts";
import { ASKER, post, serveAuthzen } from "./serve.ts";

const alice = { type: "user", id: "alice" };
const read = { name: "read" };
const one = { type: "record", id: "record-1" };
const whole = { subject: alice, action: read, resource: one };

/** Permits the questions whose resource is called `yes`, throws at `throw`, and keeps what it was asked. */
function recorder(): Evaluator & { readonly asked: PolicyQuestion[] } {
  const asked: PolicyQuestion[] = [];
  return {
    asked,
    evaluate: async (questions) => {
      asked.push(...questions);
      if (questions.some(({ resource }) => resource.id === "throw")) throw new Error("no");
      return questions.map(({ resource }) => ({ decision: resource.id === "yes" }));
    },
  };
}

const items = (...ids: readonly string[]) => ids.map((id) => ({ resource: { type: "record", id } }));
const decisions = (answer: Awaited<ReturnType<typeof post>>): unknown =>
  (answer.json["evaluations"] as unknown as readonly { readonly decision: unknown }[])?.map(({ decision }) => decision);

describe("the evaluations endpoint", () => {
  const ask = async (evaluator: Evaluator, body: object) => post(`${await serveAuthzen(evaluator)}/access/v1/evaluations`, body);
  const batch = (semantic: string, ...ids: readonly string[]) => ({
    subject: alice,
    action: read,
    options: { evaluations_semantic: semantic },
    evaluations: items(...ids),
  });

  it.each([
    ["execute_all", ["yes", "no", "yes"], [true, false, true], 3],
    ["deny_on_first_deny", ["yes", "no", "yes"], [true, false], 2],
    ["deny_on_first_deny", ["yes", "yes"], [true, true], 2],
    ["permit_on_first_permit", ["no", "yes", "no"], [false, true], 2],
    ["permit_on_first_permit", ["no", "no"], [false, false], 2],
  ] as const)("answers %s of %j with %j, and asks no further", async (semantic, ids, expected, count) => {
    const evaluator = recorder();
    expect(decisions(await ask(evaluator, batch(semantic, ...ids)))).toEqual(expected);
    expect(evaluator.asked.length).toBe(count);
  });

  it("takes a failure for a denial that ends it, and for no permit", async () => {
    expect(decisions(await ask(recorder(), batch("deny_on_first_deny", "yes", "throw", "yes")))).toEqual([true, false]);
    expect(decisions(await ask(recorder(), batch("permit_on_first_permit", "throw", "yes", "no")))).toEqual([false, true]);
    const malformed = { ...batch("deny_on_first_deny"), evaluations: [...items("yes"), { resource: { type: "record" } }, ...items("yes")] };
    expect(decisions(await ask(recorder(), malformed))).toEqual([true, false]);
  });

  it("says of one that is malformed what is wrong with it, and asks the evaluator about the others", async () => {
    const evaluator = recorder();
    const answer = await ask(evaluator, {
      subject: alice,
      action: read,
      evaluations: [{}, ...items("yes"), "text", { resource: { type: 1, id: "a" } }, { resource: null }],
    });
    expect(decisions(answer)).toEqual([false, true, false, false, false]);
    expect((answer.json["evaluations"] as readonly unknown[])[0]).toEqual({
      decision: false,
      context: { error: { status: 400, message: "`resource` is missing" } },
    });
    expect(evaluator.asked.map(({ resource }) => resource.id)).toEqual(["yes"]);
  });

  it("replaces what was given once as a whole, and merges nothing", async () => {
    const evaluator = recorder();
    const given = { ...whole, subject: { ...alice, properties: { role: "admin" } }, context: { a: 1 } };
    await ask(evaluator, { ...given, evaluations: [{ subject: { type: "user", id: "bob" }, context: { b: 2 } }, {}] });
    expect(evaluator.asked).toEqual([
      { subject: { type: "user", id: "bob" }, action: read, resource: one, context: { b: 2 } },
      { subject: given.subject, action: read, resource: one, context: { a: 1 } },
    ]);
  });

  it.each([
    ["evaluations that are no list", { ...whole, evaluations: {} }],
    ["a semantic that nobody knows", { ...whole, options: { evaluations_semantic: "first" }, evaluations: items("yes") }],
    ["options that are no object", { ...whole, options: [], evaluations: items("yes") }],
    ["a default that is malformed, even if nothing falls back to it", { ...whole, resource: "r", evaluations: items("yes") }],
    ["a question that is none, without evaluations", { subject: alice, action: read, evaluations: [] }],
    ["more than are taken", { ...whole, evaluations: Array.from({ length: 257 }, () => ({})) }],
  ])("refuses %s as a whole", async (_, body) => {
    const evaluator = recorder();
    expect((await ask(evaluator, body)).status).toBe(400);
    expect(evaluator.asked).toEqual([]);
  });

  it.each<readonly [string, Evaluator["evaluate"]]>([
    ["throws", () => Promise.reject(new Error("no"))],
    ["answers one too few", async () => [{ decision: true }]],
    ["answers one too many", async () => [{ decision: true }, { decision: true }, { decision: true }]],
    ["answers with text", async () => ["true", "true"] as never],
    ["answers yes as text", async () => [{ decision: "true" }, { decision: "true" }] as never],
    ["answers with an inherited yes", async () => [Object.create({ decision: true }), Object.create({ decision: true })] as never],
    [
      "answers with a context that is none",
      async () =>
        [
          { decision: true, context: [] },
          { decision: true, context: 1 },
        ] as never,
    ],
    ["answers with no list", async () => ({ length: 2, 0: { decision: true }, 1: { decision: true } }) as never],
  ])("denies everything when the evaluator %s", async (_, evaluate) => {
    expect(decisions(await ask({ evaluate }, { ...whole, evaluations: [{}, {}] }))).toEqual([false, false]);
  });
});

describe("the evaluation endpoint", () => {
  it("takes null for what is left out, and asks about the rest", async () => {
    const evaluator = recorder();
    const url = `${await serveAuthzen(evaluator)}/access/v1/evaluation`;
    expect(
      (await post(url, { ...whole, context: null, subject: { ...alice, properties: { a: null, b: 1 } }, action: { name: "read", properties: null } })).status,
    ).toBe(200);
    expect(evaluator.asked).toEqual([{ ...whole, subject: { ...alice, properties: { b: 1 } }, context: {} }]);
    expect((await post(url, { ...whole, subject: null })).status).toBe(400);
  });

  it("answers errors with words alone, and asks who is asking first", async () => {
    const url = `${await serveAuthzen(recorder())}/access/v1/evaluation`;
    const bad = await post(url, { ...whole, subject: "alice" });
    expect([bad.status, bad.text]).toEqual([400, "`subject` is not an object"]);
    expect((await post(url, whole, {})).status).toBe(401);
    expect((await post(url, whole, { authorization: `Bearer ${"x".repeat(64)}` })).status).toBe(401);
    expect((await post(url, '{"subject":1,"subject":2}')).status).toBe(400);
    expect((await post(url, "[]")).status).toBe(400);
  });

  it("answers any JSON with a boolean or a refusal, and permits no question that was not asked for", async () => {
    const evaluator = recorder();
    const url = `${await serveAuthzen(evaluator)}/access/v1/evaluation`;
    const hostile = fc.oneof(
      fc.constantFrom(
        null,
        0,
        "",
        "yes",
        [],
        {},
        { type: "user", id: "a" },
        { type: "record", id: "yes" },
        { name: "read" },
        { id: "yes" },
        { type: ["record"], id: "yes" },
      ),
      fc.jsonValue(),
    );
    const message = fc.record({ subject: hostile, action: hostile, resource: hostile, context: hostile, ["__proto__"]: hostile }, { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(message, async (body) => {
        const { status, json } = await post(url, body);
        const { resource } = body as { readonly resource?: { readonly type?: unknown; readonly id?: unknown } | null };
        expect([200, 400]).toContain(status);
        if (status === 200) expect(json["decision"]).toBe(resource?.id === "yes");
      }),
      { numRuns: 150 },
    );
  });
});

describe("a search", () => {
  const many = createCedarEvaluator({
    ...CERTIFICATION,
    policies: [{ name: "p.cedar", text: `permit (principal, action == Action::"read", resource) unless { resource == record::"r3" };` }],
    entities: Array.from({ length: 8 }, (_, index) => ({ uid: { type: "record", id: `r${index}` }, attrs: {}, parents: [] })),
    mostExamined: 3,
  });
  const search = { subject: alice, action: read, resource: { type: "record" } };

  async function follow(url: string, limit: number | undefined): Promise<{ readonly names: readonly string[]; readonly sizes: readonly number[] }> {
    const [names, sizes]: [string[], number[]] = [[], []];
    for (let page: object | undefined = limit === undefined ? undefined : { limit }; ;) {
      const { status, json } = await post(url, { ...search, ...(page === undefined ? {} : { page }) });
      expect(status).toBe(200);
      const { results, page: told } = json as unknown as {
        readonly results: readonly { readonly id: string }[];
        readonly page: { readonly next_token: string; readonly count: number };
      };
      expect(told.count).toBe(results.length);
      names.push(...results.map(({ id }) => id));
      sizes.push(results.length);
      if (told.next_token === "") return { names, sizes };
      page = { token: told.next_token };
    }
  }

  it("gives out everything, once and in order, however large the pages are and however little is looked at for one", async () => {
    const url = `${await serveAuthzen(many)}/access/v1/search/resource`;
    for (const limit of [1, 2, 3, 7, 100, undefined]) {
      const { names, sizes } = await follow(url, limit);
      expect(names).toEqual(["r0", "r1", "r2", "r4", "r5", "r6", "r7"]);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(limit ?? 100);
    }
  });

  it("goes on only as it began", async () => {
    const url = `${await serveAuthzen(many)}/access/v1/search/resource`;
    const first = await post(url, { ...search, page: { limit: 1 } });
    const token = (first.json["page"] as { readonly next_token: string }).next_token;
    const status = async (body: object): Promise<number> => (await post(url, body)).status;
    expect(await status({ ...search, page: { token } })).toBe(200);
    expect(await status({ ...search, page: { token, limit: 1 } })).toBe(200);
    expect(await status({ ...search, resource: { type: "record", id: "ignored" }, page: { token } })).toBe(200);
    expect(await status({ ...search, page: { token, limit: 2 } })).toBe(400);
    expect(await status({ ...search, subject: { type: "user", id: "bob" }, page: { token } })).toBe(400);
    expect(await status({ ...search, context: { a: 1 }, page: { token } })).toBe(400);
    expect(await status({ subject: alice, action: read, resource: one, page: { token } })).toBe(200);
    for (const forged of ["x", "bnVsbA", Buffer.from('["r1"]').toString("base64url"), 1, {}])
      expect([forged, await status({ ...search, page: { token: forged } })]).toEqual([forged, 400]);
    for (const limit of [-1, 1.5, "1", true]) expect([limit, await status({ ...search, page: { limit } })]).toEqual([limit, 400]);
    expect(await status({ ...search, page: [] })).toBe(400);
  });

  it("that nobody can make is neither in the metadata nor anywhere else", async () => {
    const url = await serveAuthzen(recorder());
    const metadata = (await (await fetch(`${url}/.well-known/authzen-configuration`)).json()) as object;
    expect(metadata).toEqual({
      policy_decision_point: url,
      access_evaluation_endpoint: `${url}/access/v1/evaluation`,
      access_evaluations_endpoint: `${url}/access/v1/evaluations`,
    });
    expect((await post(`${url}/access/v1/search/subject`, search)).status).toBe(404);
  });

  it("whose evaluator fails is an error, and finds nothing", async () => {
    const failing: Evaluator = { ...recorder(), searchResources: () => Promise.reject(new Error("no")) };
    const answer = await post(`${await serveAuthzen(failing)}/access/v1/search/resource`, search, ASKER);
    expect([answer.status, answer.text]).toEqual([500, "the request could not be answered"]);
  });
});
