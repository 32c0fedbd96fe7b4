import { parseAgents, parseManifest, type Agents, type Manifest } from "@ambit/pdp";
import type { Vocabulary } from "@ambit/core";
import { dirname, isAbsolute, join } from "node:path";
import { fileError } from "../cli-error.ts";
import type { Inputs } from "../input/inputs.ts";

const MOST_BYTES = 8_388_608;

/** The tools and the agents that a configuration names. Refuses (`file_malformed`) one that names none. */
export async function readParties(inputs: Inputs, path: string, vocabulary: Vocabulary): Promise<{ readonly manifest: Manifest; readonly agents: Agents }> {
  const config = await inputs.json(path, { mostBytes: MOST_BYTES });
  const part = async (member: "manifest" | "agents"): Promise<readonly [data: unknown, file: string]> => {
    if (typeof config !== "object" || config === null || !Object.hasOwn(config, member))
      throw fileError("malformed", `\`${path}\` names no \`${member}\`: what is exported is what the tools and the agent can have`);
    const value = (config as { readonly [name in typeof member]: unknown })[member];
    if (typeof value !== "string") return [value, path];
    // As the decision point does: paths are relative to the configuration.
    const file = isAbsolute(value) ? value : join(dirname(path), value);
    return [await inputs.json(file, { mostBytes: MOST_BYTES }), file];
  };
  const [[tools, toolsFile], [agents, agentsFile]] = [await part("manifest"), await part("agents")];
  return { manifest: parseManifest(tools, toolsFile), agents: parseAgents(agents, vocabulary, agentsFile) };
}
