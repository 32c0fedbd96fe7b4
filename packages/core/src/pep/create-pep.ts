import { isIdentifier } from "../data/names.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { AmbitError } from "../errors.ts";
import { PDP_CAPABILITY, type Pdp } from "../pdp/pdp.ts";
import type { Holding } from "../pdp/presentation.ts";
import type { SigningKey } from "../token/key.ts";
import { admit, ask } from "./admit.ts";
import { beginRequest, renewRequest } from "./begin.ts";
import { deriveChild, handOffRequest } from "./hand-off.ts";
import { inheriting } from "./inherit.ts";
import { issue } from "./issue.ts";
import { observe, observeTask, type OnObserved } from "./observe.ts";
import { offers } from "./offers.ts";
import type { BeginOptions, Enforced, HandOffOptions, Pep } from "./pep.ts";
import type { PepSetting } from "./present.ts";
import { findTask, holdingOf, type EnvelopeSource, type Task } from "./task.ts";
import { milliseconds } from "./time.ts";
import type { ToolCall } from "./tool-call.ts";

export interface PepOptions {
  /** An embedded decision point, or a client of the service. */
  readonly pdp: Pdp;
  /** The agent that this enforcement point speaks for; registered in `agents.json`. */
  readonly agent: string;
  /**
   * The keys of the agents of this process, by agent. With a key of its own an agent works under signed envelopes: it proves every call, and derives children
   * offline. Without one it works with handles, which are good in this process only.
   */
  readonly keys?: ReadonlyMap<string, SigningKey> | undefined;
  /** Milliseconds for one question to the decision point; past it the answer is a deny (`pdp_timeout`). Default 1000. */
  readonly deadline?: number | undefined;
  /**
   * `observe`: everything is decided and recorded, and nothing is refused: for finding out what a policy would do to an application that runs without it.
   *
   * @defaultValue `enforce`
   */
  readonly mode?: "enforce" | "observe" | undefined;
  /** With `observe`: told of everything that would have been refused, or held back. */
  readonly onObserved?: OnObserved | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

/**
 * The enforcement point of an agent. Default deny: only an explicit permit runs a tool.
 * Refuses (`option_invalid`) a decision point without our capability: a foreign AuthZEN decision point plugs in as a policy engine.
 */
export function createPep(options: PepOptions): Pep {
  const { pdp, agent, keys = new Map<string, SigningKey>(), deadline = 1000, now = Date.now, mode = "enforce", onObserved = () => undefined } = options;
  if (pdp?.capability !== PDP_CAPABILITY) {
    throw new AmbitError("option_invalid", "`pdp` must come from `createPdp` or `pdpClient`; other decision points plug in as policy engines");
  }
  if (!isIdentifier(agent)) throw new AmbitError("option_invalid", "`agent` must be the id of an agent");
  if (typeof keys?.get !== "function" || typeof keys.has !== "function") throw new AmbitError("option_invalid", "`keys` must be a Map of keys by agent");
  if (mode !== "enforce" && mode !== "observe") throw new AmbitError("option_invalid", "`mode` must be `enforce` or `observe`");
  const setting: PepSetting = { pdp, agent, keys, deadline: milliseconds(deadline, "deadline"), now, ...(mode === "observe" ? { mode } : {}) };
  const admitting = (call: ToolCall): ReturnType<Pep["admit"]> => (mode === "observe" ? observe(setting, call, onObserved) : admit(setting, call));
  const issuing = (begin: () => Promise<Task>, envelope: () => Envelope): Promise<Task> =>
    mode === "observe" ? observeTask(begin, envelope, onObserved) : begin();
  const inherit = inheriting(setting, async (parent, handOff) => createPep({ ...options, agent: parent.envelope.agentId }).handOff(parent, handOff));

  return Object.freeze<Pep>({
    agent,
    inherit,
    begin: async (begin) => {
      const request = beginRequest(setting, begin);
      return issuing(
        () => issue(setting, () => pdp.begin(request), { signal: begin.signal }),
        () => assumed(begin, agent),
      );
    },
    renew: async (task, renewal) => {
      const holding = holdingOf(task);
      if (holding === undefined) throw new AmbitError("envelope_malformed", "there is no envelope to go on from");
      return issue(setting, async () => pdp.begin(await renewRequest(setting, holding, task.envelope, renewal)), { signal: renewal.signal });
    },
    handOff: async (source, handOff) =>
      issuing(
        async () => giveChild(setting, await holdingBehind(setting, source), handOff),
        () => assumed(handOff, handOff.agentId),
      ),
    receive: async (chain) => {
      const holding: Holding = Object.freeze({ kind: "chain", chain: Object.freeze([...chain]) });
      if (!keys.has(agent)) throw new AmbitError("holder_mismatch", `there is no key of \`${agent}\` to use the envelope with; give it in \`keys\``);
      return issue(setting, () => pdp.introduce({ chain: holding.chain, agent, excerpts: [] }), { holding });
    },
    as: (other) => createPep({ ...options, agent: other }),
    // Nothing is refused when observing, so there is nothing to pause for.
    ask: async (call) => (mode === "observe" ? { admit: (signal) => admitting({ ...call, signal }) } : ask(setting, call)),
    admit: admitting,
    offers: (source, names, server) => offers(setting, source, names, server),
    enforce: async <T>(call: Parameters<Pep["admit"]>[0], run: (args: Record<string, unknown>) => T | Promise<T>): Promise<Enforced<T>> => {
      const admission = await admitting(call);
      if (!admission.admitted) return { refused: admission.refused };
      let result: T;
      try {
        result = await admission.run(() => run(admission.arguments));
      } catch (error) {
        await (call.signal?.aborted === true ? admission.abandon() : admission.fail(error));
        throw error;
      }
      const completion = await admission.complete(result);
      return completion.released ? { result: completion.result, decisionId: admission.decisionId } : { refused: completion.refused };
    },
  });
}

/** What an observed task says of itself where nobody gave it out. */
function assumed(options: { readonly [member in keyof BeginOptions]?: BeginOptions[member] | undefined }, agentId: string): Envelope {
  const { delegatorId = "unknown", tenantId = "unknown", sessionId = "unknown", taskId = "unknown", purpose = "unknown", allowedTools = [] } = options;
  const rest = { mayDelegate: [], deniedTools: [], resourceConstraints: {}, budgets: {}, approvals: [], maxDepth: 0, expiresAt: 0 };
  return { delegatorId, tenantId, sessionId, taskId, purpose, agentId, allowedTools, ...rest };
}

async function holdingBehind(setting: PepSetting, source: EnvelopeSource): Promise<Holding> {
  const found = await findTask(setting.deadline, undefined, source);
  if ("refusal" in found) throw new AmbitError(found.refusal.code, found.refusal.message, { decisionId: found.decisionId });
  const holding = holdingOf(found.answer);
  if (holding === undefined) throw new AmbitError("envelope_malformed", "there is no envelope to hand off from");
  return holding;
}

async function giveChild(setting: PepSetting, parent: Holding, options: HandOffOptions): Promise<Task> {
  const { pdp } = setting;
  const { data = [], signal } = options;
  if (parent.kind === "handle") {
    const request = handOffRequest(setting, parent, options);
    return issue(setting, () => pdp.handOff(request), { data, signal });
  }
  const introduction = await deriveChild(setting, parent, options);
  const holding: Holding = Object.freeze({ kind: "chain", chain: introduction.chain });
  return issue(setting, () => pdp.introduce(introduction), { data, signal, parent, holding });
}
