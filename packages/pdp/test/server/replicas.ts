import { createPep, type Pep } from "@ambit/core";
import { pdpClient } from "@ambit/core/pdp-client";
import { generateKey, generatePrivateJwk, type SigningKey } from "@ambit/core/token";
import { createPdp, type EmbeddedPdp, type PdpConfig, type PdpOptions, type StatePart } from "@ambit/pdp";
import { allRoutes, createPdpService, servePdp } from "@ambit/pdp/server";
import { AUDIENCE, ISSUER } from "../support/signed.ts";
import { CONFIG } from "../support/fixture.ts";
import { freePort } from "../support/free-port.ts";
import { CALLERS, closeAfter, ENFORCER } from "./scene.ts";

export interface Replica {
  readonly pdp: EmbeddedPdp;
  readonly url: string;
  /** Asks this replica, over HTTP. */
  readonly pep: Pep;
}

/** Services over one state, which sign with one key. */
export async function replicasOver(state: StatePart, count: number, config: Partial<PdpConfig> = {}, options: PdpOptions = {}): Promise<readonly Replica[]> {
  const key: SigningKey = await generateKey();
  const shared: PdpConfig = {
    ...CONFIG,
    agents: { agents: { reviewer: { trust_zone: "first_party", ceiling: "none", keys: [key.public.jwk] } } },
    signing: { issuer: ISSUER, key: await generatePrivateJwk("Ed25519"), tenants: ["tenant_1"] },
    audience: [AUDIENCE],
    state,
    ...config,
  };
  const replicas: Replica[] = [];
  for (let index = 0; index < count; index++) {
    const pdp = closeAfter(await createPdp(shared, options));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    closeAfter(await servePdp(createPdpService({ pdp, url, callers: CALLERS, routes: allRoutes({ pdp, url }) }), { port, grace: 100 }));
    const client = closeAfter(pdpClient(url, { credentials: { kind: "bearer", token: ENFORCER }, allowLoopback: true, deadline: 10_000 }));
    replicas.push({ pdp, url, pep: createPep({ pdp: client, agent: "reviewer", keys: new Map([["reviewer", key]]), deadline: 20_000 }) });
  }
  return replicas;
}
