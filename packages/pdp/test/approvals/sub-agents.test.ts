import { chainOf, type Pep, type Task } from "@ambit/core";
import type { SigningKey } from "@ambit/core/token";
import { describe, expect, it } from "vitest";
import { BEGIN, outcomeOf } from "../support/fixture.ts";
import { signedFixture } from "../support/signed.ts";
import { closeAfter, serviceScene } from "../server/scene.ts";
import { deskOf } from "./scene.ts";

const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
const BEGUN = { ...BEGIN, approvals: ["contracts.read"] };

const here = (): ReturnType<typeof signedFixture> => signedFixture({ approvals: {} });
const served = async (): ReturnType<typeof signedFixture> => {
  const scene = await serviceScene({ approvals: {} });
  closeAfter(scene.inside as typeof scene.pdp);
  return { ...scene, pdp: scene.inside as typeof scene.pdp };
};

describe.each([
  ["in the process", here],
  ["over HTTP", served],
])("an agent two hand-offs away, %s", (_, open) => {
  /** Coordinator, reviewer and classifier, each a process of its own as far as keys go. */
  async function line() {
    const { pepOf, keys, pdp } = await open();
    const peps = { coordinator: pepOf("coordinator"), reviewer: pepOf("reviewer"), classifier: pepOf("classifier") };
    const handed = async (from: Pep, task: Task, to: keyof typeof peps): Promise<Task> => {
      const holder = (keys.get(to) as SigningKey).public.jwk;
      return peps[to].receive(chainOf(await from.handOff(task, { agentId: to, allowedTools: ["contracts.read"], holder })) ?? []);
    };
    const root = await peps.coordinator.begin(BEGUN);
    const child = await handed(peps.coordinator, root, "reviewer");
    const grandchild = await handed(peps.reviewer, child, "classifier");
    const direct = await handed(peps.coordinator, root, "classifier");
    return { peps, root, child, grandchild, direct, handed, ...deskOf(pdp) };
  }

  it("asks the delegator of the root, who sees the whole way; only that agent, on that way, may use the answer, once", async () => {
    const { peps, child, grandchild, direct, waiting, say } = await line();
    const call = (pep: Pep, task: Task): Promise<string> => outcomeOf(pep, task, ...READ);
    expect(await call(peps.classifier, grandchild)).toBe("approval_required");
    const [asked] = await waiting();
    expect(asked?.request).toMatchObject({ delegatorId: "user_1", agentId: "classifier", above: ["coordinator", "reviewer"], tool: "contracts.read" });
    for (const approver of ["coordinator", "reviewer", "classifier"]) expect(await say({ approver })).toBe("approval_invalid");
    expect(await say()).toBe("resolved");
    // The one above it, and the same agent where somebody else sent it.
    expect([await call(peps.reviewer, child), await call(peps.classifier, direct)]).toEqual(["approval_required", "approval_required"]);
    expect([await call(peps.classifier, grandchild), await call(peps.classifier, grandchild)]).toEqual(["permit", "approval_required"]);
    const above = (await waiting()).map(({ request }) => [request.agentId, ...request.above].join(" "));
    expect(above.toSorted()).toEqual(["classifier coordinator", "classifier coordinator reviewer", "reviewer coordinator"]);
  });

  it("goes on with its approval after the task was renewed and handed on anew", async () => {
    const { peps, root, grandchild, handed, say } = await line();
    expect(await outcomeOf(peps.classifier, grandchild, ...READ)).toBe("approval_required");
    expect(await say()).toBe("resolved");
    const next = await peps.coordinator.renew(root, { expiresIn: "20m" });
    const child = await handed(peps.coordinator, next, "reviewer");
    const again = await handed(peps.reviewer, child, "classifier");
    expect([await outcomeOf(peps.classifier, again, ...READ), await outcomeOf(peps.classifier, grandchild, ...READ)]).toEqual(["permit", "approval_required"]);
  });
});
