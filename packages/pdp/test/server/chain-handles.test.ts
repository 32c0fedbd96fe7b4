import { chainOf } from "@ambit/core";
import { chainHashOf, pdpClient } from "@ambit/core/pdp-client";
import { holdChain, signPop, type SigningKey } from "@ambit/core/token";
import { createPdpService, servePdp } from "@ambit/pdp/server";
import { describe, expect, it } from "vitest";
import { BEGIN, outcomeOf } from "../support/fixture.ts";
import { AUDIENCE } from "../support/signed.ts";
import { faultProxy } from "./fault-proxy.ts";
import { CALLERS, closeAfter, ENFORCER, OBSERVER, serviceScene, type SceneOptions } from "./scene.ts";
import { freePort } from "../support/free-port.ts";

const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;

/** What the service was shown of chains, in order. */
function watching(): { readonly seen: string[]; readonly scene: SceneOptions } {
  const seen: string[] = [];
  return { seen, scene: { wrap: (pdp) => ({ ...pdp, decide: (request) => (seen.push(JSON.stringify(request.context.presentation)), pdp.decide(request)) }) } };
}

async function handles(url: string): Promise<readonly string[]> {
  const text = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${OBSERVER}` } })).text();
  return text
    .split("\n")
    .filter((line) => line.startsWith("ambit_pdp_chain_handles_total{"))
    .sort();
}

describe("a chain that the service has seen", () => {
  it("is named by its digest from then on, and decided as if it were there", async () => {
    const { seen, scene } = watching();
    const { pep, url } = await serviceScene({}, {}, scene);
    const task = await pep.begin(BEGIN);
    for (let index = 0; index < 3; index++) expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    const [token = ""] = chainOf(task) ?? [];
    expect(seen).toHaveLength(3);
    for (const text of seen) expect(text).toContain(token);
    // Given out by this service, it was never sent to it: decide, redeem and settle of three calls.
    expect(await handles(url)).toEqual(['ambit_pdp_chain_handles_total{known="true"} 9']);
  });

  it("is sent whole to a replica that does not know it, and named again afterwards", async () => {
    const { inside, pepWith } = await serviceScene();
    // Two replicas at one address; the second has seen nothing.
    const [address, ...ports] = [await freePort(), await freePort(), await freePort()];
    const url = `http://127.0.0.1:${address}`;
    for (const port of ports) closeAfter(await servePdp(createPdpService({ pdp: inside, url, callers: CALLERS }), { port, grace: 100 }));
    let target = ports[0] as number;
    closeAfter(await faultProxy(address, () => target));
    const client = closeAfter(pdpClient(url, { credentials: { kind: "bearer", token: ENFORCER }, allowLoopback: true, deadline: 5000 }));
    const pep = pepWith(client);
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    target = ports[1] as number;
    expect([await outcomeOf(pep, task, ...READ), await outcomeOf(pep, task, ...READ)]).toEqual(["permit", "permit"]);
    expect(await handles(`http://127.0.0.1:${ports[0]}`)).toEqual(['ambit_pdp_chain_handles_total{known="true"} 3']);
    expect(await handles(`http://127.0.0.1:${ports[1]}`)).toEqual([
      'ambit_pdp_chain_handles_total{known="false"} 1',
      'ambit_pdp_chain_handles_total{known="true"} 5',
    ]);
  });

  it("is forgotten for newer ones, and that costs a question and no more", async () => {
    const { pep, url } = await serviceScene({}, {}, { chains: 1 });
    const [first, second] = [await pep.begin(BEGIN), await pep.begin(BEGIN)];
    for (const task of [first, second, first]) expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    expect(await handles(url)).toEqual(['ambit_pdp_chain_handles_total{known="false"} 3', 'ambit_pdp_chain_handles_total{known="true"} 6']);
  });

  it("is worth no more than the chain: not to another key, not when it has ended, and not if it never was one", async () => {
    const { pep, url, client, keys, now } = await serviceScene();
    const task = await pep.begin(BEGIN);
    const chain = chainOf(task) ?? [];
    const ask = async (presentation: object): Promise<unknown> => {
      const context = { presentation, agent: "reviewer", call_id: "c", call_digest: "d", arguments: { contract_id: "k1" }, supported_obligations: [] };
      const question = {
        subject: { type: "user", id: "user_1" },
        action: { name: "contracts_read" },
        resource: { type: "tool", id: "contracts_read" },
        context,
      };
      const headers = { authorization: `Bearer ${ENFORCER}`, "content-type": "application/json" };
      const answer = await fetch(`${url}/ambit/v1/decide`, { method: "POST", headers, body: JSON.stringify(question) });
      const body = (await answer.json()) as { readonly context?: { readonly refusal?: { readonly code: string } }; readonly error?: { readonly code: string } };
      return [answer.status, body.error?.code ?? body.context?.refusal?.code];
    };
    const pop = await signPop(
      { leaf: holdChain(chain).leaf, tool: "contracts.read", args: { contract_id: "k1" }, audience: AUDIENCE, now: now() },
      keys.get("stranger") as SigningKey,
    );
    expect(await ask({ chain_hash: chainHashOf(chain), pop })).toEqual([200, "holder_mismatch"]);
    // What was refused before it was verified is not remembered.
    const forged = [`${(chain[0] as string).slice(0, -6)}AAAAAA`];
    expect(await ask({ chain: forged, pop })).toEqual([200, "envelope_signature_invalid"]);
    expect(await ask({ chain_hash: chainHashOf(forged), pop })).toEqual([409, "chain_unknown"]);
    await task.end();
    expect(await outcomeOf(pep, task, ...READ)).toBe("envelope_revoked");
    await client.close();
  });
});
