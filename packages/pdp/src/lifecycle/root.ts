import { isNarrower, type Envelope, type JsonObject, type Order } from "@ambit/core";
import { leafOf, type Chain } from "../envelopes/chain.ts";
import { entryToAdd } from "../manifest/parse-manifest.ts";
import { Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { factsOf } from "../steps/facts.ts";
import { checkPolicy, type Question } from "../steps/policy.ts";

/** What was decided of an envelope that is about to be there. */
export interface Decided {
  readonly policies: readonly string[];
  /** For the record. */
  readonly details: { readonly [member: string]: unknown };
}

/** Whether a root may be there, whoever gives it out, `earlier` being the one that it goes on from. Refuses what no call could ever be permitted under. */
export async function decideRoot(setting: Setting, chain: Chain, earlier?: Envelope): Promise<Decided> {
  const { envelope } = leafOf(chain);
  checkReach(setting, envelope);
  const facts = await factsOf(setting, envelope.tenantId, chain.lineage);
  const continues = earlier === undefined ? {} : { continues: continuesContext(envelope, earlier, setting.order) };
  const context = { ...lifecycleContext(envelope), ...continues };
  const question: Question = { action: "ambit:begin", resource: { type: "Purpose", id: envelope.purpose }, context };
  return { policies: await checkPolicy(setting, chain, facts, question), details: rootDetails(envelope) };
}

/** What policies see of the envelope that one goes on from: a renewal may be wider in any dimension, and lives longer by its nature. */
function continuesContext(envelope: Envelope, earlier: Envelope, order: Order): JsonObject {
  const widens = !isNarrower({ ...envelope, expiresAt: earlier.expiresAt }, earlier, order);
  return { ...lifecycleContext(earlier), purpose: earlier.purpose, widens };
}

/** Tools that could never be called are a mistake to hear of now, not at the first call. */
function checkReach(setting: Setting, envelope: Envelope): void {
  const purpose = setting.purposes.get(envelope.purpose);
  if (purpose === undefined)
    throw new Refused("intent", "purpose_mismatch", `the purpose \`${envelope.purpose}\` is not in the catalogue`, "add it to the purposes");
  for (const tool of [...envelope.allowedTools, ...envelope.mayDelegate]) {
    if (!setting.manifest.tools.has(tool)) {
      throw new Refused(
        "constraint",
        "tool_unmapped",
        `the manifest has no tool \`${tool}\``,
        `to have it, add to its \`tools\`: ${JSON.stringify(entryToAdd(tool, undefined))}`,
      );
    }
    if (!purpose.tools.has(tool)) throw new Refused("intent", "purpose_mismatch", `\`${tool}\` is not part of the purpose \`${purpose.id}\``);
  }
}

/** What policies see of an envelope that is about to be given out. */
export function lifecycleContext(envelope: Envelope): Question["context"] {
  const classes = envelope.resourceConstraints["data_classes"];
  return { allowed_tools: envelope.allowedTools, may_delegate: envelope.mayDelegate, data_classes: Array.isArray(classes) ? classes : [] };
}

export function rootDetails(envelope: Envelope): Decided["details"] {
  return {
    delegator: envelope.delegatorId,
    session: envelope.sessionId,
    purpose: envelope.purpose,
    allowed_tools: envelope.allowedTools,
    may_delegate: envelope.mayDelegate,
    expires_at: new Date(envelope.expiresAt).toISOString(),
  };
}
