import type { EnvelopeSource, Pep, RefusalCode } from "@ambit/core";
import { expect } from "./runner.ts";
import type { Harness, KitTool, ModelCall, Scene, Shown, Turn } from "./harness.ts";
import { textsIn } from "./texts.ts";

/** A tool, and what its body was run with. */
export interface Watched {
  readonly tool: KitTool;
  readonly ran: unknown[];
}

/** A tool that writes down what it is run with; it answers two notes unless told otherwise. */
export function watch(harness: Harness, change: Partial<KitTool> = {}): Watched {
  const ran: unknown[] = [];
  const { run = () => NOTES, stream, ...rest } = change;
  const note = (args: unknown): void => void ran.push(structuredClone(args));
  const tool: KitTool = {
    name: "notes_read",
    description: "Reads notes.",
    input: "open",
    result: harness.results[0],
    failure: "thrown",
    ...rest,
    run: (args, signal) => {
      note(args);
      return run(args, signal);
    },
    ...(stream === undefined
      ? {}
      : {
          stream: async function* (args, signal) {
            note(args);
            return yield* stream(args, signal);
          },
        }),
  };
  return { tool, ran };
}

const NOTES = { notes: [{ text: "the first note" }, { text: "the second note" }] } as const;
export const CALL: ModelCall = { id: "call-1", name: "notes_read", args: { topic: "renewal" } };

/** How one call ended. */
export interface Ending {
  readonly turn: Turn;
  /** The only answer that the model was shown. */
  readonly shown: Shown;
  /** Everything that anybody but the tool could see, as text. */
  readonly everything: string;
}

/** One call of one tool in a run that goes on to its end; the call gets exactly one answer, under its own id. */
export async function runOne(harness: Harness, scene: Omit<Scene, "tools" | "calls"> & { readonly tool: KitTool; readonly call?: ModelCall }): Promise<Ending> {
  const { tool, call = { ...CALL, name: tool.name }, ...rest } = scene;
  const turn = await harness.run({ ...rest, tools: [tool], calls: [call] });
  expect(turn.failure, "what the run rejected with").toBeUndefined();
  expect(
    turn.shown.map(({ id }) => id),
    "the calls that were answered",
  ).toEqual([call.id]);
  return { turn, shown: turn.shown[0] as Shown, everything: everythingOf(turn) };
}

export function everythingOf(turn: Turn): string {
  return `${turn.shown.map(({ text }) => text).join("\n")}\n${textsIn(turn.seen)}\n${textsIn(turn.failure)}`;
}

/** The verdict on a call, from what the model is shown: the code of a refusal, `undefined` for anything else. */
export function codeIn({ isError, text }: Shown): RefusalCode | undefined {
  if (!isError) return undefined;
  try {
    const { error, ...rest } = JSON.parse(text) as { readonly error: Readonly<Record<string, unknown>> };
    const members = Object.keys(error).filter((member) => member !== "requestable");
    const isShape = members.join() === "code,message,decisionId,retryable" && Object.keys(rest).length === 0 && typeof error["retryable"] === "boolean";
    return isShape ? (error["code"] as RefusalCode) : undefined;
  } catch {
    return undefined; // an error of the tool or of the framework
  }
}

/** Asserts that the call was refused, in the constant shape and in no other words. */
export function expectRefused(shown: Shown, code: RefusalCode): void {
  expect({ code: codeIn(shown), text: shown.text }).toEqual({ code, text: shown.text });
}

/** Runs one call under an envelope and says how it ended: `permit`, or the code of the refusal. */
export async function verdictOf(harness: Harness, pep: Pep, envelope: EnvelopeSource, tool: KitTool, call: ModelCall): Promise<string> {
  const { shown } = await runOne(harness, { pep, envelope, tool, call });
  return codeIn(shown) ?? (shown.isError ? shown.text : "permit");
}

/** Waits for what is settled after the run has ended. */
export async function eventually(assert: () => void): Promise<void> {
  const end = performance.now() + 3000;
  for (;;) {
    try {
      return assert();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
