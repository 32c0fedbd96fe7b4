import { describe, expect, it } from "vitest";
import { createBatches, type AskAll } from "../../src/state/redis/batches.ts";

/** Answers each question with itself, once it is told to. */
function held(): { readonly askAll: AskAll; readonly asked: (readonly string[])[]; readonly release: () => void } {
  const asked: (readonly string[])[] = [];
  const waiting: (() => void)[] = [];
  const askAll: AskAll = async (tenantId, questions) => {
    asked.push(questions.map((question) => `${tenantId}/${question}`));
    await new Promise<void>((resolve) => void waiting.push(resolve));
    return questions;
  };
  return { askAll, asked, release: () => waiting.splice(0).forEach((resolve) => resolve()) };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `q${index}`);

describe("questions to Redis", () => {
  it("are asked together when they are there at the same time, in two scripts, and keep their order and their answers", async () => {
    const { askAll, asked, release } = held();
    const ask = createBatches(askAll, 5000);
    const answers = Promise.all(names(40).map((name) => ask("t", name)));
    await turn();
    expect(asked.map(({ length }) => length)).toEqual([20, 20]);
    expect(asked.flat()).toEqual(names(40).map((name) => `t/${name}`));
    const late = ask("t", "late");
    await turn();
    expect(asked).toHaveLength(2);
    release();
    expect(await answers).toEqual(names(40));
    await turn();
    release();
    expect([await late, asked.at(-1)]).toEqual(["late", ["t/late"]]);
  });

  it("of one tenant are never in a script with those of another, and do not wait for them", async () => {
    const { askAll, asked, release } = held();
    const ask = createBatches(askAll, 5000);
    const answers = Promise.all(["a", "b", "a", "b"].map((tenant, index) => ask(tenant, `q${index}`)));
    await turn();
    expect(asked).toEqual([
      ["a/q0", "a/q2"],
      ["b/q1", "b/q3"],
    ]);
    release();
    expect(await answers).toEqual(names(4));
  });

  it("are asked again where the server says so, and rejected together with their script only", async () => {
    let scripts = 0;
    const ask = createBatches(async (_, questions) => {
      scripts += 1;
      if (questions.includes("bad")) throw new Error("refused");
      return questions.map((question) => (question === "twice" && scripts === 1 ? ["again"] : question));
    }, 5000);
    expect(await Promise.all([ask("t", "twice"), ask("t", "once")])).toEqual(["twice", "once"]);
    const [bad, beside] = await Promise.allSettled([ask("t", "bad"), ask("t", "beside")]);
    expect([bad?.status, beside?.status]).toEqual(["rejected", "rejected"]);
    expect(await ask("t", "once")).toBe("once");
  });

  it("that were not asked in time are rejected, and not asked later", async () => {
    const { askAll, asked, release } = held();
    const ask = createBatches(askAll, 20);
    const answers = await Promise.allSettled(names(200).map((name) => ask("t", name)));
    for (const answer of answers) expect(answer).toMatchObject({ status: "rejected", reason: { code: "state_unavailable" } });
    expect(asked.map(({ length }) => length)).toEqual([64, 64]);
    release();
    await turn();
    expect(asked).toHaveLength(2);
  });
});
