import type { DatabaseSync } from "node:sqlite";
import { contractText } from "./contract-text.ts";
import { CITIES, COMPANIES, CONTACTS, INCIDENTS, SEGMENTS, type Incident } from "./words.ts";

export const TENANT = "tenant_acme";
/** Whose renewal is reviewed. */
export const CUSTOMER = "cust_acme_1042";
export const CONTRACT = "contract_7781";
/** Somebody else's, which the review has no business with. */
export const FOREIGN_CONTRACT = "contract_9034";
export const QUARTERS = ["2025-Q2", "2025-Q3", "2025-Q4", "2026-Q1"] as const;

const SUMMARIES_PER_QUARTER = { reviewed: 12, others: 5 } as const;

export interface SeedOptions {
  /** Text that somebody slipped into the reviewed contract as an annex. */
  readonly annex?: string | undefined;
}

/** Fills the database: sixteen customers, two contracts each, a few hundred support summaries. The same on every run. */
export function seed(database: DatabaseSync, options: SeedOptions = {}): void {
  const random = createRandom(7781);
  database.exec("begin");
  const insertCustomer = database.prepare("insert into customers values (?, ?, ?, ?, ?)");
  const insertContract = database.prepare("insert into contracts values (?, ?, ?, ?, ?, ?, ?, ?)");
  const insertSummary = database.prepare("insert into support_summaries values (?, ?, ?, ?, ?, ?)");
  let summaries = 0;

  COMPANIES.forEach((name, index) => {
    const customerId = index === 0 ? CUSTOMER : `cust_acme_${1100 + index * 37}`;
    const [city, country] = CITIES[index % CITIES.length] as (typeof CITIES)[number];
    insertCustomer.run(customerId, TENANT, name, country, pick(SEGMENTS, random));

    for (const part of [0, 1]) {
      const contractId = contractIdOf(index, part);
      const isReviewed = contractId === CONTRACT;
      const title = part === 0 ? "Master Services Agreement" : "Data Platform Order Form";
      const months = isReviewed ? 24 : 12;
      const terms = isReviewed
        ? { months, noticeDays: 180, increase: 12 }
        : { months, noticeDays: pick([30, 60, 90], random), increase: pick([2, 3, 5], random) };
      const value = isReviewed ? 184_000_00 : (20 + Math.floor(random() * 160)) * 1_000_00;
      const endsOn = isReviewed ? "2026-12-31" : `2027-${String(1 + Math.floor(random() * 12)).padStart(2, "0")}-28`;
      const text =
        contractText({ contractId, title, customer: name, city, endsOn, ...terms }) + (isReviewed && options.annex !== undefined ? `\n${options.annex}` : "");
      insertContract.run(contractId, customerId, title, "2024-01-01", endsOn, value, "EUR", text);
    }

    for (const quarter of QUARTERS) {
      for (let count = index === 0 ? SUMMARIES_PER_QUARTER.reviewed : SUMMARIES_PER_QUARTER.others; count > 0; count -= 1) {
        const { severity, summary }: Incident = pick(INCIDENTS, random);
        const contact = `${pick(CONTACTS, random)}@${domainOf(name)}`;
        insertSummary.run(`sum_${String(++summaries).padStart(4, "0")}`, customerId, quarter, severity, summary, contact);
      }
    }
  });
  database.exec("commit");
}

function contractIdOf(index: number, part: number): string {
  if (index === 0) return part === 0 ? CONTRACT : "contract_7782";
  if (index === 5 && part === 0) return FOREIGN_CONTRACT;
  return `contract_${8000 + index * 61 + part}`;
}

function domainOf(name: string): string {
  return `${name
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, "-")
    .replaceAll(/^-|-$/g, "")}.example`;
}

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** Mulberry32: small, and the same everywhere. */
function createRandom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
