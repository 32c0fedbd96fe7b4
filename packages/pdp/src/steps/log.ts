import type { RecordBody, RecordKind } from "@ambit/core/audit";
import { copyData, type JsonObject } from "@ambit/core";
import { leafOf, type Chain } from "../envelopes/chain.ts";
import { plainText } from "../plain-text.ts";
import { orRefuse } from "../refusal.ts";
import type { Setting } from "../setting.ts";

/** Whom a record is about; the parts of a chain, or what little is known without one. */
export type Party = Pick<RecordBody, "tenant" | "task" | "lineage" | "envelope" | "agent">;

export function partyOf(chain: Chain | undefined, agent: string): Party {
  if (chain === undefined) return { tenant: "unknown", task: "unknown", lineage: "unknown", envelope: "unknown", agent: agent.slice(0, 256) };
  const { id, envelope } = leafOf(chain);
  return { tenant: envelope.tenantId, task: envelope.taskId, lineage: chain.lineage, envelope: id, agent: envelope.agentId };
}

/** Step 7: resolves when the record is durable. INVARIANT I11: nothing is released before. */
export async function record(setting: Pick<Setting, "log">, kind: RecordKind, party: Party, decisionId: string, details: object): Promise<void> {
  await orRefuse("log", "log_unavailable", "the decision could not be recorded", async () => {
    // A refused attempt is not to stay unrecorded by a name that no record takes.
    const body = copyData({ kind, ...party, decision_id: decisionId, details }, "log_unavailable", "the record", undefined, plainText);
    await setting.log.append(body as JsonObject & RecordBody);
  });
}
