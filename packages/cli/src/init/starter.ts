import { createPdp } from "@ambit/pdp";
import type { InferredManifest, InferredTool } from "../infer/manifest.ts";

/** The names that a starter configuration is written for. */
export interface Starter {
  readonly agent: string;
  readonly purpose: string;
  /** Where the tools come from, in plain words. */
  readonly origin: string;
}

/**
 * The files of a first configuration, by path. They permit reads that send nothing outside. Throws an `AmbitError` rather than
 * answer with files that no decision point loads.
 */
export async function starterFiles(inferred: InferredManifest, starter: Starter): Promise<ReadonlyMap<string, string>> {
  const { agent, purpose, origin } = starter;
  const ids = inferred.tools.map(({ id }) => id);
  const config = {
    manifest: "ambit.manifest.json",
    agents: "agents.json",
    purposes: "purposes.json",
    policies: ["policies/main.cedar"],
    vocabulary: {},
    log: "decisions.jsonl",
    state: "memory",
    approvals: "none",
  } as const;
  const agents = { agents: { [agent]: { trust_zone: "first_party", ceiling: { allowed_tools: ids } } } };
  const purposes = { purposes: { [purpose]: { parent: null, description: `Uses ${origin}; say here what for`, tools: ids } } };
  const policy = policyText(inferred.tools, starter);
  const { manifest } = inferred;
  const pdp = await createPdp({ ...config, manifest, agents, purposes, policies: [{ name: "main.cedar", text: policy }], log: "memory" });
  await pdp.close();
  return new Map([
    ["ambit.config.json", json(config)],
    ["ambit.manifest.json", json(manifest)],
    ["agents.json", json(agents)],
    ["purposes.json", json(purposes)],
    ["policies/main.cedar", policy],
  ]);
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function policyText(tools: readonly InferredTool[], { agent, purpose }: Starter): string {
  const [agentId, purposeId] = [quoted(agent), quoted(purpose)];
  const readable = tools.filter(({ effect, sendsOutside }) => effect === "read" && !sendsOutside);
  const others = tools.filter((tool) => !readable.includes(tool));
  const isOurs = `context.agent == Agent::${agentId} && context.purpose == ${purposeId}`;
  const sections = [
    `// Starter policy, written by \`ambit init\`. Every question is asked for the delegator (User) and for the agent (Agent); both must be
// permitted. What no policy permits is denied.

@id("begin")
permit (principal, action == Action::"ambit:begin", resource == Purpose::${purposeId})
when { context.agent == Agent::${agentId} };
`,
    readable.length === 0
      ? "// No tool was judged to be a read that sends nothing outside, so nothing else is permitted yet.\n"
      : `// Reads that send nothing outside. Which tools these are is said by the manifest.
@id("read")
permit (principal, action in Action::"effect:read", resource)
when { ${isOurs} && !context.tool.sends_outside };
`,
    others.length === 0
      ? ""
      : `// Everything else: review each line, then take the comment marks away from the policy and the tools that are to be permitted.
// @id("act")
// permit (principal, action in [
${others.map((tool) => `//   Action::${quoted(tool.id)}, // ${kindOf(tool)}`).join("\n")}
// ], resource)
// when { ${isOurs} };
`,
  ];
  return sections.filter((section) => section !== "").join("\n");
}

function kindOf({ effect, sendsOutside }: InferredTool): string {
  return sendsOutside ? `${effect}, sends outside` : effect;
}

/** A Cedar string. Ids are visible ASCII, so two characters need an escape. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
