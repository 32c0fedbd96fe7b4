import { limitsOf, valuesAt, type Account, type CommitAnswer, type Committed, type JsonObject, type Reservation } from "@ambit/core";
import { leafOf, type Chain } from "../envelope-store.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import { orRefuse, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { ceilingOf, type ResultObligation } from "./constraint.ts";
import { dataClassesOf } from "./policy.ts";

export interface CommitQuestion {
  readonly chain: Chain;
  readonly tool: ToolEntry;
  readonly arguments: JsonObject;
  readonly obligations: readonly ResultObligation[];
  readonly callId: string;
  readonly callDigest: string;
  readonly decisionId: string;
  readonly grantId: string;
}

/** Step 6: one transaction over this envelope and all its ancestors (I5, I6). */
export async function commit(setting: Setting, question: CommitQuestion): Promise<Committed & { readonly status: "committed" | "repeated" }> {
  const { chain, tool, callId, callDigest, decisionId, grantId } = question;
  const { envelope } = leafOf(chain);
  const now = setting.now();
  const answer = await orRefuse<CommitAnswer>("commit", "state_unavailable", "what the call needs could not be reserved", () =>
    setting.state.commit({
      tenantId: envelope.tenantId,
      lineage: chain.lineage,
      callId,
      callDigest,
      decisionId,
      toolId: tool.id,
      reservations: reservationsOf(setting, chain, tool, question.arguments),
      // INVARIANT I7: a grant never outlives its envelope.
      grant: { id: grantId, expiresAt: Math.min(now + setting.grantLifetime, envelope.expiresAt) },
      labels: { integrity: tool.output, dataClasses: dataClassesOf(tool, question.obligations) },
      now,
    }),
  );
  if (answer.status === "exhausted") throw new Refused("commit", "budget_exhausted", `the budget of ${answer.unit} is exhausted; ${answer.remaining} left`);
  if (answer.status === "spent") throw new Refused("commit", "grant_replayed", "this call has run already");
  if (answer.status !== "committed" && answer.status !== "repeated")
    throw new Refused("commit", "state_unavailable", "what the call needs could not be reserved");
  return answer;
}

function reservationsOf(setting: Setting, chain: Chain, tool: ToolEntry, args: JsonObject): readonly Reservation[] {
  const accounts = accountsOf(setting, chain, tool);
  const reservations: Reservation[] = [];
  const callAccounts = accounts.get("calls") ?? [];
  if (callAccounts.length > 0) reservations.push({ unit: "calls", want: 1, atLeast: 1, accounts: callAccounts });
  const recordAccounts = accounts.get("records") ?? [];
  if (recordAccounts.length > 0) reservations.push(...recordReservation(tool, args, recordAccounts));
  return [...reservations, ...moneyReservation(tool, args, accounts)];
}

/** The accounts to debit, by unit: every limit of every envelope of the chain that is about this tool. */
function accountsOf(setting: Setting, chain: Chain, tool: ToolEntry): ReadonlyMap<string, readonly Account[]> {
  const accounts = new Map<string, Account[]>();
  const add = (unit: string, account: Account): void => void accounts.set(unit, [...(accounts.get(unit) ?? []), account]);
  const ownPrefix = `tools/${tool.id}/`;
  for (const { id, envelope } of chain.links) {
    // An envelope is worth no more than its holder's ceiling, so both count per envelope.
    const ceiling = ceilingOf(setting, envelope.agentId)?.resourceConstraints["max_records"];
    if (typeof ceiling === "number") add("records", { id: `${id}/ceiling/max_records`, limit: ceiling });
    for (const [name, limit] of limitsOf(envelope.budgets)) {
      const isOwn = name.slice(0, ownPrefix.length) === ownPrefix;
      const [unit = "", detail = ""] = (isOwn ? name.slice(ownPrefix.length) : name).split("/");
      if (!isOwn && unit === "tools") continue;
      if (unit === "rate") add("calls", { id: `${id}/${name}`, limit, window: Number(detail) * 1000 });
      else add(unit === "money" ? `money/${detail}` : unit, { id: `${id}/${name}`, limit });
    }
    const most = envelope.resourceConstraints["max_records"];
    if (typeof most === "number") add("records", { id: `${id}/max_records`, limit: most });
  }
  return accounts;
}

/** Reserve the limit that the call states, else what the tool returns at most, else what is left. */
function recordReservation(tool: ToolEntry, args: JsonObject, accounts: readonly Account[]): readonly Reservation[] {
  if (tool.records === "none") return [];
  if (tool.records === undefined) {
    throw new Refused(
      "constraint",
      "constraint_unmapped",
      `it is not known how many records \`${tool.id}\` returns`,
      'add `records` to its entry in the manifest, as {"result": "/…", "most": 50} or "none"',
    );
  }
  const limit = tool.records.limit === undefined ? undefined : valuesAt(args, tool.records.limit)?.[0];
  if (typeof limit === "number") return [{ unit: "records", want: limit, atLeast: limit, accounts }];
  return [{ unit: "records", want: tool.records.most, atLeast: Math.min(1, tool.records.most), accounts }];
}

function moneyReservation(tool: ToolEntry, args: JsonObject, accounts: ReadonlyMap<string, readonly Account[]>): readonly Reservation[] {
  const isBudgeted = [...accounts.keys()].some((unit) => unit.split("/")[0] === "money");
  if (tool.money === undefined || !isBudgeted) return [];
  const { amount: amountPointer, currency: currencySource } = tool.money;
  const amount = valuesAt(args, amountPointer)?.[0];
  const currency = currencySource[0] === "/" ? valuesAt(args, currencySource)?.[0] : currencySource;
  if (typeof amount !== "number" || !Number.isSafeInteger(amount) || amount < 0) {
    throw new Refused("commit", "argument_not_allowed", `the argument \`${amountPointer}\` must be whole minor units of money`);
  }
  const own = typeof currency === "string" ? accounts.get(`money/${currency}`) : undefined;
  // A budget in euros says nothing of dollars, so it allows none.
  if (own === undefined) throw new Refused("commit", "budget_exhausted", "there is no budget in this currency");
  return [{ unit: `money/${String(currency)}`, want: amount, atLeast: amount, accounts: own }];
}
