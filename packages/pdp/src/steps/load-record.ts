import type { Setting } from "../setting.ts";
import { record } from "./log.ts";

/** INVARIANT I11: which rules held when is on the record, before anything is decided by the new ones. */
export async function recordLoad(before: Setting, after: Setting): Promise<void> {
  const party = { tenant: "any", task: "any", lineage: "any", envelope: "any", agent: "any" };
  const details = {
    policies: after.engine.digest,
    purposes: after.purposes.digest,
    vocabulary: after.order.vocabulary.digest,
    replaces: before.engine.digest,
  };
  await record(after, "policy_load", party, `load_${after.engine.digest.slice(-43)}`, details);
}
