import type { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { createDatabase } from "../../src/crm/database.ts";
import { CONTRACT, CUSTOMER, FOREIGN_CONTRACT, QUARTERS, seed } from "../../src/crm/seed.ts";

const TABLES = ["customers", "contracts", "support_summaries"] as const;

function seeded(annex?: string): DatabaseSync {
  const database = createDatabase(":memory:");
  seed(database, { annex });
  return database;
}

function dump(database: DatabaseSync): string {
  return JSON.stringify(TABLES.map((table) => database.prepare(`select * from ${table}`).all()));
}

test("two seeds are the same to the last byte", () => {
  expect(dump(seeded())).toBe(dump(seeded()));
});

test("an annex is in the reviewed contract and nowhere else", () => {
  const database = seeded("ANNEX X");
  const found = database.prepare("select contract_id from contracts where text like '%ANNEX X%'").all();
  expect(found.map((row) => row["contract_id"])).toEqual([CONTRACT]);
  expect(dump(seeded())).not.toContain("ANNEX X");
});

test("there are a few hundred records, and more of the reviewed customer than the review may see", () => {
  const database = seeded();
  const count = (query: string, ...values: string[]): number => database.prepare(`select count(*) as total from ${query}`).get(...values)?.["total"] as number;
  expect(count("support_summaries")).toBeGreaterThan(300);
  for (const quarter of QUARTERS) expect(count("support_summaries where customer_id = ? and quarter = ?", CUSTOMER, quarter)).toBeGreaterThan(10);
  expect(count("contracts where contract_id = ? and customer_id = ?", CONTRACT, CUSTOMER)).toBe(1);
  expect(count("contracts where contract_id = ? and customer_id <> ?", FOREIGN_CONTRACT, CUSTOMER)).toBe(1);
});
