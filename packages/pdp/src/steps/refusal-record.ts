import type { RecordKind } from "@ambit/core/audit";
import { own, type JsonObject } from "@ambit/core";
import type { Setting } from "../setting.ts";
import { record, type Party } from "./log.ts";

/** A refusal stays one, recorded or not. An agent that is not registered is one of many that could be made up. */
export async function recordRefusal(setting: Setting, kind: RecordKind, party: Party, id: string, details: object): Promise<void> {
  const { refusals, agents } = setting;
  const code = own(details as JsonObject, "code");
  const agent = agents.has(party.agent) ? party.agent : "unregistered";
  if (refusals.take({ ...party, agent }, kind, typeof code === "string" ? code : "none"))
    await record(setting, kind, party, id, details).catch(() => undefined);
}
