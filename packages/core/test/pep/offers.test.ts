import { describe, expect, it } from "vitest";
import type { Terms } from "../../src/pdp/terms.ts";
import { createPep } from "../../src/pep/create-pep.ts";
import { ORDER } from "../support/envelopes.ts";
import { BEGIN, createFakePdp, NOW, scene } from "../support/fake-pdp.ts";

const IDS: Readonly<Record<string, string>> = {
  '["contracts_read","crm"]': "contracts.read",
  '["mail_send","crm"]': "mail.send",
  '["contracts_read",null]': "contracts.list",
};
const TERMS: Terms = {
  order: ORDER,
  audience: ["urn:example:pdp"],
  toolId: (name, server) => IDS[JSON.stringify([name, server ?? null])],
  pinOf: () => "none",
};

async function offering(terms: () => Promise<Terms> = async () => TERMS, mode?: "observe") {
  const pdp = { ...createFakePdp(), terms };
  const pep = createPep({ pdp, agent: "agent", now: () => NOW, deadline: 50, ...(mode === undefined ? {} : { mode }) });
  const begin = { ...BEGIN, allowedTools: ["contracts.read", "mail.send"], deniedTools: ["mail.send"] };
  return { pep, task: await pep.begin(begin) };
}

const NAMES = ["contracts_read", "mail_send", "unknown", "constructor", "contracts.read", "CONTRACTS_READ"];

describe("what an envelope offers", () => {
  it("is the names of tools that it allows and does not deny, at this server and no other", async () => {
    const { pep, task } = await offering();
    expect([...(await pep.offers(task, NAMES, "crm"))]).toEqual(["contracts_read"]);
    expect([...(await pep.offers(async () => task, NAMES, "crm"))]).toEqual(["contracts_read"]);
    expect([...(await pep.offers(task, NAMES))]).toEqual([]);
    expect([...(await pep.offers(task, NAMES, "other"))]).toEqual([]);
  });

  it("is nothing without an envelope, and nobody is asked for names then", async () => {
    const { pep, task } = await offering(() => Promise.reject(new Error("down")));
    for (const source of [undefined, () => undefined, () => Promise.reject(new Error("e")), { ...task }])
      expect([...(await pep.offers(source as never, NAMES, "crm"))]).toEqual([]);
  });

  it.each<[string, () => Promise<Terms>, string]>([
    ["cannot be reached", () => Promise.reject(new Error("down")), "pdp_unavailable"],
    ["hangs", () => new Promise(() => undefined), "pdp_timeout"],
    ["answers nothing", async () => undefined as never, "pdp_unavailable"],
    ["knows no names", async () => ({ ...TERMS, toolId: undefined as never }), "pdp_unavailable"],
  ])("cannot be told when the decision point %s", async (_, terms, code) => {
    const { pep, task } = await offering(terms);
    await expect(pep.offers(task, NAMES, "crm")).rejects.toMatchObject({ code });
  });

  it("is everything where nothing is refused", async () => {
    const { pep, task } = await offering(() => Promise.reject(new Error("down")), "observe");
    expect([...(await pep.offers(task, NAMES, "crm"))]).toEqual(NAMES);
  });
});

describe("an admission behind a handle", () => {
  it("has nothing to show to others", async () => {
    const { pep, call } = await scene();
    const admission = await pep.admit(call());
    expect(admission.admitted && "show" in admission).toBe(false);
    expect(admission.admitted).toBe(true);
  });
});
