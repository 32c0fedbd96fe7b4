import type { AccessRequest } from "@ambit/core";
import type { Setting } from "../setting.ts";
import { entryToAdd } from "../manifest/parse-manifest.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import { Refused } from "../refusal.ts";

/** The rest of step 1: the tool is one that the manifest knows, and still the one that it was when it was pinned. */
export function checkTool(setting: Setting, action: AccessRequest["action"]): ToolEntry {
  const { server, definition } = action.properties ?? {};
  const found = setting.manifest.resolve(action.name, server);
  if (found === undefined) {
    const where = server === undefined ? "" : ` at \`${server}\``;
    const entry = JSON.stringify(entryToAdd(action.name, server));
    throw new Refused(
      "envelope",
      "tool_unmapped",
      `no tool goes by the name \`${action.name.slice(0, 128)}\`${where}`,
      `to have it, add to \`tools\` of the manifest: ${entry}`,
    );
  }
  if (found.pin !== "none" && found.pin !== definition) {
    throw new Refused(
      "envelope",
      "tool_changed",
      `the definition of \`${found.entry.id}\` is not the one that was pinned`,
      "review the new definition and pin it anew",
    );
  }
  return found.entry;
}
