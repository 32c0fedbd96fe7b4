import { chainOf, createPep, type Pep, type Task } from "@ambit/core";
import { generateKey, type SigningKey } from "@ambit/core/token";
import { readApproval, signAnswer, type Approval } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { writeApproval } from "../../src/approvals/approval.ts";
import { BEGIN, codeOf, CONFIG, fixture, MANIFEST, NOW, rejection } from "../support/fixture.ts";
import { signedFixture } from "../support/signed.ts";
import { agentsWithKeys, deskOf, scene, TICKET } from "./scene.ts";

const READ = ["contracts_read", { contract_id: "k1" }] as const;
const CONTRACT = { customer_id: "c1", title: "t", terms: "r", salary: 7 };

describe("an approval is bound to", () => {
  it("the key of the agent: the same agent of the same task with another key waits for its own", async () => {
    const { agents, keys } = await agentsWithKeys();
    const { pdp, now } = await signedFixture({ agents, approvals: {} });
    const pepOf = (agent: string, key: SigningKey): Pep => createPep({ pdp, agent, keys: new Map([[agent, key]]), now, deadline: 10_000 });
    const lead = keys["coordinator"]?.[0] as SigningKey;
    const root = await pepOf("coordinator", lead).begin({ ...BEGIN, approvals: ["contracts.read"] });
    const held = await Promise.all(
      (keys["reviewer"] ?? []).map(async (key) => {
        const given = await pepOf("coordinator", lead).handOff(root, { agentId: "reviewer", allowedTools: ["contracts.read"], holder: key.public.jwk });
        const pep = pepOf("reviewer", key);
        return [pep, await pep.receive(chainOf(given) ?? [])] as const;
      }),
    );
    const call = async ([pep, envelope]: readonly [Pep, Task]): Promise<string> =>
      codeOf(await pep.enforce({ envelope, tool: READ[0], arguments: READ[1] }, () => CONTRACT));
    const [one, other] = held as [(typeof held)[0], (typeof held)[0]];
    expect(await call(one)).toBe("approval_required");
    const { waiting, say } = deskOf(pdp);
    expect((await waiting())[0]?.request).toMatchObject({ agentId: "reviewer", holder: keys["reviewer"]?.[0].public.thumbprint });
    expect(await say()).toBe("resolved");
    expect([await call(other), await call(one), await call(one)]).toEqual(["approval_required", "permit", "approval_required"]);
    expect((await waiting()).map(({ request }) => request.holder).toSorted()).toEqual(keys["reviewer"]?.map((key) => key.public.thumbprint).toSorted());
  });

  it("the definition of the tool: one that says something else of itself waits again", async () => {
    const { pep, task, waiting, say } = await scene({});
    const call = async (definition?: string): Promise<string> =>
      codeOf(await pep.enforce({ envelope: task, tool: TICKET[0], arguments: TICKET[1], definition }, () => ({})));
    const [seen, changed] = ["A", "B"].map((letter) => `sha-256:${letter.repeat(43)}`);
    expect(await call(seen)).toBe("approval_required");
    expect((await waiting())[0]?.request.definition).toBe(seen);
    expect(await say()).toBe("resolved");
    expect([await call(changed), await call(), await call(seen)]).toEqual(["approval_required", "approval_required", "permit"]);
  });

  it("the name and the server that it is called at", async () => {
    const { pep, pdp } = await fixture({ approvals: {} });
    const task = await pep.begin({ ...BEGIN, approvals: ["contracts.read"] });
    const definition = `sha-256:${"A".repeat(43)}`;
    const call = async (server?: string): Promise<string> =>
      codeOf(await pep.enforce({ envelope: task, tool: READ[0], server, definition, arguments: READ[1] }, () => CONTRACT));
    expect(await call("crm")).toBe("approval_required");
    expect(await deskOf(pdp).say()).toBe("resolved");
    expect([await call(), await call("crm")]).toEqual(["approval_required", "permit"]);
  });

  it("what the manifest says that the call changes, and who has to approve it", async () => {
    const { pdp, call, say } = await scene({});
    const { "tickets.create": ticket, ...tools } = MANIFEST.tools;
    await call();
    expect(await say()).toBe("resolved");
    const approvals = { rules: [{ tools: ["tickets.create"], by: ["user:user_2"] }] };
    const others = [{ manifest: { tools: { ...tools, "tickets.create": { ...ticket, effect: "destructive" } } } }, { approvals }];
    for (const other of others) {
      await pdp.reload({ ...CONFIG, approvals: {}, ...other });
      expect([other, await call()]).toEqual([other, "approval_required"]);
    }
    await pdp.reload({ ...CONFIG, approvals: {} });
    expect(await call()).toBe("permit");
  });
});

