import { isJsonObject, type Json, type JsonObject } from "@ambit/core";
import { isAnswer } from "./answer.ts";
import type { Asker, Evaluator, EvaluatorAnswer, PolicyQuestion } from "./evaluator.ts";
import { asObject, given, reasonOf, refuse, readContext, readDeed, readQuestion, readThing } from "./question.ts";

/** What is given once for all (section 7.1.1): each as a whole, nothing is merged. */
const DEFAULTS = ["subject", "action", "resource", "context"] as const;

/** The decision that ends the execution (section 7.1.2.1); `undefined`: none does. */
const SEMANTICS: ReadonlyMap<string, boolean | undefined> = new Map([
  ["execute_all", undefined],
  ["deny_on_first_deny", false],
  ["permit_on_first_permit", true],
]);

/** Section 6. Throws what `reasonOf` knows. */
export async function evaluation(evaluator: Evaluator, json: Json | undefined, asker: Asker): Promise<EvaluatorAnswer> {
  const [answer] = await ask(evaluator, [readQuestion(asObject(json))], asker);
  return answer as EvaluatorAnswer;
}

/** Section 7. Throws what `reasonOf` knows for what is wrong with the message as a whole; a question of it that is none is a deny of its own. */
export async function evaluations(evaluator: Evaluator, json: Json | undefined, asker: Asker, most: number): Promise<JsonObject> {
  const message = asObject(json);
  const items = given(message, "evaluations");
  if (items === undefined || (Array.isArray(items) && items.length === 0)) return (await evaluation(evaluator, json, asker)) as unknown as JsonObject;
  if (!Array.isArray(items)) return refuse("`evaluations` is not a list");
  if (items.length > most) return refuse(`there are more than ${most} evaluations`);
  const last = readSemantic(message);
  const defaults = readDefaults(message);
  const questions = (items as readonly Json[]).map((item) => readItem(item, defaults));
  const answers = last === undefined ? await all(evaluator, questions, asker) : await until(evaluator, questions, asker, last);
  return { evaluations: answers as unknown as readonly Json[] };
}

/** Answers that are all answers, or a deny for each. INVARIANT I8: what the evaluator throws is no reason to permit anything. */
async function ask(evaluator: Evaluator, questions: readonly PolicyQuestion[], asker: Asker): Promise<readonly EvaluatorAnswer[]> {
  const failed = (): readonly EvaluatorAnswer[] => questions.map(() => denied(500, "the question could not be answered"));
  try {
    const answers: unknown = questions.length === 0 ? [] : await evaluator.evaluate(questions, asker);
    if (!Array.isArray(answers) || answers.length !== questions.length || !answers.every(isAnswer)) return failed();
    return (answers as readonly EvaluatorAnswer[]).map(({ decision, context }) => (context === undefined ? { decision } : { decision, context }));
  } catch {
    return failed();
  }
}

async function all(evaluator: Evaluator, read: readonly ReadItem[], asker: Asker): Promise<readonly EvaluatorAnswer[]> {
  const answers = await ask(
    evaluator,
    read.flatMap((item) => ("question" in item ? [item.question] : [])),
    asker,
  );
  let next = 0;
  return read.map((item) => ("question" in item ? (answers[next++] as EvaluatorAnswer) : item.answer));
}

/** The answers up to the first that is `last`. */
async function until(evaluator: Evaluator, read: readonly ReadItem[], asker: Asker, last: boolean): Promise<readonly EvaluatorAnswer[]> {
  const answers: EvaluatorAnswer[] = [];
  for (const item of read) {
    const answer = "question" in item ? ((await ask(evaluator, [item.question], asker))[0] as EvaluatorAnswer) : item.answer;
    answers.push(answer);
    if (answer.decision === last) break;
  }
  return answers;
}

type ReadItem = { readonly question: PolicyQuestion } | { readonly answer: EvaluatorAnswer };

function readItem(item: Json, defaults: JsonObject): ReadItem {
  try {
    if (!isJsonObject(item)) return refuse("the evaluation is not an object");
    const own = Object.fromEntries(DEFAULTS.flatMap((member) => (given(item, member) === undefined ? [] : [[member, given(item, member) as Json]])));
    return { question: readQuestion({ ...defaults, ...own }) };
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    return { answer: denied(400, reason) };
  }
}

/** A default that is malformed makes the message malformed, whether anything falls back to it or not. */
function readDefaults(message: JsonObject): JsonObject {
  const has = (member: (typeof DEFAULTS)[number]): boolean => given(message, member) !== undefined;
  return {
    ...(has("subject") ? { subject: readThing(message, "subject") as unknown as JsonObject } : {}),
    ...(has("action") ? { action: readDeed(message) as unknown as JsonObject } : {}),
    ...(has("resource") ? { resource: readThing(message, "resource") as unknown as JsonObject } : {}),
    context: readContext(message),
  };
}

function readSemantic(message: JsonObject): boolean | undefined {
  const options = given(message, "options") ?? {};
  if (!isJsonObject(options)) return refuse("`options` is not an object");
  const semantic = given(options, "evaluations_semantic") ?? "execute_all";
  if (typeof semantic !== "string" || !SEMANTICS.has(semantic)) return refuse(`\`options.evaluations_semantic\` must be ${[...SEMANTICS.keys()].join(", ")}`);
  return SEMANTICS.get(semantic);
}

function denied(status: number, message: string): EvaluatorAnswer {
  return { decision: false, context: { error: { status, message } } };
}
