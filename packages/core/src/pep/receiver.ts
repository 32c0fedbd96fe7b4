import { fromBase64url, fromUtf8 } from "#base64url";
import { isJsonObject, own, type Json } from "../data/json.ts";
import { AmbitError } from "../errors.ts";
import { PDP_CAPABILITY, type Pdp } from "../pdp/pdp.ts";
import type { TokenPresentation } from "../token/presentation.ts";
import { envelopeIdOf } from "../token/profile/envelope-id.ts";
import { holdEnvelope } from "../token/profile/issue-envelope.ts";
import { admit } from "./admit.ts";
import { askWithin, refusal } from "./ask.ts";
import { recordAttempt } from "./attempt.ts";
import { offers } from "./offers.ts";
import type { Pep } from "./pep.ts";
import type { PepSetting } from "./present.ts";
import { createTask, type Task } from "./task.ts";
import { milliseconds } from "./time.ts";
import type { ToolCall } from "./tool-call.ts";

export interface ReceiverOptions {
  /** The decision point of whoever receives the calls. */
  readonly pdp: Pdp;
  /** The name that proofs have to be for; one of those of the decision point. */
  readonly audience: string;
  /** Milliseconds for one question to the decision point. Default 1000. */
  readonly deadline?: number | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

/** The enforcement point of whoever is called, and not of an agent: every call comes with the envelope and the proof of who asks. */
export interface Receiver {
  /**
   * Asks whether a call may run. Never throws for a refusal. Refuses a call without an envelope (`undefined`) or with one that cannot be read, and a proof that does not say that it is for
   * this receiver; the decision point is told of these attempts, of sixty in a minute at most.
   */
  admit(presentation: TokenPresentation | undefined, call: Omit<ToolCall, "envelope">): ReturnType<Pep["admit"]>;
  /**
   * Which of these names at this server are those of tools that the envelope allows. The chain is verified, and what is new of it decided; the proof is not looked at, because nothing may be
   * done with what is told. None without an envelope, or with one that is refused. Throws `AmbitError` when it cannot be told.
   */
  offers(presentation: TokenPresentation | undefined, names: readonly string[], server?: string): Promise<ReadonlySet<string>>;
}

/** Refuses (`option_invalid`) a decision point without our capability. */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { pdp, audience, deadline: wait = 1000, now = Date.now } = options;
  if (pdp?.capability !== PDP_CAPABILITY) throw new AmbitError("option_invalid", "`pdp` must come from `createPdp` or `pdpClient`");
  if (typeof audience !== "string" || audience === "") throw new AmbitError("option_invalid", "`audience` must be the name that proofs are for");
  const deadline = milliseconds(wait, "deadline");
  return Object.freeze<Receiver>({
    admit: async (presentation, call) => {
      const refuse = async (code: "audience_mismatch" | "envelope_malformed", message: string, task?: Task): ReturnType<Pep["admit"]> => ({
        admitted: false,
        refused: await recordAttempt({ pdp, deadline, now }, { presentation, task }, call, refusal(code, message)),
      });
      if (presentation === undefined) return refuse("envelope_malformed", "the call comes without an envelope and a proof that can be read");
      const asked = await askWithin(deadline, call.signal, async () => taskOf(presentation, await pdp.terms()));
      if ("refusal" in asked) return { admitted: false, refused: { kind: "deny", decisionId: "undecided", refusal: asked.refusal } };
      const task = asked.answer;
      if (task === undefined) return refuse("envelope_malformed", "the envelope cannot be read");
      // A proof for another verifier of the same chain, such as the decision point of the agent, must not be good here.
      if (audienceOfProof(presentation.pop) !== audience) return refuse("audience_mismatch", "the proof does not say that it is for this server", task);
      const setting: PepSetting = { pdp, agent: task.envelope.agentId, keys: new Map(), deadline, now };
      return admit(setting, { ...call, envelope: task });
    },
    offers: async (presentation, names, server) => {
      if (presentation === undefined) return new Set();
      const asked = await askWithin(deadline, undefined, async () => {
        const task = taskOf(presentation, await pdp.terms());
        if (task === undefined) return undefined;
        const { agentId: agent } = task.envelope;
        const answer = await pdp.introduce({ chain: presentation.chain, agent, excerpts: [] });
        return answer.decision === true ? { agent, task } : undefined;
      });
      if ("refusal" in asked) throw new AmbitError(asked.refusal.code, asked.refusal.message);
      if (asked.answer === undefined) return new Set();
      const { agent, task } = asked.answer;
      return offers({ pdp, agent, keys: new Map(), deadline, now }, task, names, server);
    },
  });
}

/** What the leaf says of itself. The decision point verifies all of it; whoever lies here asks in the name of an agent that the chain is not of. */
function taskOf({ chain, pop }: TokenPresentation, { order }: Awaited<ReturnType<Pdp["terms"]>>): Task | undefined {
  try {
    const held = holdEnvelope(chain, order);
    const holding = Object.freeze({ kind: "chain", chain: held.chain.tokens, pop } as const);
    const issued = { envelopeId: envelopeIdOf(held.chain), lineage: "unknown", depth: chain.length - 1, envelope: held.envelope, holding };
    return createTask(issued, "undecided", [], async () => undefined);
  } catch {
    return undefined; // INVARIANT I1: refused by the caller
  }
}

/** Read before it is verified; the decision point refuses a proof of which two readers could read two things. */
function audienceOfProof(pop: string): string | undefined {
  try {
    const payload = fromBase64url(pop.split(".")[1] ?? "");
    const claims = JSON.parse((payload === undefined ? undefined : fromUtf8(payload)) ?? "null") as Json;
    const audience = isJsonObject(claims) ? own(claims, "aat_aud") : undefined;
    return typeof audience === "string" ? audience : undefined;
  } catch {
    return undefined; // no proof, and refused by the caller
  }
}
