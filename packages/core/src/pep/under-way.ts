import { createAmbient } from "#ambient";
import { canonicalJson } from "../data/canonical.ts";
import type { JsonObject } from "../data/json.ts";
import type { Refusal } from "../pdp/decision.ts";
import type { Pdp } from "../pdp/pdp.ts";
import { askWithin } from "./ask.ts";
import type { Admission } from "./pep.ts";
import type { PepSetting } from "./present.ts";
import type { Task } from "./task.ts";
import type { ToolCall } from "./tool-call.ts";

/** The arguments of a call as plain data, or what is wrong with them. */
interface ReadArguments {
  readonly args: JsonObject;
  readonly flaw?: Refusal;
}

/** A call that was admitted and whose body runs now. */
interface UnderWay {
  readonly setting: PepSetting;
  readonly task: Task;
  readonly call: Pick<ToolCall, "tool" | "server" | "callId" | "turn">;
  readonly arguments: JsonObject;
  readonly admission: Pick<Admission, "decisionId" | "show" | "under" | "uses">;
  /** Until when the grant would have been good, milliseconds since the epoch. */
  readonly until: number;
  /** Whether there is nothing left to go along with: some call did, or the body has ended. */
  isOver: boolean;
}

const ambient = createAmbient<UnderWay>();

/**
 * Makes an admission one that the calls within its body can go along with: points of enforcement stand behind one another (a guarded tool that calls over a guarded
 * transport), and the one effect is decided, charged and redeemed once. INVARIANT I5: one call goes along, and none once the body has ended.
 */
export function underWay(admission: Omit<Admission, "run">, of: Omit<UnderWay, "admission" | "isOver">): Admission {
  const entry: UnderWay = { ...of, admission, isOver: false };
  const ended =
    <P extends readonly unknown[], R>(end: (...parameters: P) => R) =>
    (...parameters: P): R => {
      entry.isOver = true;
      return end(...parameters);
    };
  return {
    ...admission,
    run: (body) => ambient.run(entry, body),
    complete: ended(admission.complete) as Admission["complete"],
    fail: ended(admission.fail),
    abandon: ended(admission.abandon),
    pause: ended(admission.pause),
    cancel: ended(admission.cancel),
  };
}

/** Whether this is asked from within the body of a call: nearly no call is, and then there is nothing to compare. */
export function isWithinCall(): boolean {
  return ambient.get() !== undefined;
}

/** What the call acts under whose body asks for it; `undefined` outside of one. */
export function taskAround(pdp: Pdp): Task | undefined {
  const outer = ambient.get();
  return outer?.setting.pdp === pdp ? outer.task : undefined;
}

/**
 * The admission of a call that is the very call whose body asks for it: the same tool, by whatever name, the same arguments, holder and envelope, at the same decision
 * point, and the definition that is pinned for it here. `undefined` for any other: it is decided.
 */
export async function goAlong(setting: PepSetting, call: ToolCall, task: Task, { args, flaw }: ReadArguments): Promise<Admission | undefined> {
  const outer = ambient.get();
  if (outer === undefined || flaw !== undefined) return undefined;
  if (outer.setting.pdp !== setting.pdp || outer.setting.agent !== setting.agent || outer.task.envelopeId !== task.envelopeId) return undefined;
  if (!leadsTo(outer.call, call)) return undefined;
  if (canonicalJson(outer.arguments) !== canonicalJson(args)) return undefined; // INVARIANT I4
  const asked = await askWithin(setting.deadline, call.signal, () => setting.pdp.terms());
  if ("refusal" in asked) return undefined;
  const { toolId, pinOf } = asked.answer;
  const id = toolId(call.tool, call.server);
  if (id === undefined || id !== toolId(outer.call.tool, outer.call.server)) return undefined;
  const pin = pinOf(call.tool, call.server);
  if (pin !== "none" && pin !== call.definition) return undefined;
  if (outer.isOver || !(outer.until > setting.now())) return undefined;
  outer.isOver = true;
  return along(outer, args);
}

/**
 * Whether the one call can be on the way of the other: at a server, by the body's own code, or at a second point for the framework's very call. A call of a framework's
 * own is another one: a model has asked for a tool anew from within that tool.
 */
function leadsTo(outer: UnderWay["call"], { server, callId, turn }: ToolCall): boolean {
  return server !== undefined || callId === undefined || (turn !== undefined && callId === outer.callId && turn === outer.turn);
}

/** What ends the outer call ends this one: its result is what is checked, and its outcome what is recorded. */
function along({ admission: { decisionId, show, under, uses } }: UnderWay, args: JsonObject): Admission {
  const nothing = async (): Promise<void> => undefined;
  return {
    admitted: true,
    decisionId,
    arguments: structuredClone(args) as Record<string, unknown>,
    holdsResult: false,
    run: (body) => body(),
    uses,
    complete: async (result) => ({ released: true, result }),
    fail: nothing,
    abandon: nothing,
    pause: nothing,
    cancel: nothing,
    ...(show === undefined ? {} : { show }),
    ...(under === undefined ? {} : { under }),
  };
}
