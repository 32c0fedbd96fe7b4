import { createPep, type Pep } from "@ambit/core";
import { createPdp } from "@ambit/pdp";
import { readManifest } from "./workloads.ts";

/** The enforcement point for one suite, and which of its tools were judged to only read. */
export interface SuitePep {
  readonly pep: Pep;
  /** Tool ids by name. */
  readonly ids: ReadonlyMap<string, string>;
  readonly reads: readonly string[];
}

export const PURPOSE = "do_what_the_user_asked";
const AGENT = "assistant";

/** The envelope decides here; the policy says only that this agent may act for its delegator, and for this purpose. */
const POLICY = `
@id("begin")
permit (principal, action == Action::"ambit:begin", resource == Purpose::"${PURPOSE}")
when { context.agent == Agent::"${AGENT}" };

@id("act")
permit (principal, action in [Action::"effect:read", Action::"effect:write", Action::"effect:destructive"], resource)
when { context.agent == Agent::"${AGENT}" && context.purpose == "${PURPOSE}" };
`;

export async function createSuitePep(folder: string, dataset: string, suite: string): Promise<SuitePep> {
  const { manifest, tools } = readManifest(folder, dataset, suite);
  const ids = tools.map(({ id }) => id);
  const pdp = await createPdp({
    manifest,
    agents: { agents: { [AGENT]: { trust_zone: "first_party", ceiling: "none" } } },
    purposes: { purposes: { [PURPOSE]: { parent: null, description: "The task of a recorded case", tools: ids } } },
    policies: [{ name: "replay.cedar", text: POLICY }],
    log: "memory",
    state: "memory",
    approvals: "none",
  });
  return {
    pep: createPep({ pdp, agent: AGENT }),
    ids: new Map(tools.map(({ name, id }) => [name, id])),
    reads: tools.filter(({ effect }) => effect === "read").map(({ id }) => id),
  };
}
