import { setTimeout as wait } from "node:timers/promises";
import type { Task } from "@ambit/core";
import type { StatePart } from "@ambit/pdp";
import { afterAll, describe, expect, it } from "vitest";
import { hasPostgres, newSchema, POSTGRES_URL, removeSchema } from "../state/postgres-schema.ts";
import { hasRedis, newPrefix, REDIS_URL, removeKeys } from "../state/redis-store.ts";
import { BEGIN, outcomeOf, rejection } from "../support/fixture.ts";
import { tupleOf, userOf, write } from "./people.ts";
import { replicasOver, type Replica } from "./replicas.ts";

const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
const POLICY = `permit (principal, action in [Action::"ambit:begin", Action::"ambit:hand_off"], resource); permit (principal is Agent, action, resource);
  permit (principal is User in Role::"support", action == Action::"contracts.read", resource) when { context.relations.reader };`;
const CONFIG = {
  policies: [{ name: "p.cedar", text: POLICY }],
  users: { roles: ["support"] },
  relations: { types: { user: {}, group: { relations: { member: ["user"] } }, Contract: { relations: { reader: ["user", "group#member"] } } } },
};
/** What a process has read of a user counts there for so long, milliseconds. */
const FRESH = 1000;

const removals: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const remove of removals) await remove();
});

const kinds: readonly (readonly [name: string, isThere: boolean, create: () => StatePart])[] = [
  [
    "PostgreSQL",
    await hasPostgres(),
    () => {
      const schema = newSchema();
      removals.push(() => removeSchema(schema));
      return { kind: "postgres", url: POSTGRES_URL, schema };
    },
  ],
  [
    "Redis",
    await hasRedis(),
    () => {
      const prefix = newPrefix();
      removals.push(() => removeKeys(prefix));
      return { kind: "redis", url: REDIS_URL, prefix };
    },
  ],
];

for (const [name, isThere, create] of kinds) {
  describe.skipIf(!isThere)(`three replicas over one ${name}`, () => {
    const scene = async (): Promise<readonly [Replica, Replica, Replica]> =>
      (await replicasOver(create(), 3, CONFIG)) as unknown as [Replica, Replica, Replica];
    const outcomes = async (replicas: readonly Replica[], task: Task): Promise<readonly string[]> => {
      const told: string[] = [];
      for (const { pep } of replicas) told.push(await outcomeOf(pep, task, ...READ));
      return told;
    };

    it("know the relations that any of them was told of, from the next question on", async () => {
      const [one, two, three] = await scene();
      await write(one.url, "users", userOf("user_1", ["support"]));
      const task = await one.pep.begin(BEGIN);
      expect(await outcomes([one, two, three], task)).toEqual(["policy_denied", "policy_denied", "policy_denied"]);
      await write(two.url, "relations", { tenant_id: "tenant_1", add: [tupleOf("Contract:k1 reader group:g#member")] });
      await write(three.url, "relations", { tenant_id: "tenant_1", add: [tupleOf("group:g member user:user_1")] });
      expect(await outcomes([one, two, three], task)).toEqual(["permit", "permit", "permit"]);
      await write(one.url, "relations", { tenant_id: "tenant_1", remove: [tupleOf("group:g member user:user_1")] });
      expect(await outcomes([one, two, three], task)).toEqual(["policy_denied", "policy_denied", "policy_denied"]);
    });

    it("lose no relation of many that are written everywhere at once", async () => {
      const replicas = await scene();
      const ids = Array.from({ length: 60 }, (_, index) => `u${index}`);
      await Promise.all(
        ids.map((id, index) => {
          const add = [tupleOf(`group:g member user:${id}`), tupleOf("Contract:k1 reader group:g#member")];
          return write((replicas[index % 3] as Replica).url, "relations", { tenant_id: "tenant_1", add });
        }),
      );
      for (const { pdp } of replicas) {
        expect((await pdp.relations?.listSubjects("tenant_1", "user", "reader", { type: "Contract", id: "k1" }))?.ids).toEqual(ids.toSorted());
        expect(await pdp.relations?.revision("tenant_1")).toBe(60);
        expect(await pdp.relations?.revision("tenant_2")).toBe(0);
      }
    });

    it("deny a leaver who was removed at another one, and begin nothing for them that could be used", async () => {
      const [one, two, three] = await scene();
      await write(one.url, "users", userOf("user_1", ["support"]));
      await write(one.url, "relations", { tenant_id: "tenant_1", add: [tupleOf("Contract:k1 reader user:user_1")] });
      const task = await one.pep.begin(BEGIN);
      expect(await outcomes([one, two, three], task)).toEqual(["permit", "permit", "permit"]);
      expect(await write(one.url, "users/remove", { tenant_id: "tenant_1", id: "user_1" })).toBe("200");
      expect(await outcomes([one, two, three], task)).toEqual(["envelope_revoked", "envelope_revoked", "envelope_revoked"]);
      // Whoever read the user a moment ago may begin; what is begun was given out as good as before the removal.
      for (const { pep } of [two, three]) {
        const begun = await pep.begin(BEGIN).catch(() => undefined);
        if (begun !== undefined) expect(await outcomes([one, two, three], begun)).toEqual(["envelope_revoked", "envelope_revoked", "envelope_revoked"]);
      }
      await wait(FRESH);
      for (const { pep } of [one, two, three]) expect(await rejection(pep.begin(BEGIN))).toBe("policy_denied");
    });

    it("know within that second that somebody has a role no longer", async () => {
      const [one, two, three] = await scene();
      await write(one.url, "users", userOf("user_1", ["support"]));
      await write(one.url, "relations", { tenant_id: "tenant_1", add: [tupleOf("Contract:k1 reader user:user_1")] });
      const task = await one.pep.begin(BEGIN);
      expect(await outcomes([one, two, three], task)).toEqual(["permit", "permit", "permit"]);
      await write(three.url, "users", userOf("user_1"));
      expect(await outcomes([three], task)).toEqual(["policy_denied"]);
      await wait(FRESH);
      expect(await outcomes([one, two, three], task)).toEqual(["policy_denied", "policy_denied", "policy_denied"]);
    });
  });
}