/** Every value of a JSON text, as the path to it. */
function placesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0
    ? Object.entries(value).flatMap(([key, member]) => placesOf(member, [...path, key]))
    : [path];
}

function changedAt(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  return Object.assign(copy, { [key]: changedAt((value as { readonly [key: string]: unknown })[key], rest, to) });
}

describe("a request that is shown", () => {
  const shown = async (): Promise<{ readonly [member: string]: unknown }> => {
    const { pep, pdp } = await fixture({ approvals: { rules: [{ by: ["delegator", "user:a"], needed: 2 }] } });
    const task = await pep.begin({ ...BEGIN, approvals: ["contracts.read"], budgets: { calls: 3 } });
    const definition = `sha-256:${"A".repeat(43)}`;
    await pep.enforce({ envelope: task, tool: READ[0], server: "crm", definition, arguments: READ[1] }, () => CONTRACT);
    const [approval] = await pdp.approvals.list("tenant_1");
    return JSON.parse(JSON.stringify(writeApproval(approval as Approval))) as { readonly [member: string]: unknown };
  };
  const read = (json: unknown): string => {
    try {
      return readApproval(json).id;
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  };

  it("is read as it is, and with anything else in what it is about it is refused", async () => {
    const json = await shown();
    expect(read(json)).toBe(json["id"]);
    const places = placesOf(json["about"], ["about"]);
    expect(places.map((path) => path.join("/"))).toEqual(
      expect.arrayContaining(["about/holder", "about/arguments/contract_id", "about/changes/money", "about/demands/0/by/1"]),
    );
    for (const path of places)
      for (const other of ["other", "delegator", "user:b", "write", 7, true, null, ["other"], { other: 1 }]) {
        const changed = changedAt(json, path, other);
        if (JSON.stringify(changed) !== JSON.stringify(json))
          expect([path.join("/"), other, read(changed)]).toEqual([path.join("/"), other, "approval_invalid"]);
      }
  });

  it.each([
    ["a member that nobody would see", (json: object) => changedAt(json, ["about", "hidden"], 1)],
    ["a member that nobody would see further in", (json: object) => changedAt(json, ["about", "changes", "hidden"], 1)],
    [
      "another id",
      (json: { readonly id?: unknown }) => ({ ...json, id: String(json.id).replace(/^apr_./, (start) => (start === "apr_A" ? "apr_B" : "apr_A")) }),
    ],
    ["an id that is none", (json: object) => ({ ...json, id: "apr_1" })],
    ["no id", (json: object) => ({ ...json, id: undefined })],
    ["a status that is none", (json: object) => ({ ...json, status: "blessed" })],
    ["nothing that it is about", (json: object) => ({ ...json, about: undefined })],
    ["no object", () => "approved"],
  ])("with %s is refused", async (_, change) => {
    expect(read(change(await shown()))).toBe("approval_invalid");
  });

  it("is signed as what it is about, and not where its id says something else", async () => {
    const key = await generateKey();
    const approval = readApproval(await shown());
    const lie = { ...approval, request: { ...approval.request, arguments: { contract_id: "k2" } } };
    expect(await rejection(signAnswer({ approval: lie, approver: "user_1", decision: "approve", now: NOW }, key))).toBe("approval_invalid");
    expect(await rejection(signAnswer({ approval, approver: "user_1", decision: "approve", now: NOW }, key))).toBe("resolved");
  });
});
