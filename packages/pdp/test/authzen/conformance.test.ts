import { createCedarEvaluator } from "@ambit/pdp/authzen";
import { describe, expect, it } from "vitest";
import { CASES } from "./conformance/cases.ts";
import { CERTIFICATION } from "./conformance/fixture.ts";
import { runConformance, type Result } from "./conformance/run.ts";
import { fixture } from "../support/fixture.ts";
import { ASKER, serveAll, serveAuthzen } from "./serve.ts";

const problems = (results: readonly Result[]): readonly string[] =>
  results.flatMap(({ level, name, problem }) => (problem === undefined ? [] : [`${level}: ${name}: ${problem}`]));

describe("the certification scenario of AuthZEN, over HTTP", () => {
  it("is passed at all levels", async () => {
    const url = await serveAuthzen(createCedarEvaluator(CERTIFICATION));
    const results = await runConformance({ url, headers: ASKER, allowHttp: true });
    expect(problems(results)).toEqual([]);
    expect(results.length).toBeGreaterThan(CASES.length);
    expect(new Set(results.map(({ level }) => level)).size).toBe(7);
  });

  // AUTHZEN_URL=https://pdp.example AUTHZEN_AUTHORIZATION="Bearer …": another decision point, which knows the fixture.
  it.skipIf(process.env["AUTHZEN_URL"] === undefined)("is passed at all levels by the decision point that the environment names", async () => {
    const { AUTHZEN_URL: url = "", AUTHZEN_AUTHORIZATION: authorization = "" } = process.env;
    expect(problems(await runConformance({ url, headers: authorization === "" ? {} : { authorization }, allowHttp: true }))).toEqual([]);
  });

  // What `ambit pdp serve` answers about are tool calls: it knows no alice, and cannot be told of one.
  it("is passed by the service as it is served, wherever it is not about things of its own", async () => {
    const results = await runConformance({ url: await serveAll(await fixture()), headers: ASKER, allowHttp: true });
    const isAboutNothing = ({ level, name }: Result): boolean =>
      level === "discovery" || name.startsWith("a request id ") || (name.endsWith(" is a bad request") && !name.startsWith("a search of resources "));
    const expected = results.filter(isAboutNothing);
    expect(problems(expected)).toEqual([]);
    expect(new Set(expected.map(({ level }) => level))).toEqual(new Set(["basic core", "search core", "discovery"]));
    expect(expected.length).toBeGreaterThan(20);
    expect(problems(results).filter((problem) => problem.endsWith("the decision is true"))).toEqual([]);
  });

  it("is not passed by who permits everything, nothing, or answers nobody", async () => {
    const decided = (decision: boolean) => serveAuthzen({ evaluate: async (questions) => questions.map(() => ({ decision })) });
    for (const decision of [true, false]) {
      const found = problems(await runConformance({ url: await decided(decision), headers: ASKER, allowHttp: true }));
      expect(found).toContain(`basic core: ${decision ? "bob writes record 1: no" : "alice reads record 1: yes"}: the decision is ${decision}`);
      expect(found).toContain("search core: who may read record 1: the status is 404");
    }
    const unknown = problems(await runConformance({ url: await serveAuthzen(createCedarEvaluator(CERTIFICATION)), allowHttp: true }));
    expect(unknown).toContain("basic core: alice reads record 1: yes: the status is 401");
  });
});
