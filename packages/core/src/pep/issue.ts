import { AmbitError, type RefusalCode } from "../errors.ts";
import { parseAcknowledgement, type Refusal } from "../pdp/decision.ts";
import { parseIssueAnswer } from "../pdp/issue.ts";
import type { Excerpt, Issued, IssueAnswer } from "../pdp/pdp.ts";
import type { Holding } from "../pdp/presentation.ts";
import { askWithin } from "./ask.ts";
import { presentEnd } from "./hand-off.ts";
import type { PepSetting } from "./present.ts";
import { createTask, type Task } from "./task.ts";

export interface TaskOrigin {
  /** What was given along. */
  readonly data?: readonly Excerpt[];
  /** What the task was derived from here, by the holder of that. */
  readonly parent?: Holding | undefined;
  /** What is held, where it is not the decision point's to say. */
  readonly holding?: Holding | undefined;
  /** Ends the task when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** Asks for an envelope and makes a task of the answer. Throws `AmbitError` with the refusal's code, and `call_aborted` when nobody waits any longer. */
export async function issue(setting: PepSetting, ask: () => Promise<IssueAnswer>, origin: TaskOrigin = {}): Promise<Task> {
  const asked = await askWithin(setting.deadline, origin.signal, async () => parseIssueAnswer(await ask()));
  if ("refusal" in asked) throw new AmbitError(asked.refusal.code, asked.refusal.message);
  const answer = asked.answer;
  if (answer.decision !== true) throw refusedError(answer.refusal, answer.id);
  const issued: Issued = { ...answer.issued, holding: origin.holding ?? answer.issued.holding };
  if (issued.holding.kind === "chain" && origin.holding === undefined && !setting.keys.has(setting.agent))
    throw new AmbitError("pdp_response_invalid", "the decision point gave out a signed envelope, and there is no key to use it with");
  const end = async (): Promise<void> => {
    const ended = await askWithin(setting.deadline, undefined, async () => {
      const presentation = await presentEnd(setting, issued.holding, origin.parent);
      return parseAcknowledgement(await setting.pdp.end({ presentation, agent: setting.agent }), "ended");
    });
    if ("refusal" in ended) throw new AmbitError(ended.refusal.code as RefusalCode, "the task could not be ended; its envelope stays valid until it expires");
  };
  const task = createTask(issued, answer.id, origin.data ?? [], end);
  // INVARIANT I7: nobody waits for what is aborted; an end that fails leaves the expiry.
  const { signal } = origin;
  if (signal?.aborted === true) await end().catch(() => undefined);
  else signal?.addEventListener("abort", () => void end().catch(() => undefined), { once: true });
  return task;
}

/** `begin` and `handOff` are called by a developer's code, so what to change is part of the message. */
function refusedError({ code, message, hint }: Refusal, decisionId: string): AmbitError {
  return new AmbitError(code, message, { decisionId, hint });
}
