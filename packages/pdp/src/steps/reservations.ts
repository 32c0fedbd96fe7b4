import { limitsOf, type Account, type Budgets, type JsonObject, type Limits, type Reservation } from "@ambit/core";
import type { Chain } from "../envelopes/chain.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import { Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { ceilingOf } from "./constraint.ts";
import { statedMoney } from "./money.ts";
import { recordsOf, statedLimit } from "./records.ts";

/** What is wanted of one unit. */
type Amounts = Pick<Reservation, "want" | "atLeast" | "refundable">;

interface Money {
  readonly unit: string;
  readonly amount: number;
}

/**
 * What a call would spend, of every limit of every envelope of the chain that is about its tool. Refuses a call whose amounts cannot be told
 * (`argument_not_allowed`, `constraint_unmapped`), and money in a currency that some envelope of the chain does not name (`budget_exhausted`).
 *
 * A call that failed gives back its records. Calls it gives back only where the tool just reads, money never: what failed on the way may have taken effect. And an
 * attempt is one, so it counts towards the rate.
 */
export function reservationsOf(setting: Setting, chain: Chain, tool: ToolEntry, args: JsonObject): readonly Reservation[] {
  const money = moneyOf(chain, tool, args);
  const amountsOf = (unit: string): Amounts | undefined => {
    if (unit === "calls") return { want: 1, atLeast: 1, refundable: tool.effect === "read" };
    if (unit === "rate") return { want: 1, atLeast: 1, refundable: false };
    if (unit === "records") return recordAmounts(tool, args);
    return unit === money?.unit ? { want: money.amount, atLeast: money.amount, refundable: false } : undefined;
  };
  return [...accountsOf(setting, chain, tool)].flatMap(([unit, accounts]) => {
    const amounts = amountsOf(unit);
    return amounts === undefined ? [] : [{ unit, ...amounts, accounts }];
  });
}

/** The accounts to debit, by unit. */
function accountsOf(setting: Setting, chain: Chain, tool: ToolEntry): ReadonlyMap<string, readonly Account[]> {
  const accounts = new Map<string, Account[]>();
  const add = (unit: string, account: Account): void => void accounts.set(unit, [...(accounts.get(unit) ?? []), account]);
  for (const [index, { id: envelopeId, envelope }] of chain.links.entries()) {
    // A root that goes on from another spends from the same accounts.
    const id = index === 0 ? chain.lineage : envelopeId;
    // An envelope is worth no more than its holder's ceiling, so both count per envelope.
    const ceiling = ceilingOf(setting, envelope.agentId)?.resourceConstraints["max_records"];
    if (typeof ceiling === "number") add("records", { id: `${id}/ceiling/max_records`, limit: ceiling });
    const most = envelope.resourceConstraints["max_records"];
    if (typeof most === "number") add("records", { id: `${id}/max_records`, limit: most });
    for (const [path, limits] of limitsFor(envelope.budgets, tool)) {
      for (const [name, limit] of limitsOf(limits)) {
        const account = { id: `${id}/${path}${name}`, limit };
        const [kind, seconds] = name.split("/");
        if (kind === "rate") add(kind, { ...account, window: Number(seconds) * 1000 });
        else add(name, account);
      }
    }
  }
  return accounts;
}

/** The limits of a budget that are about a tool, and what their names begin with: those of all tools, and its own. */
function limitsFor({ tools = {}, ...all }: Budgets, { id }: ToolEntry): readonly (readonly [string, Limits])[] {
  return Object.hasOwn(tools, id)
    ? [
        ["", all],
        [`tools/${id}/`, tools[id] as Limits],
      ]
    : [["", all]];
}

/** The limit that the call states, else what the tool returns at most, else what is left. */
function recordAmounts(tool: ToolEntry, args: JsonObject): Amounts | undefined {
  const rule = recordsOf(tool);
  if (rule === "none") return undefined;
  const limit = statedLimit(rule, args);
  return { want: limit ?? rule.most, atLeast: limit ?? Math.min(1, rule.most), refundable: true };
}

/** What the call spends, where any envelope of the chain limits money. */
function moneyOf(chain: Chain, tool: ToolEntry, args: JsonObject): Money | undefined {
  const limits = chain.links.flatMap(({ envelope }) => limitsFor(envelope.budgets, tool));
  const budgets = limits.flatMap(([, { money }]) => (money === undefined ? [] : [money]));
  if (budgets.length === 0 || tool.money === "none" || (tool.money === undefined && tool.effect === "read")) return undefined;
  if (tool.money === undefined) {
    throw new Refused(
      "constraint",
      "constraint_unmapped",
      `it is not known what money \`${tool.id}\` spends`,
      'add `money` to its entry in the manifest, as {"amount": "/…", "currency": "EUR"} or "none"',
    );
  }
  const { amount, currency } = statedMoney(tool.money, args);
  if (typeof amount !== "number" || !Number.isSafeInteger(amount) || amount < 0)
    throw new Refused("commit", "argument_not_allowed", `the argument \`${tool.money.amount}\` must be whole minor units of money`);
  // A budget in euros says nothing of dollars, so it allows none; neither does a budget in dollars below it.
  if (typeof currency !== "string" || !budgets.every((budget) => Object.hasOwn(budget, currency)))
    throw new Refused("commit", "budget_exhausted", "there is no budget in this currency");
  return { unit: `money/${currency}`, amount };
}
