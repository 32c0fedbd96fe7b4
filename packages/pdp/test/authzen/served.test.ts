import { createEngineEvaluator } from "@ambit/pdp/authzen";
import { describe, expect, it } from "vitest";
import { fixture } from "../support/fixture.ts";
import { post, serveAll } from "./serve.ts";

describe("a search for users", () => {
  const users = { roles: ["support"], attributes: {} };
  const policies = [
    { name: "p.cedar", text: 'permit (principal is User in Role::"support", action, resource); permit (principal is Agent, action, resource);' },
  ];
  const search = {
    subject: { type: "user" },
    action: { name: "crm.read" },
    resource: { type: "tool", id: "crm.read" },
    context: { tenant: "tenant_1", purpose: "review", agent: "reviewer", arguments: { customer_id: "c1" } },
  };
  interface Page {
    readonly results: readonly { readonly type: string; readonly id: string }[];
    readonly page: { readonly next_token: string };
  }
  const ids = ({ results }: Page): readonly string[] => results.map(({ type, id }) => `${type} ${id}`);

  it("looks through the active ones of the tenant, page by page, and ends however few it finds", async () => {
    const { pdp } = await fixture({ users, policies });
    const known = (id: string, roles: readonly string[], tenant = "tenant_1") => pdp.users?.upsertUser(tenant, { id, roles, attributes: {}, source: "test" });
    for (let count = 0; count < 1100; count++) await known(`user_${1000 + count}`, []);
    for (const id of ["user_1000", "user_1500", "user_2097", "user_2098", "user_2099"]) await known(id, ["support"]);
    await known("user_1", ["support"], "tenant_2");
    await pdp.users?.removeUser("tenant_1", "user_2098");
    const url = `${await serveAll({ pdp })}/access/v1/search/subject`;
    const ask = async (page: object, context: object = {}): Promise<Page> =>
      (await post(url, { ...search, context: { ...search.context, ...context }, page })).json as unknown as Page;

    const first = await ask({ limit: 1 });
    expect(ids(first)).toEqual(["user user_1000"]);
    const second = await ask({ token: first.page.next_token });
    expect(ids(second)).toEqual(["user user_1500"]);
    const whole = await ask({});
    expect(ids(whole)).toEqual(["user user_1000", "user user_1500"]);
    const rest = await ask({ token: whole.page.next_token });
    expect([ids(rest), rest.page.next_token]).toEqual([["user user_2097", "user user_2099"], ""]);
    expect(ids(await ask({}, { tenant: "tenant_2" }))).toEqual([]);
    const stranger = createEngineEvaluator(() => pdp.rules()).searchSubjects?.(search, { after: undefined, limit: 1 }, { mayActFor: () => false });
    expect(await stranger).toEqual({ results: [] });
  });

  it("is refused where nobody knows who the users are, and where the question is none", async () => {
    const url = `${await serveAll(await fixture())}/access/v1/search/subject`;
    expect((await post(url, search)).status).toBe(400);
    expect((await post(url, { ...search, subject: { type: "agent" }, context: { ...search.context, delegator: "user_1" } })).status).toBe(200);
    const known = `${await serveAll(await fixture({ users }))}/access/v1/search/subject`;
    expect((await post(known, search)).status).toBe(200);
    expect((await post(known, { ...search, context: { ...search.context, agent: null } })).status).toBe(400);
    expect((await post(known, { ...search, context: {} })).status).toBe(400);
  });
});

describe("the metadata of the service", () => {
  it("name what it answers, and no profile that no answer of it follows", async () => {
    const url = await serveAll(await fixture({ approvals: {} }));
    expect(await (await fetch(`${url}/.well-known/authzen-configuration`)).json()).toEqual({
      policy_decision_point: url,
      access_evaluation_endpoint: `${url}/access/v1/evaluation`,
      access_evaluations_endpoint: `${url}/access/v1/evaluations`,
      search_subject_endpoint: `${url}/access/v1/search/subject`,
      search_action_endpoint: `${url}/access/v1/search/action`,
    });
  });
});
