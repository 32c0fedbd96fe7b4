import { createPep, type Pep } from "@ambit/core";
import { createKeyRing, type KeyRing } from "@ambit/core/identity";
import { generateKey, type SigningKey } from "@ambit/core/token";
import type { PdpConfig, PdpOptions } from "@ambit/pdp";
import { CONFIG, fixture, type Fixture } from "./fixture.ts";

export const ISSUER = "https://pdp.example";
export const AUDIENCE = "urn:example:pdp";

export interface SignedFixture extends Fixture {
  /** By agent; `stranger` is the key of nobody. */
  readonly keys: ReadonlyMap<string, SigningKey>;
  readonly ring: KeyRing;
  /** The enforcement point of an agent of another process, which has only its own key. */
  pepOf(agent: string, key?: SigningKey): Pep;
}

/** A decision point that signs, and whose agents have keys. */
export async function signedFixture(config: Partial<PdpConfig> = {}, options: PdpOptions = {}): Promise<SignedFixture> {
  const names = ["reviewer", "classifier", "coordinator", "stranger"];
  const keys = new Map<string, SigningKey>();
  for (const name of names) keys.set(name, await generateKey(name === "classifier" ? "ES256" : "Ed25519"));
  const ring = createKeyRing({ current: await generateKey(), now: () => base.now() });
  const { agents } = (config.agents ?? CONFIG.agents) as { readonly agents: { readonly [id: string]: object } };
  const registered = Object.fromEntries(
    Object.entries(agents).map(([id, agent]) => [id, { ...(keys.has(id) ? { keys: [keys.get(id)?.public.jwk] } : {}), ...agent }]),
  );
  const signing = { issuer: ISSUER, keys: ring, tenants: new Set(["tenant_1"]) };
  const base = await fixture({ ...config, agents: { agents: registered } }, { signing, audience: [AUDIENCE], ...options });
  const { now } = base;
  return {
    ...base,
    keys,
    ring,
    pep: createPep({ pdp: base.pdp, agent: "reviewer", keys, now, deadline: 10_000 }),
    pepWith: (pdp) => createPep({ pdp, agent: "reviewer", keys, now, deadline: 10_000 }),
    pepOf: (agent, key = keys.get(agent)) => createPep({ pdp: base.pdp, agent, keys: new Map(key === undefined ? [] : [[agent, key]]), now, deadline: 10_000 }),
  };
}
