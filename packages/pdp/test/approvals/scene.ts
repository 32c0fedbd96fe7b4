import type { BeginOptions, Pep, Task } from "@ambit/core";
import { generateKey, type SigningKey } from "@ambit/core/token";
import type { Approval, EmbeddedPdp, GivenAnswer, PdpConfig } from "@ambit/pdp";
import { BEGIN, CONFIG, fixture, outcomeOf, rejection, type Fixture } from "../support/fixture.ts";

export const TICKET = ["tickets_create", { title: "renew", cost: 5 }] as const;
export const TENANT = "tenant_1";

export type Said = Partial<GivenAnswer> & { readonly approver?: string; readonly decision?: "approve" | "deny"; readonly signed?: string };

export interface Desk {
  /** Requests that can be answered. */
  waiting(): Promise<readonly Approval[]>;
  /** Answers the first of them, as `user_1` who approves unless said otherwise; tells the code, or `resolved`. */
  say(change?: Said): Promise<string>;
}

export interface Scene extends Fixture, Desk {
  readonly task: Task;
  /** Calls and answers with the code, or `permit`. */
  call(pep?: Pep, task?: Task, args?: object): Promise<string>;
}

export function deskOf({ approvals }: Pick<EmbeddedPdp, "approvals">): Desk {
  const waiting = async (): Promise<readonly Approval[]> => (await approvals.list(TENANT)).filter(({ status }) => status === "pending");
  return {
    waiting,
    say: async (change = {}) => {
      const id = (await waiting())[0]?.id ?? "none";
      const vouched = "signed" in change ? {} : { approver: "user_1", decision: "approve", assertedBy: "app" };
      return rejection(approvals.answer({ tenantId: TENANT, id, ...vouched, ...change } as GivenAnswer));
    },
  };
}

/** A task whose tickets wait for an approval. */
export async function scene(approvals: object, config: Partial<PdpConfig> = {}, begin: Partial<BeginOptions> = {}): Promise<Scene> {
  const base = await fixture({ approvals, ...config });
  const task = await base.pep.begin({ ...BEGIN, approvals: ["tickets.create"], ...begin } as BeginOptions);
  return { ...base, ...deskOf(base.pdp), task, call: (pep = base.pep, own = task, args = TICKET[1]) => outcomeOf(pep, own, TICKET[0], args) };
}

/** The agents of the fixture with keys, two for each; none has a ceiling. */
export async function agentsWithKeys(): Promise<{
  readonly agents: PdpConfig["agents"];
  readonly keys: { readonly [agent: string]: readonly [SigningKey, SigningKey] };
}> {
  const names = Object.keys((CONFIG.agents as { readonly agents: object }).agents);
  const pairs = await Promise.all(names.map(async (name) => [name, [await generateKey(), await generateKey()]] as const));
  const agents = pairs.map(([name, keys]) => [name, { trust_zone: "first_party", ceiling: "none", keys: keys.map((key) => key.public.jwk) }]);
  return { agents: { agents: Object.fromEntries(agents) as object }, keys: Object.fromEntries(pairs) };
}
