import { purposeLine } from "@ambit/core";
import { leafOf, type Chain } from "../envelopes/chain.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import { Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { checkDataClasses, type ResultObligation } from "./constraint.ts";

/** Step 3: the declared purpose, and every purpose above it, can need this tool and what it returns. */
export function checkIntent(setting: Setting, chain: Chain, tool: ToolEntry): readonly ResultObligation[] {
  const { purpose } = leafOf(chain).envelope;
  const line = purposeLine(setting.purposes, purpose);
  if (line === undefined) throw new Refused("intent", "purpose_mismatch", `the purpose \`${purpose}\` is not in the catalogue`);
  return line.flatMap((id, index) => {
    const entry = setting.purposes.get(id);
    if (entry?.tools.has(tool.id) !== true) throw new Refused("intent", "purpose_mismatch", `\`${tool.id}\` is not part of the purpose \`${id}\``);
    return entry.dataClasses === undefined ? [] : checkDataClasses(`p${index}-data_classes`, tool, entry.dataClasses, "intent");
  });
}
