import { createPep, type Pep } from "@ambit/core";
import { generateKey, generatePrivateJwk, type SigningKey } from "@ambit/core/token";
import { createPdp, type EmbeddedPdp, type PdpConfig, type PdpOptions, type StatePart } from "@ambit/pdp";
import { CONFIG } from "../support/fixture.ts";

/** What decision points have in common that share a store. */
export interface SharedSetting {
  readonly config: PdpConfig;
  readonly keys: ReadonlyMap<string, SigningKey>;
}

export async function settingOf(state: StatePart): Promise<SharedSetting> {
  const reviewer = await generateKey();
  return {
    keys: new Map([["reviewer", reviewer]]),
    config: {
      ...CONFIG,
      agents: { agents: { reviewer: { trust_zone: "first_party", ceiling: "none", keys: [reviewer.public.jwk] } } },
      signing: { issuer: "https://pdp.example", key: await generatePrivateJwk("Ed25519"), tenants: ["tenant_1"] },
      audience: ["urn:example:pdp"],
      approvals: {},
      state,
    },
  };
}

export async function openPdp({ config, keys }: SharedSetting, options: PdpOptions = {}): Promise<{ readonly pdp: EmbeddedPdp; readonly pep: Pep }> {
  const pdp = await createPdp(config, options);
  return { pdp, pep: createPep({ pdp, agent: "reviewer", keys, deadline: 10_000 }) };
}

/** A call that is permitted, and what its tool answers. */
export const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
