import { AmbitError, own, type JsonObject } from "@ambit/core";
import type { Directory, User } from "../directory/directory.ts";
import type { Changes } from "../relations/tuple.ts";
import type { Relations } from "../relations/relations.ts";
import { requestProblem } from "../server/problem.ts";
import type { Route } from "../server/route.ts";
import { onlyMembers, tenantOf } from "./asked.ts";

/** What of the decision point these routes are about; each may be absent, and is another object after a reload. */
export interface People {
  readonly users: Directory | undefined;
  readonly relations: Relations | undefined;
}

/**
 * Who the users are, and who is what to which thing:
 *
 *     POST /ambit/v1/users          { tenant_id, user: { id, roles, attributes, source }[, is_returning] }
 *     POST /ambit/v1/users/remove   { tenant_id, id }: whatever was given out on their behalf is revoked
 *     POST /ambit/v1/relations      { tenant_id, add: […], remove: […] }
 */
export function peopleRoutes(people: People): readonly Route[] {
  const post = (path: string, members: readonly string[], run: (tenantId: string, body: JsonObject) => Promise<object>): Route => ({
    method: "POST",
    path,
    role: "administer",
    handle: async (call) => {
      const body = onlyMembers(call.json, ["tenant_id", ...members]);
      const tenantId = tenantOf(call, own(body, "tenant_id"));
      try {
        return { json: await run(tenantId, body) };
      } catch (error) {
        if (!AmbitError.isInstance(error)) throw requestProblem("unavailable", "it cannot be written now");
        if (error.code === "option_invalid" || error.code === "proof_invalid") throw requestProblem("request_malformed", error.summary);
        throw requestProblem("unavailable", "it cannot be written now");
      }
    },
  });
  return [
    post("/ambit/v1/users", ["user", "is_returning"], async (tenantId, body) => {
      const isReturning = own(body, "is_returning") ?? false;
      if (typeof isReturning !== "boolean") throw new AmbitError("option_invalid", "`is_returning` must be true or false");
      await configured(people.users, "users").upsertUser(tenantId, own(body, "user") as unknown as User, { isReturning });
      return { done: true };
    }),
    post("/ambit/v1/users/remove", ["id"], async (tenantId, body) => {
      await configured(people.users, "users").removeUser(tenantId, own(body, "id") as string);
      return { done: true };
    }),
    post("/ambit/v1/relations", ["add", "remove"], async (tenantId, body) => {
      const { tenant_id: _, ...changes } = body;
      return { revision: await configured(people.relations, "relations").write(tenantId, changes as unknown as Changes) };
    }),
  ];
}

function configured<T>(part: T | undefined, name: string): T {
  if (part === undefined) throw new AmbitError("option_invalid", `\`${name}\` is not configured`);
  return part;
}
