import { AmbitError, type DocumentStore } from "@ambit/core";
import type { PublicKey, SigningKey } from "@ambit/core/token";
import type { Agents } from "../config/agents.ts";
import type { ApprovalConfig } from "../config/approvals.ts";
import type { Directory } from "../directory/directory.ts";
import type { Signing } from "../envelopes/signed-chains.ts";
import type { ApprovalSetting } from "./approvals.ts";

export interface ApprovalParts {
  readonly documents: DocumentStore;
  /** A key of this process; absent where other processes read what it signs. */
  readonly answerKey: SigningKey | undefined;
  readonly signing: Signing | undefined;
  readonly agents: Agents;
  readonly directory: Directory | undefined;
  readonly now: () => number;
}

/**
 * How people are asked, from what is configured. Refuses (`config_invalid`) requests that others share without a key that they share, too: an answer that is vouched for here would be
 * none there; and a key that is of two: of a person and an agent, or of the decision point as well, which speaks for everybody.
 */
export function approvalSetting(config: ApprovalConfig, { documents, answerKey, signing, agents, directory, now }: ApprovalParts): ApprovalSetting {
  const { rules, approvers, lifetime } = config;
  const own = ownKeysOf(config, signing, answerKey);
  const held = new Map<string, string>(
    [...agents.values()].flatMap(({ id, keys }) => [...keys].map((thumbprint) => [thumbprint, `the agent \`${id}\``] as const)),
  );
  checkApart("the decision point", own.all(), held);
  for (const { thumbprint } of own.all()) held.set(thumbprint, "the decision point");
  for (const [id, { keys }] of approvers) checkApart(`the approver \`${id}\``, [...keys.values()], held);
  return {
    rules,
    approvers,
    lifetime,
    documents,
    signer: own.signer,
    ownKeys: own.all,
    isAgent: (id) => agents.has(id),
    rolesOf: async (tenantId, userId) => {
      const known = await directory?.user(tenantId, userId);
      if (known?.status === "removed") return "removed";
      return known?.user.roles ?? [];
    },
    now,
  };
}

function ownKeysOf(
  { key }: ApprovalConfig,
  signing: Signing | undefined,
  answerKey: SigningKey | undefined,
): { readonly signer: () => SigningKey; readonly all: () => readonly PublicKey[] } {
  if (key === undefined && signing !== undefined)
    return { signer: () => signing.keys.current(), all: () => signing.keys.keys().flatMap((listed) => listed.key ?? []) };
  const one = key ?? answerKey;
  if (one !== undefined) return { signer: () => one, all: () => [one.public] };
  throw new AmbitError(
    "config_invalid",
    'requests for approval are where other processes read them, so that all need one key for answers that are vouched for: add `"key": "approvals.jwk"` to `approvals`, or configure `signing`',
    { hint: "ambit keys new --out approvals.jwk" },
  );
}

/** Whoever holds the key of another would answer as them. */
function checkApart(who: string, keys: readonly PublicKey[], held: ReadonlyMap<string, string>): void {
  const other = keys.map(({ thumbprint }) => held.get(thumbprint)).find((owner) => owner !== undefined);
  if (other !== undefined) throw new AmbitError("config_invalid", `${who} has a key of ${other}`);
}
