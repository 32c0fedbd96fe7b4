import { createPep, type JsonObject, type Pep, type Task } from "@ambit/core";
import { createPdp, type EmbeddedPdp, type PdpConfig } from "@ambit/pdp";

const AGENT = "renewal-reviewer";
/** The operator's name for the MCP server. */
export const SERVER = "crm";
export const ARGS = { contract_id: "contract_7781", limit: 10 };
/** What the tool answers: nothing, in the form that the obligations are about. */
export const NOTHING: { readonly records: [] } = { records: [] };

/** More than any run uses up, and reserved and counted all the same. */
const PLENTY = 1_000_000_000_000;
const text = { type: "string" } as const;

const MANIFEST: JsonObject = {
  tools: {
    "contracts.read": {
      names: [
        { name: "contracts_read", pin: "none" },
        { name: "contracts_read", server: SERVER, pin: "none" },
      ],
      input_schema: { type: "object", properties: { contract_id: text, limit: { type: "integer", minimum: 1 } }, required: ["contract_id"] },
      effect: "read",
      resource: { type: "Contract", id: "/contract_id" },
      constraints: { contract_ids: { argument: "/contract_id" } },
      records: "none",
      data_classes: ["contract_metadata"],
      sends_outside: false,
    },
  },
};

const CONFIG: PdpConfig = {
  manifest: MANIFEST,
  agents: { agents: { [AGENT]: { trust_zone: "first_party", ceiling: "none" } } },
  purposes: { purposes: { review: { tools: ["contracts.read"], data_classes: ["contract_metadata"] } } },
  policies: [{ name: "main.cedar", text: `@id("all") permit (principal, action, resource);` }],
  log: "memory",
  state: "memory",
  approvals: "none",
};

/** A decision point in this process, with an agent before it. */
export interface World {
  readonly pdp: EmbeddedPdp;
  readonly pep: Pep;
  readonly begin: () => Promise<Task>;
}

export async function createWorld(): Promise<World> {
  const pdp = await createPdp(CONFIG);
  const pep = createPep({ pdp, agent: AGENT, deadline: 60_000 });
  const begin = (): Promise<Task> =>
    pep.begin({
      delegatorId: "user_7f3a91",
      tenantId: "tenant_acme",
      purpose: "review",
      allowedTools: ["contracts.read"],
      resourceConstraints: { contract_ids: ["contract_7781"], data_classes: ["contract_metadata"] },
      budgets: { calls: PLENTY },
      expiresIn: "12h",
    });
  return { pdp, pep, begin };
}
