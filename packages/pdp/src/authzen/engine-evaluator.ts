import { demandsOn } from "../approvals/demand.ts";
import type { Directory } from "../directory/directory.ts";
import type { Rules } from "../setting.ts";
import { Refused, refusalOf } from "../refusal.ts";
import { allPermit } from "../steps/policy.ts";
import type { Asker, Deed, Evaluator, EvaluatorAnswer, Found, PolicyQuestion, SearchPage, Thing } from "./evaluator.ts";
import { reasonOf, refuse } from "./question.ts";
import { readAsking, toolQuestion, type ToolQuestion } from "./tool-question.ts";

/** What a question about a tool is answered by. */
export type EvaluatedRules = Pick<Rules, "engine" | "manifest" | "agents" | "directory" | "relations" | "approvals">;

/** Candidates of a search that are asked about together, and those that are looked at before it gives out a page, however few it found. */
const AT_ONCE = 100;
const MOST_EXAMINED = 1000;

/**
 * Answers what policy says of a tool call, as step 4 of a decision does: for the user and for the agent that acts for them, both of whom must be permitted, whichever of them is the subject.
 * Who they are is what the directory, the register of agents and the relations say; what the tool and its resource are, the manifest; how far the task has come, the asker. A call
 * that the rules want approved is denied with `approval_required`. Envelopes, ceilings, purposes and budgets are not looked at.
 *
 * In `context`: `tenant`, `purpose` and `arguments`; for a user `agent`, for an agent `delegator` (ids); `task` and `labels`, unless the task has just begun. Searches
 * look through the tools, the registered agents, and the users of the directory: without one, users cannot be searched for.
 */
export function createEngineEvaluator(rules: () => EvaluatedRules, clock: () => number = Date.now): Evaluator {
  const seconds = (): number => Math.floor(clock() / 1000);
  const evaluate = async (questions: readonly PolicyQuestion[], asker: Asker): Promise<readonly EvaluatorAnswer[]> => {
    const now = rules();
    const read = await Promise.all(questions.map((question) => toolQuestion(now, question, asker, seconds()).catch(denialOf)));
    const asked = read.flatMap((one) => ("evaluations" in one ? one.evaluations : []));
    const answers: readonly unknown[] = asked.length === 0 || now.engine.isEmpty ? [] : await now.engine.evaluate(asked);
    // INVARIANT I9: of answers that are fewer nobody knows whose they are.
    if (!now.engine.isEmpty && answers.length !== asked.length) throw new TypeError("the engine left a question out");
    let next = 0;
    return read.map((one) => ("evaluations" in one ? answerOf(now, one, answers.slice(next, (next += one.evaluations.length))) : one));
  };

  /** Asks about the candidates in their order, until there is a page. */
  const sift = async <T>(
    candidates: Candidates,
    { after = "", limit }: SearchPage,
    make: (name: string) => T,
    ask: (made: T) => PolicyQuestion,
    asker: Asker,
  ): Promise<Found<T>> => {
    const results: T[] = [];
    let last = after;
    for (let examined = 0; examined < MOST_EXAMINED; examined += AT_ONCE) {
      const names = await candidates(last, AT_ONCE);
      const made = names.map(make);
      const answers = await evaluate(made.map(ask), asker);
      for (const [index, thing] of made.entries()) {
        const isFound = answers[index]?.decision === true;
        // One more than is wanted is looked for: where there is a next page there is something on it.
        if (isFound && results.length === limit) return { results, next: last };
        if (isFound) results.push(thing);
        last = names[index] ?? last;
      }
      if (names.length < AT_ONCE) return { results };
    }
    return { results, next: last };
  };

  return Object.freeze<Evaluator>({
    evaluate,
    searchSubjects: async (question, page, asker) => {
      const { type } = question.subject;
      if (type !== "user" && type !== "agent") return { results: [] };
      const { tenant } = readAsking({ subject: { type, id: "anyone" }, context: question.context }, seconds());
      const { agents, directory } = rules();
      const candidates = type === "agent" ? among(agents.keys()) : usersOf(directory, tenant, asker);
      return sift(
        candidates,
        page,
        (id): Thing => ({ type, id }),
        (subject) => ({ ...question, subject }),
        asker,
      );
    },
    searchActions: async (question, page, asker) => {
      readAsking(question, seconds());
      const { type, id } = question.resource;
      const { tools } = rules().manifest;
      return sift(
        among(type === "tool" ? [id].filter((tool) => tools.has(tool)) : tools.keys()),
        page,
        (name): Deed => ({ name }),
        (action) => ({ ...question, action }),
        asker,
      );
    },
  });
}

/** The names after one, in order: at most `most`, and fewer only at the end. */
type Candidates = (after: string, most: number) => Promise<readonly string[]>;

function among(names: Iterable<string>): Candidates {
  const sorted = [...names].sort((one, other) => (one < other ? -1 : 1));
  return async (after, most) => sorted.filter((name) => name > after).slice(0, most);
}

/** Throws what `reasonOf` knows where nobody knows who the users are: an empty answer would say that nobody may. */
function usersOf(directory: Directory | undefined, tenant: string, asker: Asker): Candidates {
  if (directory === undefined) return refuse("`users` is not configured here, so they cannot be searched for");
  // INVARIANT I12.
  return async (after, most) => (asker.mayActFor(tenant) ? directory.listUsers(tenant, after, most) : []);
}

function answerOf({ engine, approvals }: EvaluatedRules, { tool, evaluations }: ToolQuestion, answers: readonly unknown[]): EvaluatorAnswer {
  try {
    if (engine.isEmpty) throw new Refused("policy", "no_policy", "there are no policies, so nothing is permitted");
    allPermit(evaluations, answers);
    if (demandsOn(approvals?.rules ?? [], { approvals: [] }, tool).length > 0)
      throw new Refused("approval", "approval_required", `\`${tool.id}\` needs an approval`);
    return { decision: true };
  } catch (error) {
    return denialOf(error);
  }
}

/** INVARIANT I8: whatever stopped a question, it is a deny. */
function denialOf(error: unknown): EvaluatorAnswer {
  const malformed = reasonOf(error);
  if (malformed !== undefined) return { decision: false, context: { reason: "policy_error", error: { status: 400, message: malformed } } };
  const { code, message } = refusalOf(error, "policy", "policy_error", "the call cannot be asked about");
  return { decision: false, context: { reason: code, message } };
}
