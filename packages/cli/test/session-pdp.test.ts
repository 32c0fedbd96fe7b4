import { chainOf, createPep } from "@ambit/core";
import { signingKey, type PrivateJwk, type SigningKey } from "@ambit/core/token";
import { createPdp } from "@ambit/pdp";
import { expect, test } from "vitest";
import { join } from "node:path";
import { AUDIENCE, openSession } from "./fixtures/session.ts";

const read = { input_schema: { type: "object", properties: { id: { type: "string" } } }, effect: "read", constraints: { contract_ids: { argument: "/id" } } };
const tool = (name: string): object => ({ ...read, names: [{ name, pin: "none" }], records: { result: "", most: 1 }, data_classes: [], sends_outside: false });

test("a chain that was minted and narrowed at the command line is one to act under", async () => {
  const session = await openSession();
  try {
    const json = async (name: string): Promise<unknown> => JSON.parse(await session.read(name));
    const [agent, next] = [await json("agent.pub.jwk"), await json("next.pub.jwk")];
    const pdp = await createPdp({
      manifest: { tools: { "contracts.read": tool("contracts_read"), "crm.read": tool("crm_read"), "playbook.read": tool("playbook_read") } },
      agents: {
        agents: {
          reviewer: { trust_zone: "first_party", ceiling: "none", keys: [agent] },
          classifier: { trust_zone: "third_party", ceiling: "none", keys: [next] },
        },
      },
      purposes: join(session.folder, "purposes.json"),
      vocabulary: { case_ids: "subset" },
      policies: [{ name: "p", text: "permit (principal, action, resource);" }],
      anchors: join(session.folder, "anchors.json"),
      audience: [AUDIENCE],
      log: "memory",
      state: "memory",
      approvals: "none",
    });
    const keyOf = async (name: string): Promise<SigningKey> => signingKey((await json(name)) as PrivateJwk);
    const keys = new Map([
      ["reviewer", await keyOf("agent.jwk")],
      ["classifier", await keyOf("next.jwk")],
    ]);
    await session.mint("--out", "chain.json");
    await session.attenuate({ agent_id: "classifier", purpose: "classify", allowed_tools: ["playbook.read"] }, "--out", "child.json");
    const chain = async (name: string): Promise<readonly string[]> => ((await json(name)) as { readonly aat_chain: readonly string[] }).aat_chain;

    const reviewer = createPep({ pdp, agent: "reviewer", keys });
    const task = await reviewer.receive(await chain("chain.json"));
    const enforce = async (pep: typeof reviewer, envelope: typeof task, name: string, id: string): Promise<string> => {
      const enforced = await pep.enforce({ envelope, tool: name, arguments: { id } }, () => ({ id }));
      return enforced.refused?.refusal.code ?? "permit";
    };
    expect(await enforce(reviewer, task, "contracts_read", "c1")).toBe("permit");
    expect(await enforce(reviewer, task, "contracts_read", "c3")).toBe("argument_not_allowed");
    expect(await enforce(reviewer, task, "playbook_read", "c1")).toBe("tool_not_allowed");

    const classifier = createPep({ pdp, agent: "classifier", keys });
    const child = await classifier.receive(await chain("child.json"));
    expect(child).toMatchObject({ depth: 1, lineage: task.lineage });
    expect(await enforce(classifier, child, "playbook_read", "c1")).toBe("permit");
    await task.end();
    expect(await enforce(classifier, child, "playbook_read", "c1")).toBe("envelope_revoked");

    expect(chainOf(task)).toEqual(await chain("chain.json"));
  } finally {
    await session.end();
  }
});
