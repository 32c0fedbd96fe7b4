import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  createMemoryRelations,
  createRelations,
  parseRelationModel,
  type RelationModel,
  type RelationStore,
  type Relations,
} from "../../src/relations/index.ts";
import { createSqliteRelations } from "../../src/relations/sql/sqlite-relations.ts";
import { codeOf } from "../../../core/test/support/codes.ts";
import { naiveIsSound, naiveRelations } from "./naive-relations.ts";
import { randomUniverse, type Universe } from "./random-relations.ts";

const UNIVERSES = process.env["AMBIT_DEEP"] === "full" ? 20_000 : 600;
const SEED = 20261122;

function parsed({ types }: Universe): RelationModel | undefined {
  const model = { types: Object.fromEntries(Object.entries(types).map(([type, relations]) => [type, { relations }])) };
  const code = codeOf(() => parseRelationModel(model));
  return code === "nothing thrown" ? parseRelationModel(model) : undefined;
}

/** A store that other processes share: every tuple has to be asked for. */
function elsewhere({ write, revision, below, above }: RelationStore): RelationStore {
  return { write, revision, below, above };
}

describe("relations, compared with sets that are made larger until nothing changes", () => {
  it("refuse the models that mean nothing, and no others", () => {
    let sound = 0;

    for (let index = 0; index < UNIVERSES; index++) {
      const universe = randomUniverse(SEED, index);
      const isSound = naiveIsSound(universe.types);
      expect(parsed(universe) !== undefined, JSON.stringify(universe.types)).toBe(isSound);
      if (isSound) sound += 1;
    }
    expect(sound).toBeGreaterThan(UNIVERSES / 10);
    expect(sound).toBeLessThan(UNIVERSES);
  });

  it("answer every question the same, from memory and from elsewhere", async () => {
    const seen = { questions: 0, held: 0, others: 0, except: 0 };
    for (let index = 0; index < UNIVERSES; index++) {
      const universe = randomUniverse(SEED, index);
      const model = parsed(universe);
      const memory = createMemoryRelations();
      if (model !== undefined) await compare(universe, model, index % 4 === 0 ? elsewhere(memory) : memory, "t", seen);
    }
    // What never came up was not compared.
    expect(seen.questions).toBeGreaterThan(100_000);
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(10);
  });

  it("answer every question the same from a file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ambit-relations-"));
    const store = await createSqliteRelations({ path: join(folder, "relations.db"), timeout: 10_000 });
    const seen = { questions: 0, held: 0, others: 0, except: 0 };
    for (let index = 0; index < 40; index++) {
      const universe = randomUniverse(SEED, UNIVERSES + index);
      const model = parsed(universe);
      if (model !== undefined) await compare(universe, model, store, `t${index}`, seen);
    }
    await store.close();
    rmSync(folder, { recursive: true });
    expect(seen.held).toBeGreaterThan(100);
  });
});

async function compare(
  { types, refs, tuples, random }: Universe,
  model: RelationModel,
  store: RelationStore,
  tenant: string,
  seen: Record<"questions" | "held" | "others" | "except", number>,
): Promise<void> {
  const removed = random.some(tuples, 20);
  const left = tuples.filter((tuple) => !removed.some((other) => JSON.stringify(other) === JSON.stringify(tuple)));
  await store.write(tenant, { add: tuples, remove: [] });
  await store.write(tenant, { add: [], remove: removed });
  // The same again and another tenant's: neither changes anything.
  await store.write(tenant, { add: left, remove: removed });
  await store.write(`${tenant}-other`, { add: removed, remove: left });
  const relations: Relations = createRelations({ model, store });
  const naive = naiveRelations(types, left, refs);
  const shown = JSON.stringify({ types, tuples: left });
  for (const object of refs) {
    const names = Object.keys(types[object.type] ?? {});
    for (const subject of refs) {
      const expected = Object.fromEntries(names.map((name) => [name, naive(subject, name, object)]));
      expect(await relations.relationsOf(tenant, subject, object), shown).toEqual(expected);
      seen.questions += names.length;
      seen.held += Object.values(expected).filter((isHeld) => isHeld).length;
    }
    for (const name of names) {
      const subject = random.pick(refs);
      expect(await relations.check(tenant, subject, name, object), shown).toBe(naive(subject, name, object));
      const type = random.pick(["user", "user", "user", "group", "Doc"]);
      const found = await relations.listSubjects(tenant, type, name, object);
      for (const one of refs.filter((ref) => ref.type === type)) {
        const isFound = found.ids.includes(one.id) || (found.others && !found.except.includes(one.id));
        expect(isFound, `${shown} ${JSON.stringify([one, name, object])}`).toBe(naive(one, name, object));
      }
      if (found.others) seen.others += 1;
      seen.except += found.except.length;
    }
  }
  for (const [type, names] of Object.entries(types)) {
    for (const name of Object.keys(names)) {
      const subject = random.pick(refs);
      const expected = refs.filter((object) => object.type === type && naive(subject, name, object)).map(({ id }) => id);
      expect(await relations.listObjects(tenant, subject, name, type), shown).toEqual(expected.sort());
    }
  }
}
