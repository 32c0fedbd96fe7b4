import { callingModelOf, shownToModel, type Call } from "./models.ts";
import { addedMessages, type Message, type Part, type Sdk } from "./sdks.ts";

/** What became of one run, however it was read. */
export interface Run {
  readonly text: string;
  readonly content: readonly Part[];
  /** The whole history. */
  readonly messages: readonly Message[];
  /** Approvals that the run has paused for. */
  readonly requests: readonly Part[];
  /** What the model was shown of its calls. */
  readonly shown: readonly { readonly id: string; readonly output: unknown }[];
}

export const GO: readonly Message[] = [{ role: "user", content: "go" }];

/** Runs `generateText` or `streamText` of a version with a model that makes the given calls and then says `done`. */
export async function runIn(
  sdk: Sdk,
  tools: object,
  calls: readonly Call[],
  {
    messages = GO,
    isStreamed = false,
    ...options
  }: { readonly messages?: readonly Message[]; readonly isStreamed?: boolean; readonly [option: string]: unknown } = {},
): Promise<Run> {
  const model = callingModelOf(sdk, ...(calls.length === 0 ? [] : [calls]));
  const all = { model, messages, tools, stopWhen: sdk.stopAfter(3), ...options };
  const result = isStreamed ? sdk.streamText(all) : await sdk.generateText(all);
  const content = await result.content;
  return {
    text: await result.text,
    content,
    messages: [...messages, ...(await addedMessages(result))],
    requests: content.filter(({ type }) => type === "tool-approval-request"),
    shown: shownToModel(isStreamed ? model.doStreamCalls : model.doGenerateCalls),
  };
}

/** The history of a run that has paused, as a client sends it back: it says that the user has answered. */
export function answered({ messages, requests }: Pick<Run, "messages" | "requests">, approved = true): readonly Message[] {
  const responses = requests.map(({ approvalId }) => ({ type: "tool-approval-response", approvalId, approved }));
  const last = messages.at(-1);
  if (last?.role === "tool") return [...messages.slice(0, -1), { role: "tool", content: [...(last.content as unknown[]), ...responses] }];
  return [...messages, { role: "tool", content: responses }];
}

/** The codes of refusals that the model was shown, by call; `ran` for anything else. */
export function codes({ shown }: Pick<Run, "shown">): readonly string[] {
  return shown.map(({ output }) => /^\{"error":\{"code":"(\w+)"/.exec(String((output as { readonly value?: unknown }).value))?.[1] ?? "ran");
}

/** The history with every occurrence of a text in it replaced, as a client could. */
export function edited(messages: readonly Message[], from: string, to: string): readonly Message[] {
  return JSON.parse(JSON.stringify(messages).replaceAll(from, to)) as Message[];
}
