import { createCedarEvaluator, type CedarEvaluatorOptions } from "@ambit/pdp/authzen";
import { Validator } from "@cfworker/json-schema";
import { describe, expect, it } from "vitest";
import { hasVectors, vectorText } from "../../../core/test/support/vectors.ts";
import { fixture } from "../support/fixture.ts";
import { post, serveAll, serveAuthzen } from "./serve.ts";

interface Decisions {
  readonly evaluation: readonly { readonly request: object; readonly expected: boolean }[];
  readonly evaluations: readonly { readonly request: object; readonly expected: readonly { readonly decision: boolean }[] }[];
}

const read = <T>(name: string): T => JSON.parse(vectorText(`authzen/${name}`)) as T;

/** The five people of the interop event, as Cedar: an admin may do everything, an editor what is their own, a viewer look. */
const person = (part: string, email: string, ...roles: readonly string[]) => ({
  uid: { type: "user", id: `CiRmZ${part}2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs` },
  attrs: { email },
  parents: roles.map((id) => ({ type: "role", id })),
});

const TODO: CedarEvaluatorOptions = {
  schema: `
    entity role;
    entity user in [role] { email?: String };
    entity todo { ownerID?: String };
    action can_read_user appliesTo { principal: user, resource: user };
    action can_read_todos, can_create_todo, can_update_todo, can_delete_todo appliesTo { principal: user, resource: todo };`,
  policies: [
    {
      name: "todo.cedar",
      text: `
        permit (principal, action in [Action::"can_read_user", Action::"can_read_todos"], resource) when { principal has email };
        permit (principal, action == Action::"can_create_todo", resource) when { principal in role::"admin" || principal in role::"editor" };
        permit (principal in role::"evil_genius", action == Action::"can_update_todo", resource);
        permit (principal in role::"admin", action == Action::"can_delete_todo", resource);
        permit (principal in role::"editor", action in [Action::"can_update_todo", Action::"can_delete_todo"], resource)
          when { principal has email && resource has ownerID && resource.ownerID == principal.email };`,
    },
  ],
  entities: [
    person("DA", "rick@the-citadel.com", "admin", "evil_genius"),
    person("DE", "morty@the-citadel.com", "editor"),
    person("DI", "summer@the-smiths.com", "editor"),
    person("DM", "beth@the-smiths.com", "viewer"),
    person("DQ", "jerry@the-smiths.com", "viewer"),
  ],
};

describe.skipIf(!hasVectors("authzen"))("the decisions of the interop event", () => {
  it("are those that were expected, one by one and in batches, and all messages fit the schemas", async () => {
    const { evaluation, evaluations } = read<Decisions>("todo-decisions.json");
    const [request, response] = ["evaluation-request.schema.json", "evaluation-response.schema.json"].map(
      (name) => new Validator(read<object>(name), "2020-12"),
    );
    const url = await serveAuthzen(createCedarEvaluator(TODO));
    for (const { request: body, expected } of evaluation) {
      expect(request?.validate(body).valid).toBe(true);
      const { status, json } = await post(`${url}/access/v1/evaluation`, body);
      expect([status, body, json["decision"]]).toEqual([200, body, expected]);
      expect(response?.validate(json).valid).toBe(true);
    }
    for (const { request: body, expected } of evaluations) {
      const { json } = await post(`${url}/access/v1/evaluations`, body);
      expect((json["evaluations"] as unknown as Decisions["evaluations"][0]["expected"]).map(({ decision }) => ({ decision }))).toEqual(expected);
    }
    expect(evaluation.length + evaluations.length).toBe(43);
  });

  it("are none where nothing is known of those people, in answers that fit the schema", async () => {
    const response = new Validator(read<object>("evaluation-response.schema.json"), "2020-12");
    const url = await serveAll(await fixture());
    for (const { request } of read<Decisions>("todo-decisions.json").evaluation) {
      const { json } = await post(`${url}/access/v1/evaluation`, request);
      expect([json["decision"], response.validate(json).valid]).toEqual([false, true]);
    }
  });

  it.each([
    ["Cedar evaluator", () => serveAuthzen(createCedarEvaluator(TODO))],
    ["service as it is served", async () => serveAll(await fixture())],
  ])("are refused by the %s when asked for with what the schema of requests refuses", async (_, serve) => {
    const validator = new Validator(read<object>("evaluation-request.schema.json"), "2020-12");
    const url = `${await serve()}/access/v1/evaluation`;
    const whole = { subject: { type: "user", id: "a" }, action: { name: "can_read_todos" }, resource: { type: "todo", id: "1" } };
    const wrong = [1, "text", [], {}, { type: 1, id: "a", name: "n" }, { type: "user", id: 1, name: 1 }, { type: "user", id: "a", name: "n", properties: [] }];
    for (const member of ["subject", "action", "resource", "context"]) {
      for (const value of wrong) {
        const body = { ...whole, [member]: value };
        const isValid = validator.validate(body).valid;
        expect([body, (await post(url, body)).status]).toEqual([body, isValid ? 200 : 400]);
      }
    }
  });
});
