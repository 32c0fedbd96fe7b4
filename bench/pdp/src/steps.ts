import type { PolicyEngine } from "@ambit/pdp";
import { callsOf } from "./calls.ts";
import { cedar, permitted } from "./embedded.ts";
import { median } from "./measure.ts";
import { createPorts, type Ports } from "./ports.ts";
import { BEGIN, createWorld, PURPOSES, type Kind } from "./scenario.ts";

/**
 * The parts of a decision, in their order. They follow one another without a gap, so that together they are the whole; where one ends is seen at the ports, which in
 * memory do their work before they return.
 */
export const STEPS = ["envelope", "constraint, intent", "facts", "policy", "approval", "commit", "log"] as const;
export type Step = (typeof STEPS)[number];

export interface StepFigures {
  readonly kind: Kind;
  readonly step: Step | "intent" | "policy engine" | "state" | "log port";
  /** Whether it is a part of the step before it that is none. */
  readonly isPart: boolean;
  /** Of the whole decision. */
  readonly share: number;
  readonly microseconds: number;
}

/** When something happened last, in milliseconds. */
interface Marks {
  begun: number;
  opened: number;
  factsAsked: number;
  factsTold: number;
  engineAsked: number;
  engineAnswered: number;
  committing: number;
  stateAsked: number;
  committed: number;
  logAsked: number;
  logged: number;
  ended: number;
}

type Spans = { readonly [step in StepFigures["step"] | "whole"]: number };

export interface Watched {
  /** Milliseconds of each part of each of that many decisions. */
  readonly run: (count: number) => Promise<readonly Spans[]>;
}

/** Takes decisions one at a time and looks at the clock at each port. */
async function watched(kind: Kind, purpose: string): Promise<Watched> {
  const marks: Marks = {
    begun: 0,
    opened: 0,
    factsAsked: 0,
    factsTold: 0,
    engineAsked: 0,
    engineAnswered: 0,
    committing: 0,
    stateAsked: 0,
    committed: 0,
    logAsked: 0,
    logged: 0,
    ended: 0,
  };
  const tell = performance.now.bind(performance);
  const ports = createPorts();
  const engine = cedar("compiled");
  const world = await createWorld(
    kind,
    {
      state: watchedState(ports, marks, tell),
      log: {
        append: (body) => {
          marks.logAsked = tell();
          const appended = ports.log.append(body);
          marks.logged = tell();
          return appended;
        },
      },
      engine: watchedEngine(engine, marks, tell),
      // What follows the policies is asked for the time only when everything is ready to be committed.
      now: () => {
        if (marks.engineAnswered > marks.begun && !(marks.committing > marks.begun)) marks.committing = tell();
        return Date.now();
      },
    },
    ports,
  );
  const calls = await callsOf(world, { ...BEGIN, purpose });
  return {
    run: async (count) => {
      const requests = await calls(count);
      const spans: Spans[] = [];
      for (const request of requests) {
        marks.begun = tell();
        await permitted(world.pdp, request);
        marks.ended = tell();
        spans.push(spansOf(marks));
      }
      ports.forget();
      return spans;
    },
  };
}

function watchedState({ state }: Ports, marks: Marks, tell: () => number): Ports["state"] {
  return {
    ...state,
    revokedAt: (tenantId, scopes) => {
      const told = state.revokedAt(tenantId, scopes);
      marks.opened = tell();
      return told;
    },
    facts: (tenantId, lineage) => {
      marks.factsAsked = tell();
      const facts = state.facts(tenantId, lineage);
      marks.factsTold = tell();
      return facts;
    },
    commit: (commit) => {
      marks.stateAsked = tell();
      const answer = state.commit(commit);
      marks.committed = tell();
      return answer;
    },
  };
}

function watchedEngine(engine: PolicyEngine, marks: Marks, tell: () => number): PolicyEngine {
  return {
    ...engine,
    evaluate: (evaluations) => {
      marks.engineAsked = tell();
      const answers = engine.evaluate(evaluations);
      marks.engineAnswered = tell();
      return answers;
    },
  };
}

function spansOf(marks: Marks): Spans {
  const { begun, opened, factsAsked, factsTold, engineAsked, engineAnswered, committing, stateAsked, committed, logAsked, logged, ended } = marks;
  return {
    whole: ended - begun,
    envelope: opened - begun,
    "constraint, intent": factsAsked - opened,
    intent: Number.NaN,
    facts: factsTold - factsAsked,
    policy: engineAnswered - factsTold,
    "policy engine": engineAnswered - engineAsked,
    approval: committing - engineAnswered,
    commit: committed - committing,
    state: committed - stateAsked,
    log: ended - committed,
    "log port": logged - logAsked,
  };
}

const PARTS: { readonly [step in Step]?: StepFigures["step"] } = { "constraint, intent": "intent", policy: "policy engine", commit: "state", log: "log port" };

/** Medians over the rounds of what each part of a decision took; handles and signed envelopes, and short and long lines of purposes, take turns. */
export async function breakdown(rounds: number, decisions: number): Promise<readonly StepFigures[]> {
  const subjects: { readonly kind: Kind; readonly short: Watched; readonly long: Watched }[] = [];
  for (const kind of ["handle", "signed"] as const)
    subjects.push({ kind, short: await watched(kind, PURPOSES[0] ?? ""), long: await watched(kind, PURPOSES.at(-1) ?? "") });
  const found = new Map<string, number[]>();
  const note = (kind: Kind, name: string, value: number): void => void found.set(`${kind} ${name}`, [...(found.get(`${kind} ${name}`) ?? []), value]);
  for (let round = -Math.ceil(rounds / 2); round < rounds; round++) {
    for (const { kind, short, long } of subjects) {
      const [spans, longer] = [await short.run(decisions), await long.run(decisions)];
      if (round < 0) continue;
      const middle = (all: readonly Spans[], name: keyof Spans): number => median(all.map((one) => one[name]));
      for (const name of Object.keys(spans[0] ?? {}) as (keyof Spans)[]) if (name !== "intent") note(kind, name, middle(spans, name));
      note(kind, "intent", (middle(longer, "constraint, intent") - middle(spans, "constraint, intent")) / (PURPOSES.length - 1));
    }
  }
  const of = (kind: Kind, name: string): number => median(found.get(`${kind} ${name}`) ?? []);
  return subjects.flatMap(({ kind }) => {
    // Medians of parts do not add up to the median of the whole; the shares are of their sum.
    const whole = STEPS.reduce((sum, step) => sum + of(kind, step), 0);
    const figures = (step: StepFigures["step"], isPart: boolean): StepFigures => ({
      kind,
      step,
      isPart,
      share: of(kind, step) / whole,
      microseconds: of(kind, step) * 1000,
    });
    return STEPS.flatMap((step) => [figures(step, false), ...(PARTS[step] === undefined ? [] : [figures(PARTS[step], true)])]);
  });
}
