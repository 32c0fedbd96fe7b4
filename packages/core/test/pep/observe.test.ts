import { describe, expect, it } from "vitest";
import type { AccessRequest } from "../../src/pdp/access-request.ts";
import { delegate } from "../../src/pep/delegate.ts";
import type { Refused } from "../../src/pep/verdict.ts";
import { createPep } from "../../src/pep/create-pep.ts";
import { codeOf } from "../support/codes.ts";
import { BEGIN, createFakePdp, denial, NOW, permit, REFUSAL, scene } from "../support/fake-pdp.ts";

const watch = () => {
  const told: string[] = [];
  const onObserved = ({ refusal }: Refused, call?: { readonly tool: string }): void => void told.push(`${call?.tool ?? "begin"} ${refusal.code}`);
  return { told, options: { mode: "observe", onObserved } as const };
};

describe("an enforcement point that observes", () => {
  it("lets run what would be refused, with its own arguments, and says so", async () => {
    const { told, options } = watch();
    const { pdp, pep, call } = await scene({ decide: () => Promise.resolve(denial()) }, options);
    const args = { contract_id: "k1", at: new Date(0) };
    const ran: unknown[] = [];
    expect(await pep.enforce(call({ arguments: args }), (own) => (ran.push(own), "ran"))).toMatchObject({ result: "ran" });
    expect(ran[0]).toBe(args);
    expect(told).toEqual(["contracts_read policy_denied"]);
    expect((pdp.asks("decide")[0] as AccessRequest | undefined)?.context).toMatchObject({ mode: "observe" });
    expect(pdp.asks("settle")).toEqual([]);
  });

  it.each([
    ["throws", () => Promise.reject(new Error("x")), "pdp_unavailable"],
    ["is silent", () => new Promise(() => {}), "pdp_timeout"],
    ["answers nonsense", () => Promise.resolve({ decision: "true" }), "pdp_response_invalid"],
  ])("goes on when the decision point %s", async (_, decide, code) => {
    const { told, options } = watch();
    const { pep, call } = await scene({ decide }, options);
    expect(await pep.enforce(call(), () => "ran")).toMatchObject({ result: "ran" });
    expect(told).toEqual([`contracts_read ${code}`]);
  });

  it("shows results whole, and records what would have been left of them", async () => {
    const { told, options } = watch();
    const cut = permit([{ id: "r", type: "limit_records", properties: { pointer: "", max: 1 } }]);
    const { pdp, pep, call } = await scene({ decide: () => Promise.resolve(cut) }, options);
    expect(await pep.enforce(call(), () => [1, 2, 3])).toMatchObject({ result: [1, 2, 3] });
    expect(pdp.asks("settle")).toMatchObject([{ status: "done", records: 1 }]);
    expect(await pep.enforce(call(), () => "text")).toMatchObject({ result: "text" });
    expect(told).toEqual(["contracts_read obligation_unsupported"]);
  });

  it("begins and hands off whatever is said, and everything below is observed, too", async () => {
    const { told, options } = watch();
    const pdp = createFakePdp({ begin: () => Promise.resolve({ decision: false, id: "d", refusal: REFUSAL }) });
    const pep = createPep({ pdp, agent: "agent", now: () => NOW, ...options });
    const task = await pep.begin(BEGIN);
    expect(task.envelope).toMatchObject({ delegatorId: "user_1", agentId: "agent", allowedTools: ["contracts.read"] });
    expect(await pep.enforce({ envelope: task, tool: "t", arguments: {} }, () => "ran")).toMatchObject({ result: "ran" });
    const handed = await delegate(pep, task, { agentId: "other" }, (child) =>
      child.pep.enforce({ envelope: child.task, tool: "u", arguments: {} }, () => "ran"),
    );
    expect(handed).toMatchObject({ result: { result: "ran" } });
    await task.end();
    expect(told).toEqual(["begin policy_denied", "t envelope_malformed", "begin envelope_malformed", "u envelope_malformed"]);
  });

  it("throws on a mistake of the developer's, passes on what the tool throws, and minds no observer", async () => {
    const { pep, call, task } = await scene(
      { decide: () => Promise.resolve(denial()) },
      {
        mode: "observe",
        onObserved: () => {
          throw new Error("mine");
        },
      },
    );
    await expect(pep.enforce(call(), () => Promise.reject(new Error("tool")))).rejects.toThrow("tool");
    expect(await pep.enforce(call(), () => "ran")).toMatchObject({ result: "ran" });
    expect(task.depth).toBe(0);
    expect(codeOf(() => createPep({ pdp: createFakePdp(), agent: "a", mode: "off" as never }))).toBe("option_invalid");
  });

  it("is asked for by name: without it a refusal is one", async () => {
    const { pep, call } = await scene({ decide: () => Promise.resolve(denial()) }, { onObserved: () => undefined });
    expect(await pep.enforce(call(), () => "ran")).toMatchObject({ refused: { kind: "deny" } });
  });
});
