import { leafOf, type Chain } from "../envelope-store.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import { Refused } from "../refusal.ts";

/**
 * Step 5: calls that the envelope wants approved wait for an approval of this very call. No channel for approvals is configured (`"approvals": "none"`), so none
 * can be there.
 */
export function checkApproval(chain: Chain, tool: ToolEntry): void {
  if (leafOf(chain).envelope.approvals.includes(tool.id)) {
    throw new Refused("approval", "approval_required", `\`${tool.id}\` needs an approval, and there is nobody configured to give one`);
  }
}
